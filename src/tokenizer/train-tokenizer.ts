/**
 * Trains a tokenizer on a stream of texts: WordPiece as BERT has it, or byte-level BPE as RoBERTa and ModernBERT have it.
 * The trainers agree with Hugging Face's (docs/decisions/0006).
 */
import { LexrayError } from '../util/errors.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import { bertWords } from './bert-text.ts';
import { bertSpecialTokens, bertTokenizerJson } from './bert-tokenizer-json.ts';
import { byteLevelWords } from './byte-level.ts';
import { type BytePairStyle, bytePairSpecialTokens, bytePairTokenizerJson } from './byte-pair-tokenizer-json.ts';
import { type CountStreamWordsOptions, countStreamWords, type StreamWords } from './count-stream-words.ts';
import { normalizerOf } from './normalizer.ts';
import type { TokenizerJson, TokenizerStage } from './tokenizer-json.ts';
import { trainBytePairs } from './train-byte-pair.ts';
import { trainVocabulary } from './train-word-piece.ts';

/** Options of {@link trainTokenizer}. */
export interface TrainTokenizerOptions extends Omit<CountStreamWordsOptions, 'wordsOf'> {
  readonly type: 'wordpiece' | 'byte-bpe';
  /** The most tokens; fewer result when the texts have no more frequent pairs. */
  readonly vocabularySize: number;
  /** Special tokens and frame of byte-level BPE; WordPiece has BERT's. @default 'roberta' */
  readonly style?: BytePairStyle | undefined;
  /** @default true for WordPiece, false for byte-level BPE */
  readonly lowercase?: boolean | undefined;
  /** Remove accents, WordPiece only. @default whether it lower-cases, as BERT */
  readonly stripAccents?: boolean | undefined;
  /**
   * Unicode normalization before all else. With `nfc` or `nfkc` words are composed again where accents are stripped, so that
   * Hangul stays in syllables. @default 'none'
   */
  readonly normalization?: 'none' | 'nfc' | 'nfkc' | undefined;
  /** Pairs that occur less often are not merged. @default 2 */
  readonly minFrequency?: number | undefined;
  /** Characters in the alphabet of WordPiece at most. @default 1000, or as many as there are up to a sixth of the vocabulary */
  readonly limitAlphabet?: number | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** A trained tokenizer. */
export interface TrainedTokenizer {
  readonly json: TokenizerJson;
  /** Tokens of it. */
  readonly size: number;
  /** What it was trained on, without the words. */
  readonly counted: Omit<StreamWords, 'counts'>;
}

const leastSize: Readonly<Record<TrainTokenizerOptions['type'], number>> = { wordpiece: 6, 'byte-bpe': 262 };

/**
 * Trains a tokenizer.
 * @throws LexrayError USAGE for bad options; BAD_INPUT when the texts have no word; INTERRUPTED when the signal fires
 */
export async function trainTokenizer(
  texts: Iterable<string> | AsyncIterable<string>,
  options: TrainTokenizerOptions,
): Promise<TrainedTokenizer> {
  const { type, vocabularySize, style = 'roberta', minFrequency, signal, onProgress, onWarning } = options;
  checkOptions(options);
  const normalizer = normalizerStage(options);
  const normalize = normalizerOf(normalizer)!;
  const split = type === 'wordpiece' ? bertWords : byteLevelWords;
  const { counts, ...counted } = await countStreamWords(texts, {
    ...options,
    wordsOf: (text) => split(normalize(text)),
  });
  if (counted.occurrencesLeftOut > 0) {
    onWarning?.(
      `the ${counted.distinct - counts.size} rarest of ${counted.distinct} different words are left out, with ${counted.occurrencesLeftOut} of ${counted.occurrences} occurrences`,
    );
  }
  const progress = { ...(minFrequency === undefined ? {} : { minFrequency }), signal, onProgress, onWarning };
  if (type === 'byte-bpe') {
    const pairs = trainBytePairs(counts, { ...progress, vocabularySize, specialTokens: bytePairSpecialTokens[style] });
    return { json: bytePairTokenizerJson(pairs, { style, normalizer }), size: pairs.tokens.length, counted };
  }
  // With a normalization, syllables are composed again; what is left are jamo that the texts have.
  if (normalizer?.type !== 'Sequence' && isTakenApart(counts)) {
    onWarning?.(
      'stripping accents takes Hangul syllables apart: pieces will be of jamo. With normalization nfc or nfkc, or with accents kept, they stay whole',
    );
  }
  const limitAlphabet = options.limitAlphabet ?? alphabetLimit(counts, vocabularySize);
  const tokens = trainVocabulary(counts, { ...progress, vocabularySize, limitAlphabet });
  const json = bertTokenizerJson(tokens, { specialTokens: bertSpecialTokens });
  return { json: { ...json, normalizer }, size: tokens.length, counted };
}

/** The normalizer that the options ask for. */
function normalizerStage(options: TrainTokenizerOptions): TokenizerStage | null {
  const { type, lowercase = type === 'wordpiece', stripAccents = lowercase, normalization = 'none' } = options;
  const form = normalization === 'none' ? [] : [{ type: normalization.toUpperCase() }];
  if (type === 'byte-bpe') return sequence([...form, ...(lowercase ? [{ type: 'Lowercase' }] : [])]);
  const bert = {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: stripAccents === lowercase ? null : stripAccents,
    lowercase,
  };
  return sequence([...form, bert, ...(stripAccents && form.length > 0 ? [{ type: 'NFC' }] : [])]);
}

function sequence(stages: readonly TokenizerStage[]): TokenizerStage | null {
  if (stages.length < 2) return stages[0] ?? null;
  return { type: 'Sequence', normalizers: stages };
}

/** Whether words have the parts of Hangul syllables. */
function isTakenApart(counts: ReadonlyMap<string, number>): boolean {
  for (const word of counts.keys()) if (/[\u1100-\u11ff]/.test(word)) return true;
  return false;
}

/**
 * BERT's alphabet is limited to 1,000 characters, which is too few for scripts of thousands: characters left out make their
 * whole word unknown. Where the texts have more, up to a third of the vocabulary is for characters, which are in it twice:
 * at the start of words and inside.
 */
function alphabetLimit(counts: ReadonlyMap<string, number>, vocabularySize: number): number {
  const characters = new Set<string>();
  for (const word of counts.keys()) for (const character of word) characters.add(character);
  return Math.max(1000, Math.min(characters.size, Math.floor(vocabularySize / 6)));
}

function checkOptions(options: TrainTokenizerOptions): void {
  const { type, vocabularySize, style, stripAccents } = options;
  const usage = (message: string): LexrayError => new LexrayError('USAGE', message);
  if (!Number.isInteger(vocabularySize) || vocabularySize < leastSize[type]) {
    throw usage(`the vocabulary of ${type} needs at least ${leastSize[type]} tokens, got ${vocabularySize}`);
  }
  if (type === 'byte-bpe' && stripAccents === true) {
    throw usage('accents are stripped by WordPiece only: byte-level BPE spells every text');
  }
  if (type === 'wordpiece' && style !== undefined) throw usage('WordPiece has the special tokens of BERT');
}
