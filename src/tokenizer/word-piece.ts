/**
 * WordPiece: a word becomes the longest piece of the vocabulary that it starts with, then the longest continuing piece
 * (`##…`) of the rest, and so on; a word with a part that no piece covers is unknown as a whole, and so is an over-long one.
 * Source: Schuster and Nakajima, "Japanese and Korean voice search" (2012); Devlin et al., "BERT" (2019).
 */

/** Options of {@link wordPieceEncoder}. */
export interface WordPieceOptions {
  readonly unknownToken: string;
  readonly continuingPrefix: string;
  /** Longer words, in code points, are unknown. */
  readonly maxWordLength: number;
}

const cacheLimit = 1 << 16;

/** A function from words to pieces, with a bounded memory of the words it has seen. */
export function wordPieceEncoder(
  vocabulary: ReadonlyMap<string, number>,
  options: WordPieceOptions,
): (words: readonly string[]) => string[] {
  const { unknownToken, continuingPrefix, maxWordLength } = options;
  let longestPiece = 0;
  for (const piece of vocabulary.keys()) longestPiece = Math.max(longestPiece, piece.length);
  const unknown: readonly string[] = [unknownToken];
  const cache = new Map<string, readonly string[]>();

  const split = (word: string): readonly string[] => {
    if (word.length > maxWordLength && (word.length > 2 * maxWordLength || codePoints(word) > maxWordLength)) {
      return unknown;
    }
    const pieces: string[] = [];
    for (let start = 0; start < word.length; ) {
      const prefix = start === 0 ? '' : continuingPrefix;
      let end = Math.min(word.length, start + longestPiece - prefix.length);
      let piece = '';
      for (; end > start; end--) {
        piece = prefix + word.slice(start, end);
        if (vocabulary.has(piece)) break;
      }
      if (end <= start) return unknown;
      pieces.push(piece);
      start = end;
    }
    return pieces;
  };

  return (words) => {
    const result: string[] = [];
    for (const word of words) {
      let pieces = cache.get(word);
      if (pieces === undefined) {
        pieces = split(word);
        if (word.length <= maxWordLength) {
          if (cache.size >= cacheLimit) cache.clear();
          cache.set(word, pieces);
        }
      }
      for (const piece of pieces) result.push(piece);
    }
    return result;
  };
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
