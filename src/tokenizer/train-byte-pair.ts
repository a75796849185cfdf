/**
 * Trains byte-level BPE as Hugging Face's BpeTrainer does with its ByteLevel alphabet: special tokens, the 256 characters of
 * bytes in code point order, then pieces by merging. Unlike WordPiece's, the native result is a function of the texts: the
 * merges are the same, ties included.
 */
import { badInput } from '../util/errors.ts';
import type { ProgressListener } from '../util/progress.ts';
import { byteCharacters, toByteCharacters } from './byte-level.ts';
import { type CountedWord, mergePieces } from './merge-pieces.ts';

/** Options of {@link trainBytePairs}. */
export interface TrainBytePairsOptions {
  /** The most tokens, special ones and bytes included. */
  readonly vocabularySize: number;
  /** Pairs that occur less often are not merged. @default 2 */
  readonly minFrequency?: number | undefined;
  /** First tokens of the vocabulary. */
  readonly specialTokens: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** A trained byte-level vocabulary. */
export interface BytePairs {
  /** By id. */
  readonly tokens: readonly string[];
  /** Pairs of tokens, best first. */
  readonly merges: readonly (readonly [string, string])[];
}

/**
 * Trains on counted words.
 * @param counts words as {@link byteLevelWords} gives them
 * @throws LexrayError BAD_INPUT when there is no word
 */
export function trainBytePairs(
  counts: Iterable<readonly [string, number]>,
  { vocabularySize, minFrequency = 2, specialTokens, signal, onProgress }: TrainBytePairsOptions,
): BytePairs {
  const tokens = [...specialTokens, ...[...byteCharacters].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const words: CountedWord[] = [];
  for (const [word, count] of counts) {
    words.push({ pieces: Array.from(toByteCharacters(word), (character) => ids.get(character)!), count });
  }
  if (words.length === 0) {
    throw badInput('the texts to train a tokenizer on have no word', { cure: 'check that the texts are not empty' });
  }
  const merges = mergePieces(words, tokens, { vocabularySize, minFrequency, continuingPrefix: '', signal, onProgress });
  return { tokens, merges: merges.map(([first, second]) => [tokens[first]!, tokens[second]!]) };
}
