/**
 * The pieces of which the input tokenizer makes each term. A term occurs in several forms (`Paris`, `PARIS`), and a cased
 * tokenizer cuts each in its own way: the pieces of all known forms count, by how often the form occurred. Tokenizers for
 * which a word with a space before it is another word get the space.
 */
import type { Tokenizer } from '../tokenizer.ts';
import type { CountedTerm } from './count-unigrams.ts';

/** A form of a term as pieces. */
export interface PiecedForm {
  readonly pieces: Int32Array;
  readonly count: number;
}

/** A term as pieces. */
export interface PiecedTerm {
  readonly term: string;
  readonly count: number;
  /** Its forms whose pieces are all known, most frequent first; none where the tokenizer knows no form. */
  readonly forms: readonly PiecedForm[];
}

/** How terms and pieces relate. */
export interface PieceStatistics {
  /** Terms by pieces of their most frequent known form: index 0 none known, 1 one piece … 8 eight or more. */
  readonly terms: readonly number[];
  /** Occurrences, likewise, of each form by itself; forms that are not known at index 0. */
  readonly occurrences: readonly number[];
  /** Mean pieces of a term, over terms with known pieces. */
  readonly meanOfTerms: number;
  /** Mean pieces of an occurrence, over known ones. */
  readonly meanOfOccurrences: number;
  /** Terms of which a form is one piece. */
  readonly termsThatArePieces: number;
  /** Pieces that are a term by themselves. */
  readonly piecesThatAreTerms: number;
  /** Pieces of the tokenizer, special tokens aside. */
  readonly pieces: number;
}

const most = 8;

/** Cuts terms into pieces. */
export function pieceTerms(
  terms: readonly CountedTerm[],
  tokenizer: Pick<Tokenizer, 'encode' | 'specialIds' | 'specialTokens'>,
): PiecedTerm[] {
  const before = wantsSpace(tokenizer) ? ' ' : '';
  const { unk } = tokenizer.specialTokens;
  return terms.map(({ term, count, forms }) => {
    const pieced: PiecedForm[] = [];
    for (const { text, count: times } of forms) {
      const pieces = tokenizer.encode(before + text, { addSpecialTokens: false });
      if (pieces.length > 0 && (unk === undefined || !pieces.includes(unk))) pieced.push({ pieces, count: times });
    }
    return { term, count, forms: pieced };
  });
}

/** Statistics of terms as pieces. */
export function pieceStatistics(
  terms: readonly PiecedTerm[],
  tokenizer: Pick<Tokenizer, 'size' | 'specialIds'>,
): PieceStatistics {
  const byTerm = new Array<number>(most + 1).fill(0);
  const byOccurrence = new Array<number>(most + 1).fill(0);
  const sums = { terms: 0, known: 0, pieces: 0, occurrences: 0 };
  const single = new Set<number>();
  let termsThatArePieces = 0;
  for (const { count, forms } of terms) {
    const length = forms[0]?.pieces.length ?? 0;
    byTerm[Math.min(length, most)]!++;
    let known = 0;
    for (const { pieces, count: times } of forms) {
      byOccurrence[Math.min(pieces.length, most)]! += times;
      sums.pieces += pieces.length * times;
      known += times;
      if (pieces.length === 1) single.add(pieces[0]!);
    }
    if (forms.some(({ pieces }) => pieces.length === 1)) termsThatArePieces++;
    byOccurrence[0]! += count - known;
    sums.occurrences += known;
    if (length > 0) sums.known++;
    sums.terms += length;
  }
  return {
    terms: byTerm,
    occurrences: byOccurrence,
    meanOfTerms: sums.terms / Math.max(1, sums.known),
    meanOfOccurrences: sums.pieces / Math.max(1, sums.occurrences),
    termsThatArePieces,
    piecesThatAreTerms: single.size,
    pieces: tokenizer.size - tokenizer.specialIds.size,
  };
}

/** Whether a word after a space is another piece than at the start of a text, as for byte-level BPE. */
function wantsSpace(tokenizer: Pick<Tokenizer, 'encode'>): boolean {
  const [bare, spaced] = ['the', ' the'].map((text) => tokenizer.encode(text, { addSpecialTokens: false }));
  return spaced!.length <= bare!.length && spaced!.some((id, i) => id !== bare![i]);
}
