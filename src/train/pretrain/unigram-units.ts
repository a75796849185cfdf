/**
 * Units of the expanded objective (EMLM; Dudek et al., CIKM 2023, and arXiv 2605.01407): a unit is a unigram of the output
 * vocabulary, all of its pieces are masked together, and its term is predicted: once, at its first piece, unless another rule
 * is chosen (docs/decisions/0012). Unigrams outside the vocabulary, and what is no unigram, are never masked: there is nothing
 * that could be predicted.
 */
import type { OutputVocabulary } from '../../checkpoint/layouts/output-vocabulary.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { findUnigrams, termOf } from '../../tokenizer/unigrams/unigram-rule.ts';
import type { UnitTokenizer } from './masking-units.ts';

/** At which of its pieces a masked unigram is predicted. */
export type LabelRule = 'first' | 'last' | 'every';

/**
 * Cuts texts into unigrams, labelled with their rows in the vocabulary.
 * @param labelled at which pieces
 */
export function unigramUnits(
  tokenizer: Pick<Tokenizer, 'encodePlaced'>,
  { terms, unigrams: rule }: Pick<OutputVocabulary, 'terms' | 'unigrams'>,
  labelled: LabelRule = 'first',
): UnitTokenizer {
  const rows = new Map(terms.map((term, row) => [term, row]));
  return (text) => {
    const { ids, starts, ends } = tokenizer.encodePlaced(text, { addSpecialTokens: false });
    const units = new Int32Array(ids.length).fill(-1);
    const labels = new Int32Array(ids.length).fill(-1);
    let token = 0;
    for (const [unit, { start, end }] of findUnigrams(text).entries()) {
      while (token < ids.length && starts[token]! < start) token++;
      const first = token;
      while (token < ids.length && starts[token]! < end && ends[token]! <= end) token++;
      // Where a token reaches in or out, as an unknown word of several unigrams does, there is no unit.
      const reachesIn = first > 0 && ends[first - 1]! > start;
      const reachesOut = token < ids.length && starts[token]! < end;
      if (token === first || reachesIn || reachesOut) continue;
      const row = rows.get(termOf(text.slice(start, end), rule) ?? '');
      if (row === undefined) continue;
      units.fill(unit, first, token);
      labels.fill(row, labelled === 'last' ? token - 1 : first, labelled === 'first' ? first + 1 : token);
    }
    return { ids, units, labels };
  };
}
