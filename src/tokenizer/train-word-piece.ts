/**
 * Trains a WordPiece vocabulary as Hugging Face's WordPieceTrainer does (a byte-pair merger with the prefix `##`):
 * special tokens, the alphabet, the alphabet with the prefix, then pieces by merging. The native trainer numbers the
 * prefixed alphabet by the order of a hash table, and so breaks ties among equally frequent pairs in another way at
 * each run; here it is numbered by code point, and the result is a function of the texts.
 */
import { badInput, LexrayError } from '../util/errors.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import { bertSpecialTokens, bertTokenizerJson } from './bert-tokenizer-json.ts';
import { countWords } from './count-words.ts';
import { type CountedWord, mergePieces } from './merge-pieces.ts';
import { type TokenizerJson, tokenIdLimit } from './tokenizer-json.ts';

/** Options of {@link trainWordPiece}. */
export interface TrainWordPieceOptions {
  /** The most tokens, special ones and alphabet included. Fewer result when the texts have no more frequent pairs. */
  readonly vocabularySize: number;
  /** @default true */
  readonly lowercase?: boolean;
  /** Remove accents; null does it when lowercasing. @default null */
  readonly stripAccents?: boolean | null;
  /** Pairs that occur less often are not merged. @default 2 */
  readonly minFrequency?: number;
  /** The most characters in the alphabet, the most frequent are kept; rarer ones are dropped from their words. @default 1000 */
  readonly limitAlphabet?: number;
  /** First tokens of the vocabulary; [UNK], [CLS] and [SEP] must be among them. @default [PAD] [UNK] [CLS] [SEP] [MASK] */
  readonly specialTokens?: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

const continuingPrefix = '##';

/**
 * Trains a BERT tokenizer on texts.
 * @returns a `tokenizer.json` for {@link writeTokenizer} and {@link tokenizerFromJson}
 * @throws LexrayError USAGE for bad options, BAD_INPUT when the texts have no word
 */
export function trainWordPiece(texts: Iterable<string>, options: TrainWordPieceOptions): TokenizerJson {
  const { lowercase = true, stripAccents = null, specialTokens = bertSpecialTokens } = options;
  checkOptions(options, specialTokens);
  const counts = countWords(texts, {
    lowercase,
    stripAccents,
    signal: options.signal,
    onProgress: options.onProgress,
  });
  const tokens = trainVocabulary(counts, options);
  return bertTokenizerJson(tokens, { lowercase, stripAccents, specialTokens });
}

/**
 * Trains the vocabulary alone, from counted words (see {@link countWords}).
 * @returns the tokens, by id
 */
export function trainVocabulary(counts: ReadonlyMap<string, number>, options: TrainWordPieceOptions): string[] {
  const { vocabularySize, minFrequency = 2, limitAlphabet = 1000, specialTokens = bertSpecialTokens } = options;
  checkOptions(options, specialTokens);
  if (counts.size === 0) {
    throw badInput('the texts to train a tokenizer on have no word', { cure: 'check that the texts are not empty' });
  }
  const alphabet = frequentCharacters(counts, limitAlphabet);
  const kept = new Set([...specialTokens, ...alphabet]);
  const inside = new Set<string>();
  for (const word of counts.keys()) {
    let first = true;
    for (const character of word) {
      if (!first && kept.has(character)) inside.add(character);
      first = false;
    }
  }
  const tokens = [
    ...new Set([
      ...specialTokens,
      ...alphabet,
      ...[...inside].sort(byCodePoint).map((character) => continuingPrefix + character),
    ]),
  ];
  if (tokens.length > vocabularySize) {
    options.onWarning?.(
      `the special tokens and the alphabet alone are ${tokens.length} tokens, more than vocabularySize ${vocabularySize}: nothing is merged`,
    );
  }
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const words: CountedWord[] = [];
  for (const [word, count] of counts) {
    const pieces: number[] = [];
    let first = true;
    for (const character of word) {
      if (kept.has(character)) pieces.push(ids.get(first ? character : continuingPrefix + character)!);
      first = false;
    }
    words.push({ pieces, count });
  }
  mergePieces(words, tokens, {
    vocabularySize,
    minFrequency,
    continuingPrefix,
    signal: options.signal,
    onProgress: options.onProgress,
  });
  return tokens;
}

/** The most frequent characters, in code point order; of equally frequent ones the smaller code points are kept. */
function frequentCharacters(counts: ReadonlyMap<string, number>, limit: number): string[] {
  const frequencies = new Map<string, number>();
  for (const [word, count] of counts) {
    for (const character of word) frequencies.set(character, (frequencies.get(character) ?? 0) + count);
  }
  return [...frequencies]
    .sort(([a, m], [b, n]) => n - m || byCodePoint(a, b))
    .slice(0, limit)
    .map(([character]) => character)
    .sort(byCodePoint);
}

function byCodePoint(a: string, b: string): number {
  return a.codePointAt(0)! - b.codePointAt(0)!;
}

function checkOptions(options: TrainWordPieceOptions, specialTokens: readonly string[]): void {
  const integer = (name: string, value: number | undefined, least: number): void => {
    if (value !== undefined && (!Number.isInteger(value) || value < least || value >= tokenIdLimit)) {
      throw new LexrayError('USAGE', `${name} must be an integer from ${least} to ${tokenIdLimit - 1}, got ${value}`);
    }
  };
  integer('vocabularySize', options.vocabularySize, specialTokens.length + 1);
  integer('minFrequency', options.minFrequency, 0);
  integer('limitAlphabet', options.limitAlphabet, 1);
  const missing = ['[UNK]', '[CLS]', '[SEP]'].filter((token) => !specialTokens.includes(token));
  if (missing.length > 0 || new Set(specialTokens).size !== specialTokens.length || specialTokens.includes('')) {
    throw new LexrayError(
      'USAGE',
      `specialTokens must be distinct and contain [UNK], [CLS] and [SEP], got ${specialTokens.join(' ')}`,
    );
  }
}
