/**
 * The public encoder: texts in, sparse vectors out, in the order of the texts and in bounded memory. Texts are read in
 * windows; a window is tokenized, sorted by length and cut into batches of about equal size, while the engine still
 * works on the window before.
 */

import { modelShape } from '../checkpoint/families/registry.ts';
import type { LexrayModelPolicy } from '../checkpoint/layouts/model-policy.ts';
import type { Engine } from '../compute/runtime/engine.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { LexrayError, throwIfAborted } from '../util/errors.ts';
import type { ProgressListener } from '../util/progress.ts';
import { keepTopTerms } from '../vectors/prune/keep-top-terms.ts';
import { emptyVector, type SparseVector } from '../vectors/sparse-vector.ts';
import { BatchEncoder } from './batch-encoder.ts';
import { droppedTerms } from './dropped-terms.ts';
import type { EncoderParts, QueryParts, TextKind } from './encoder-parts.ts';
import { type LoadEncoderOptions, loadEncoderParts } from './load-encoder-parts.ts';
import { StaticEncoder } from './static-encoder.ts';

/** Options of {@link SparseEncoder.encode}. */
export interface EncodeOptions {
  /** What the texts are. */
  readonly kind: TextKind;
  /** Keep only the heaviest terms of a vector. @default the model's own limit, else all */
  readonly maxActiveDims?: number | undefined;
  /** Tokens of a batch, padding included. @default 4096 */
  readonly batchTokens?: number | undefined;
  /** Texts of a batch at most: the engine returns a dense row for each. @default 128 */
  readonly batchSize?: number | undefined;
  /** Number of texts, if known, for progress. */
  readonly total?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** How the texts of one kind become vectors. */
interface Side {
  readonly tokenizer: Tokenizer;
  readonly addSpecialTokens: boolean;
  readonly casing: LexrayModelPolicy['casing'];
  readonly dropped: ReadonlySet<number>;
  readonly batches: Pick<BatchEncoder, 'encode'>;
}

/** Texts that are tokenized and sorted together, and their characters: whichever is reached first. */
const windowSize = 1024;
const windowCharacters = 8 << 20;
const defaultBatchTokens = 4096;
const defaultBatchSize = 128;

/** Encodes texts into sparse vectors. */
export class SparseEncoder {
  /** The documents' tokenizer. */
  readonly tokenizer: Tokenizer;
  readonly policy: LexrayModelPolicy;
  /** Terms of the vocabulary: the width of the vectors. */
  readonly dimensions: number;
  readonly #terms: readonly string[] | undefined;
  /** How queries are encoded: as documents are, by an encoder of their own, or by token weights without a model. */
  readonly queryEncoder: 'shared' | 'encoder' | 'static';
  readonly #engine: Engine | undefined;
  readonly #sides: ReadonlyMap<TextKind, Side>;
  readonly #maxActiveDims: number | undefined;

  /** An encoder over variables that are already in an engine; disposing of the encoder disposes of the engine. */
  constructor(parts: EncoderParts) {
    this.tokenizer = parts.tokenizer;
    this.policy = parts.policy;
    this.dimensions = modelShape(parts.config).vocabularySize;
    this.#terms = parts.outputVocabulary?.terms;
    this.#engine = parts.engine;
    this.#maxActiveDims = parts.maxActiveDims;
    this.queryEncoder = parts.query?.kind ?? 'shared';
    const kinds = parts.kinds ?? (['query', 'document'] as const);
    const shared: QueryParts = { kind: 'encoder', ...parts };
    const sides = new Map<QueryParts, Side>();
    this.#sides = new Map(
      kinds.map((kind) => {
        const own = (kind === 'query' ? parts.query : undefined) ?? shared;
        const side = sides.get(own) ?? sideOf(parts.engine, own, parts.policy);
        sides.set(own, side);
        return [kind, side];
      }),
    );
  }

  /**
   * Opens a model folder (a bare Hugging Face MLM, or a sentence-transformers SparseEncoder, which may have separate
   * encoders for queries and documents).
   * @throws LexrayError BAD_INPUT when the folder does not fit, ENGINE_MISSING without onnxruntime-node
   */
  static async load(folder: string, options: LoadEncoderOptions = {}): Promise<SparseEncoder> {
    return new SparseEncoder(await loadEncoderParts(folder, options));
  }

  /**
   * The vectors of texts, in their order. A text without tokens has an empty vector. Whoever stops reading early stops
   * the work as well: the iterator ends when the batches that are on the engine have come back.
   * @throws LexrayError INTERRUPTED when the signal fires, FAILED when the engine fails or a weight is not finite, and
   * whatever reading the texts throws
   */
  async *encode(texts: Iterable<string> | AsyncIterable<string>, options: EncodeOptions): AsyncGenerator<SparseVector> {
    const unfinished = new Set<Promise<SparseVector[]>>();
    let stopped = false;
    let previous: Promise<SparseVector[]> | undefined;
    let done = 0;
    const encoded = (count: number): void => {
      done += count;
      options.onProgress?.({
        phase: `encode ${options.kind === 'query' ? 'queries' : 'documents'}`,
        done,
        unit: 'texts',
        ...(options.total === undefined ? {} : { total: options.total }),
      });
    };
    try {
      for await (const window of windows(texts)) {
        throwIfAborted(options.signal);
        const current = this.#encodeWindow(window, options, { stopped: () => stopped, encoded });
        unfinished.add(current);
        const forget = (): boolean => unfinished.delete(current);
        current.then(forget, forget); // it is awaited later; until then a failure must not count as unhandled
        if (previous) yield* await previous;
        previous = current;
      }
      if (previous) yield* await previous;
    } finally {
      stopped = true;
      await Promise.allSettled(unfinished);
    }
  }

  /** The vector of one text. */
  async encodeOne(text: string, options: EncodeOptions): Promise<SparseVector> {
    const [vector] = await this.#encodeWindow([text], options, { stopped: () => false, encoded: () => {} });
    return vector!;
  }

  /** The term of a dimension: a token, or a unigram of the output vocabulary; undefined when there is none. */
  term(dimension: number): string | undefined {
    return this.#terms === undefined ? this.tokenizer.token(dimension) : this.#terms[dimension];
  }

  /** The token ids of a text as its side of the model takes them: prompt, casing, length and special tokens. */
  tokenize(text: string, kind: TextKind): Int32Array {
    const { tokenizer, addSpecialTokens, casing } = this.#side(kind);
    const maxLength = this.policy.maxLength[kind];
    return tokenizer.encode(preparedText(text, kind, { ...this.policy, casing }), { maxLength, addSpecialTokens });
  }

  async dispose(): Promise<void> {
    await this.#engine?.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #side(kind: TextKind): Side {
    const side = this.#sides.get(kind);
    if (side !== undefined) return side;
    throw new LexrayError(
      'USAGE',
      `the model was opened for a ${[...this.#sides.keys()].join(', ')}, not for a ${kind}`,
      {
        cure: 'open it for this kind of text too',
      },
    );
  }

  async #encodeWindow(
    texts: readonly string[],
    options: EncodeOptions,
    { stopped, encoded }: { stopped: () => boolean; encoded: (count: number) => void },
  ): Promise<SparseVector[]> {
    const maxActiveDims = options.maxActiveDims ?? this.#maxActiveDims;
    const { batches, dropped } = this.#side(options.kind);
    const sequences = texts.map((text) => this.tokenize(text, options.kind));
    const vectors = new Array<SparseVector>(texts.length).fill(emptyVector);
    const withoutTokens = sequences.filter(({ length }) => length === 0).length;
    if (withoutTokens > 0) encoded(withoutTokens);
    const running = new Set<Promise<void>>();
    for (const batch of lengthSortedBatches(sequences, options.batchTokens ?? defaultBatchTokens, options.batchSize)) {
      if (stopped()) break;
      throwIfAborted(options.signal);
      const run = async (): Promise<void> => {
        const rows = await batches.encode(
          batch.map((i) => sequences[i]!),
          dropped,
        );
        batch.forEach((i, at) => {
          vectors[i] = maxActiveDims === undefined ? rows[at]! : keepTopTerms(rows[at]!, maxActiveDims);
        });
        encoded(batch.length);
      };
      // A batch that fails stays among those that run, so that whoever waits for them fails as well.
      const tracked = run().then(() => void running.delete(tracked));
      tracked.catch(() => {}); // as above
      running.add(tracked);
      if (running.size >= 2) await Promise.race(running);
    }
    await Promise.all(running);
    return vectors;
  }
}

/** A text as it goes to the tokenizer: with its prompt, lower-cased when the model asks for it. */
export function preparedText(text: string, kind: TextKind, policy: LexrayModelPolicy): string {
  const prompted = policy.prompts[kind] + text;
  return policy.casing === 'lower' ? prompted.toLowerCase() : prompted;
}

/** @throws LexrayError USAGE when there is no engine for a transformer */
function sideOf(engine: Engine | undefined, parts: QueryParts, policy: LexrayModelPolicy): Side {
  const { tokenizer, casing = policy.casing } = parts;
  if (parts.kind === 'static') {
    const dropped: ReadonlySet<number> = policy.specialTokens === 'drop' ? tokenizer.specialIds : new Set();
    return { tokenizer, casing, dropped, addSpecialTokens: false, batches: new StaticEncoder(parts.weights) };
  }
  if (engine === undefined) throw new LexrayError('USAGE', 'a transformer needs an engine');
  const batches = new BatchEncoder(engine, parts.config, parts);
  const dropped = droppedTerms(policy, parts.config, tokenizer);
  return { tokenizer, casing, dropped, addSpecialTokens: true, batches };
}

/** Batches of positions, longest texts first, each within the token budget; texts without tokens are left out. */
export function* lengthSortedBatches(
  sequences: readonly Int32Array[],
  batchTokens: number,
  batchSize: number = defaultBatchSize,
): Generator<number[]> {
  const order = sequences.map((_, i) => i).filter((i) => sequences[i]!.length > 0);
  order.sort((a, b) => sequences[b]!.length - sequences[a]!.length || a - b);
  let batch: number[] = [];
  let longest = 0;
  for (const i of order) {
    if (batch.length === 0) longest = sequences[i]!.length;
    if (batch.length > 0 && (batch.length >= batchSize || (batch.length + 1) * longest > batchTokens)) {
      yield batch;
      batch = [];
      longest = sequences[i]!.length;
    }
    batch.push(i);
  }
  if (batch.length > 0) yield batch;
}

async function* windows(texts: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string[]> {
  let window: string[] = [];
  let characters = 0;
  for await (const text of texts) {
    window.push(text);
    characters += text.length;
    if (window.length === windowSize || characters >= windowCharacters) {
      yield window;
      window = [];
      characters = 0;
    }
  }
  if (window.length > 0) yield window;
}
