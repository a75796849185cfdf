/**
 * Texts as tokens in *units*: what is masked together. A unit is one piece (Devlin et al., arXiv 1810.04805) or a whole
 * word, whose pieces are each predicted. Special tokens, unknown ones among them, belong to no unit.
 */
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { findUnigrams } from '../../tokenizer/unigrams/unigram-rule.ts';

/** A text as tokens, without the special tokens around it. */
export interface UnitTokens {
  readonly ids: Int32Array;
  /** Number of the unit of each token, ascending; -1: never masked. The tokens of a unit are neighbours. */
  readonly units: Int32Array;
  /** Row of the decoder that is right at the token when its unit is masked; -1: nothing is predicted there. */
  readonly labels: Int32Array;
}

/** Cuts texts into units. */
export type UnitTokenizer = (text: string) => UnitTokens;

/** Every piece is a unit. */
export function pieceUnits(tokenizer: Pick<Tokenizer, 'encode' | 'specialIds'>): UnitTokenizer {
  return (text) => {
    const ids = tokenizer.encode(text, { addSpecialTokens: false });
    return { ids, ...numbered(ids, tokenizer.specialIds, () => true) };
  };
}

/**
 * The pieces of a word are a unit: of a run of letters, marks and numbers, see `unigram-rule.ts`. All other pieces, such as
 * punctuation, are units by themselves.
 */
export function wordUnits(tokenizer: Pick<Tokenizer, 'encodePlaced' | 'specialIds'>): UnitTokenizer {
  return (text) => {
    const { ids, starts, ends } = tokenizer.encodePlaced(text, { addSpecialTokens: false });
    const words = findUnigrams(text);
    let word = 0;
    /** Word of the token before; -1 for none. */
    let before = -1;
    const begins = (token: number): boolean => {
      while (word < words.length && words[word]!.end <= starts[token]!) word++;
      const within = word < words.length && words[word]!.start <= starts[token]! && ends[token]! <= words[word]!.end;
      const isNew = !within || before !== word;
      before = within ? word : -1;
      return isNew;
    };
    return { ids, ...numbered(ids, tokenizer.specialIds, begins) };
  };
}

/** Numbers units and labels each token with itself. */
function numbered(
  ids: Int32Array,
  specialIds: ReadonlySet<number>,
  begins: (token: number) => boolean,
): Pick<UnitTokens, 'units' | 'labels'> {
  const units = new Int32Array(ids.length);
  const labels = new Int32Array(ids.length);
  let unit = -1;
  for (let i = 0; i < ids.length; i++) {
    if (begins(i) || unit === -1) unit++;
    const special = specialIds.has(ids[i]!);
    units[i] = special ? -1 : unit;
    labels[i] = special ? -1 : ids[i]!;
  }
  return { units, labels };
}
