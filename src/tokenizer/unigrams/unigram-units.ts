/**
 * Texts as tokens for whole-word masking with the terms of an output vocabulary: which tokens are masked together, and
 * which term is to be predicted where.
 *
 *     text      Unbelievable   quantization   !
 *     tokens    un ##believ ##able   quantization   !
 *     units      0    0       0           1        −1
 *     labels    812  −1      −1        20417       −1      with the rule `first`
 *
 * A token belongs to a unigram when its place is within the unigram's. Unigrams whose term is not in the vocabulary, and all
 * that is no unigram, are in no unit: they are never masked and never predicted. docs/decisions/0011 says why the label
 * stands at the first piece, once.
 */
import type { OutputVocabulary } from '../../checkpoint/layouts/output-vocabulary.ts';
import type { PlacedTokens, Tokenizer } from '../tokenizer.ts';
import { scanUnigrams, termOf } from './unigram-rule.ts';

/** At which pieces of a unigram its term is to be predicted. */
export type LabelRule = 'first' | 'last' | 'all';

/** A text as tokens, without the special tokens around it. */
export interface UnigramUnits {
  readonly ids: Int32Array;
  /** Number of the unigram of each token, ascending; -1: of none in the vocabulary. The tokens of a unit are neighbours. */
  readonly units: Int32Array;
  /** The dimension of the term to be predicted at a token; -1 for none. */
  readonly labels: Int32Array;
}

/**
 * Makes a function that cuts texts into units.
 * @param label @default 'first'
 * @throws LexrayError BAD_INPUT, when used, where the tokenizer does not know the places of its tokens
 */
export function unigramUnits(
  tokenizer: Pick<Tokenizer, 'encodePlaced'>,
  { terms, unigrams: rule }: OutputVocabulary,
  label: LabelRule = 'first',
): (text: string) => UnigramUnits {
  const dimensions = new Map(terms.map((term, dimension) => [term, dimension]));
  const known = new Map<string, number>();
  const dimensionOf = (unigram: string): number => {
    let dimension = known.get(unigram);
    if (dimension === undefined) {
      const term = termOf(unigram, rule);
      dimension = (term === undefined ? undefined : dimensions.get(term)) ?? -1;
      if (known.size >= cacheLimit) known.clear();
      if (unigram.length <= rule.maxLength) known.set(unigram, dimension);
    }
    return dimension;
  };
  return (text) => {
    const placed = tokenizer.encodePlaced(text, { addSpecialTokens: false });
    return { ids: placed.ids, ...labelUnigrams(text, placed, dimensionOf, label) };
  };
}

const cacheLimit = 1 << 18;

/**
 * Units and labels of placed tokens.
 * @param dimensionOf the dimension of a unigram as it stands in the text; -1 where its term is not in the vocabulary
 */
export function labelUnigrams(
  text: string,
  { ids, starts, ends }: PlacedTokens,
  dimensionOf: (unigram: string) => number,
  label: LabelRule = 'first',
): Pick<UnigramUnits, 'units' | 'labels'> {
  const units = new Int32Array(ids.length).fill(-1);
  const labels = new Int32Array(ids.length).fill(-1);
  let unit = 0;
  let token = 0;
  scanUnigrams(text, (start, end) => {
    while (token < ids.length && (starts[token]! < start || ends[token] === starts[token])) token++;
    const first = token;
    while (token < ids.length && starts[token]! >= start && ends[token]! <= end) token++;
    if (token === first) return;
    const dimension = dimensionOf(text.slice(start, end));
    if (dimension === -1) return;
    units.fill(unit++, first, token);
    if (label === 'all') labels.fill(dimension, first, token);
    else labels[label === 'first' ? first : token - 1] = dimension;
  });
  return { units, labels };
}
