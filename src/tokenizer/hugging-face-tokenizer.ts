/**
 * A {@link Tokenizer} on `@huggingface/tokenizers`. Truncation is Hugging Face's: the text gives way (at its end, or at its
 * start with `truncation_side: left`), the special tokens around it stay.
 */
import { badInput, LexrayError } from '../util/errors.ts';
import { type CutFinder, cutFinder } from './cut-text.ts';
import { buildPipeline, type Pipeline, placingPipeline } from './library-pipeline.ts';
import { type PlacedPiece, piecePlacer } from './placed-pieces.ts';
import type { PlacedTokens, SpecialTokens, TokenizeOptions, Tokenizer } from './tokenizer.ts';
import { type TokenizerJson, vocabularyOf } from './tokenizer-json.ts';

/** What `tokenizer_config.json` and `special_tokens_map.json` add to a `tokenizer.json`. */
export interface TokenizerSettings {
  /** Names of the special tokens by role. */
  readonly roles: Readonly<Partial<Record<keyof SpecialTokens, string>>>;
  readonly modelMaxLength: number | undefined;
  readonly truncationSide: 'left' | 'right';
  /** The folder, for errors. */
  readonly where: string;
}

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
  readonly #json: TokenizerJson;
  #place: ((text: string) => PlacedPiece[]) | undefined;
  readonly #where: string;

  /** @throws LexrayError BAD_INPUT when the pipeline cannot be built */
  constructor(json: TokenizerJson, settings: TokenizerSettings) {
    this.#where = settings.where;
    this.#json = json;
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
    const { opening, closing, limit } = this.#room(options);
    const ids = this.#textIds(text, limit);
    const count = Math.min(ids.length, limit);
    const result = new Int32Array(opening.length + count + closing.length);
    result.set(opening, 0);
    const first = this.#fromLeft ? ids.length - count : 0;
    for (let i = 0; i < count; i++) result[opening.length + i] = ids[first + i]!;
    result.set(closing, opening.length + count);
    return result;
  }

  encodePlaced(text: string, options: TokenizeOptions = {}): PlacedTokens {
    const { opening, closing, limit } = this.#room(options);
    this.#place ??= piecePlacer(placingPipeline(this.#json, this.#pipeline, this.#where));
    const pieces = this.#placedPieces(text, limit, this.#place);
    const count = Math.min(pieces.length, limit);
    const kept = this.#fromLeft ? pieces.slice(pieces.length - count) : pieces.slice(0, count);
    const ids = kept.map(({ token }) => this.#knownId(token));
    const around = (ids: readonly number[]): number[] => ids.map(() => -1);
    const framed = (inner: readonly number[], outer: (ids: readonly number[]) => readonly number[]): Int32Array =>
      Int32Array.from([...outer(opening), ...inner, ...outer(closing)]);
    return {
      ids: framed(ids, (special) => special),
      starts: framed(
        kept.map(({ start }) => start),
        around,
      ),
      ends: framed(
        kept.map(({ end }) => end),
        around,
      ),
    };
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

  /** The special tokens around a text, and how many ids there is room for between them. */
  #room({ maxLength, addSpecialTokens = true }: TokenizeOptions): {
    readonly opening: readonly number[];
    readonly closing: readonly number[];
    readonly limit: number;
  } {
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
    return { opening, closing, limit: maxLength === undefined ? Number.POSITIVE_INFINITY : maxLength - framed };
  }

  /** At least the first `limit` ids of the text without special tokens (all, when it has fewer), and perhaps more. */
  #textIds(text: string, limit: number): readonly number[] {
    return this.#encodeAtLeast(text, limit, (part) => this.#allIds(part));
  }

  #placedPieces(text: string, limit: number, place: (text: string) => PlacedPiece[]): readonly PlacedPiece[] {
    return this.#encodeAtLeast(text, limit, (part) => this.#guard('failed on a text', () => place(part)));
  }

  /** Encodes the start of a text where that is enough for `limit` ids, else all of it. */
  #encodeAtLeast<T>(text: string, limit: number, encode: (text: string) => readonly T[]): readonly T[] {
    if (limit <= 0 || text === '') return [];
    const valid = text.replace(/\p{Surrogate}/gu, '\uFFFD');
    if (this.#cut !== undefined) {
      for (let length = Math.max(512, 8 * limit); length < valid.length / 2; length *= 4) {
        const end = this.#cut(valid, length);
        if (end === undefined) break;
        const first = encode(valid.slice(0, end));
        if (first.length >= limit) return first;
      }
    }
    return encode(valid);
  }

  #allIds(text: string): readonly number[] {
    const ids: readonly (number | undefined)[] = this.#guard(
      'failed on a text',
      () => this.#pipeline.encode(text, { add_special_tokens: false }).ids,
    );
    if (ids.includes(undefined)) throw this.#unknownPiece();
    return ids as readonly number[];
  }

  #unknownPiece(): LexrayError {
    return badInput('the tokenizer has no token for a part of the text, and no unknown token', {
      where: this.#where,
      cure: 'set unk_token in tokenizer.json to a token of the vocabulary',
    });
  }

  #knownId(token: string): number {
    const id = this.#pipeline.token_to_id(token) ?? this.#pipeline.model?.unk_token_id;
    if (id === undefined || id < 0) throw this.#unknownPiece();
    return id;
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
