/**
 * A {@link Tokenizer} on `@huggingface/tokenizers`. Its BERT stages, byte-level splitting and models are replaced by
 * ours, which agree with the native library where it does not, and take bounded time on any text. Truncation is Hugging Face's: the text gives way
 * (at its end, or at its start with `truncation_side: left`), the special tokens around it stay.
 */
import * as huggingFace from '@huggingface/tokenizers';
import { badInput, LexrayError } from '../util/errors.ts';
import { bertNormalize, bertWords } from './bert-text.ts';
import { bytePairEncoder } from './byte-pair.ts';
import { type CutFinder, cutFinder } from './cut-text.ts';
import type { SpecialTokens, TokenizeOptions, Tokenizer } from './tokenizer.ts';
import { type TokenizerJson, vocabularyOf } from './tokenizer-json.ts';
import { normalizeBounded } from './unicode-normalize.ts';
import { wordPieceEncoder } from './word-piece.ts';

/** What `tokenizer_config.json` and `special_tokens_map.json` add to a `tokenizer.json`. */
export interface TokenizerSettings {
  /** Names of the special tokens by role. */
  readonly roles: Readonly<Partial<Record<keyof SpecialTokens, string>>>;
  readonly modelMaxLength: number | undefined;
  readonly truncationSide: 'left' | 'right';
  /** The folder, for errors. */
  readonly where: string;
}

/** The part of the library's tokenizer that is used here. */
interface Pipeline {
  readonly normalizer: { normalize: (text: string) => string } | null;
  readonly pre_tokenizer: PreTokenizer | null;
  readonly model: { encode: (words: readonly string[]) => readonly string[] } | null;
  readonly post_processor:
    | ((tokens: readonly string[], pair: null, addSpecialTokens: boolean) => { readonly tokens: readonly string[] })
    | null;
  encode(text: string, options: { add_special_tokens: boolean }): { readonly ids: readonly (number | undefined)[] };
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
}

/** A normalizer or pre-tokenizer class of the library. */
type StageClass = abstract new (...args: never) => object;

/** The library's type declarations do not resolve under Node's rules; this is what is used of it. */
const library = huggingFace as unknown as {
  readonly Tokenizer: new (json: TokenizerJson, config: object) => Pipeline;
  readonly BertPreTokenizer: StageClass;
  readonly ByteLevelPreTokenizer: StageClass;
};

interface PreTokenizer {
  pre_tokenize_text: (text: string) => readonly string[];
  /** The stages of a Sequence. */
  readonly tokenizers?: readonly (PreTokenizer | null)[];
}

/** GPT-2's word pattern with Unicode's white space, as the native library has it; JavaScript's `\s` adds U+FEFF. */
const byteLevelPattern =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

const placeholder = '\u0000text\u0000';

/** The tokenizer of a checked `tokenizer.json`. */
export class HuggingFaceTokenizer implements Tokenizer {
  readonly size: number;
  readonly specialTokens: SpecialTokens;
  readonly specialIds: ReadonlySet<number>;
  readonly modelMaxLength: number | undefined;
  readonly #pipeline: Pipeline;
  readonly #cut: CutFinder | undefined;
  readonly #opening: readonly number[];
  readonly #closing: readonly number[];
  readonly #fromLeft: boolean;
  readonly #where: string;

  /** @throws LexrayError BAD_INPUT when the pipeline cannot be built */
  constructor(json: TokenizerJson, settings: TokenizerSettings) {
    this.#where = settings.where;
    this.modelMaxLength = settings.modelMaxLength;
    this.#fromLeft = settings.truncationSide === 'left';
    const vocabulary = vocabularyOf(json.model);
    this.#pipeline = this.#guard('cannot be used', () => buildPipeline(json, vocabulary));
    this.#cut = this.#fromLeft ? undefined : cutFinder(json);
    let highest = -1;
    for (const id of vocabulary.values()) highest = Math.max(highest, id);
    for (const { id } of json.added_tokens) highest = Math.max(highest, id);
    this.size = highest + 1;
    [this.#opening, this.#closing] = this.#guard('has an unusable post-processor', () => this.#frame());
    const specialTokens: Record<string, number> = {};
    for (const [role, token] of Object.entries(settings.roles)) {
      const id = this.id(token);
      if (id !== undefined) specialTokens[role] = id;
    }
    this.specialTokens = specialTokens;
    this.specialIds = new Set([
      ...json.added_tokens.filter((token) => token.special).map((token) => token.id),
      ...Object.values(specialTokens),
    ]);
  }

  encode(text: string, options: TokenizeOptions = {}): Int32Array {
    const { maxLength, addSpecialTokens = true } = options;
    const opening = addSpecialTokens ? this.#opening : [];
    const closing = addSpecialTokens ? this.#closing : [];
    const framed = opening.length + closing.length;
    if (maxLength !== undefined && (!Number.isInteger(maxLength) || maxLength < Math.max(1, framed))) {
      throw new LexrayError(
        'USAGE',
        `maxLength must be an integer of at least ${Math.max(1, framed)}, got ${maxLength}`,
        {
          cure: framed > 0 ? `there must be room for the ${framed} special tokens` : 'pass a positive integer',
        },
      );
    }
    const limit = maxLength === undefined ? Number.POSITIVE_INFINITY : maxLength - framed;
    const ids = this.#textIds(text, limit);
    const count = Math.min(ids.length, limit);
    const result = new Int32Array(framed + count);
    result.set(opening, 0);
    const first = this.#fromLeft ? ids.length - count : 0;
    for (let i = 0; i < count; i++) result[opening.length + i] = ids[first + i]!;
    result.set(closing, opening.length + count);
    return result;
  }

  encodeBatch(texts: Iterable<string>, options: TokenizeOptions = {}): Int32Array[] {
    return Array.from(texts, (text) => this.encode(text, options));
  }

  token(id: number): string | undefined {
    return Number.isInteger(id) && id >= 0 ? this.#pipeline.id_to_token(id) : undefined;
  }

  id(token: string): number | undefined {
    return this.#pipeline.token_to_id(token);
  }

  /** At least the first `limit` ids of the text without special tokens (all, when it has fewer), and perhaps more. */
  #textIds(text: string, limit: number): readonly number[] {
    if (limit <= 0 || text === '') return [];
    const valid = text.replace(/\p{Surrogate}/gu, '\uFFFD');
    if (this.#cut !== undefined) {
      for (let length = Math.max(512, 8 * limit); length < valid.length / 2; length *= 4) {
        const end = this.#cut(valid, length);
        if (end === undefined) break;
        const ids = this.#allIds(valid.slice(0, end));
        if (ids.length >= limit) return ids;
      }
    }
    return this.#allIds(valid);
  }

  #allIds(text: string): readonly number[] {
    const ids: readonly (number | undefined)[] = this.#guard(
      'failed on a text',
      () => this.#pipeline.encode(text, { add_special_tokens: false }).ids,
    );
    if (ids.includes(undefined)) {
      throw badInput('the tokenizer has no token for a part of the text, and no unknown token', {
        where: this.#where,
        cure: 'set unk_token in tokenizer.json to a token of the vocabulary',
      });
    }
    return ids as readonly number[];
  }

  /** The ids that the post-processor puts before and after a text. */
  #frame(): readonly [number[], number[]] {
    const processed = this.#pipeline.post_processor?.([placeholder], null, true).tokens ?? [placeholder];
    const at = processed.indexOf(placeholder);
    if (at === -1 || processed.indexOf(placeholder, at + 1) !== -1) throw new Error('the text must occur in it once');
    const id = (token: string): number => {
      const value = this.id(token);
      if (value === undefined) throw new Error(`the vocabulary does not have its token ${JSON.stringify(token)}`);
      return value;
    };
    return [processed.slice(0, at).map(id), processed.slice(at + 1).map(id)];
  }

  #guard<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      if (cause instanceof LexrayError) throw cause;
      throw badInput(`the tokenizer ${what}: ${cause instanceof Error ? cause.message : String(cause)}`, {
        where: this.#where,
        cause,
        cure: 'save the tokenizer again with a current version of transformers',
      });
    }
  }
}

function buildPipeline(json: TokenizerJson, vocabulary: ReadonlyMap<string, number>): Pipeline {
  const pipeline = new library.Tokenizer(json, { clean_up_tokenization_spaces: false });
  const { normalizer, model } = json;
  if (normalizer?.type === 'BertNormalizer' && pipeline.normalizer !== null) {
    const options = {
      cleanText: normalizer.clean_text !== false,
      handleChineseChars: normalizer.handle_chinese_chars !== false,
      stripAccents: typeof normalizer.strip_accents === 'boolean' ? normalizer.strip_accents : null,
      lowercase: normalizer.lowercase !== false,
    };
    pipeline.normalizer.normalize = (text) => bertNormalize(text, options);
  } else if (pipeline.normalizer !== null) {
    const normalize = pipeline.normalizer.normalize.bind(pipeline.normalizer);
    pipeline.normalizer.normalize = (text) => normalizeBounded(text, normalize);
  }
  correctPreTokenizer(pipeline.pre_tokenizer);
  if (model.type === 'WordPiece' && pipeline.model !== null) {
    pipeline.model.encode = wordPieceEncoder(vocabulary, {
      unknownToken: model.unk_token as string,
      continuingPrefix: model.continuing_subword_prefix as string,
      maxWordLength: model.max_input_chars_per_word as number,
    });
  } else if (model.type === 'BPE' && pipeline.model !== null) {
    const encode = pipeline.model.encode.bind(pipeline.model);
    pipeline.model.encode = bytePairEncoder(model, vocabulary, encode) ?? encode;
  }
  return pipeline;
}

function correctPreTokenizer(stage: PreTokenizer | null): void {
  if (stage === null) return;
  if (stage instanceof library.BertPreTokenizer) stage.pre_tokenize_text = bertWords;
  if (stage instanceof library.ByteLevelPreTokenizer) Object.assign(stage, { pattern: byteLevelPattern });
  stage.tokenizers?.forEach(correctPreTokenizer);
}
