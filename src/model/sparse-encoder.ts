/**
 * The public encoder: texts in, sparse vectors out, in the order of the texts and in bounded memory. Texts are read in
 * windows; a window is tokenized, sorted by length and cut into batches of about equal size, while the engine still
 * works on the window before.
 */

import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { modelShape } from '../checkpoint/families/registry.ts';
import { openModelFolder } from '../checkpoint/layouts/model-folder.ts';
import type { LexrayModelPolicy } from '../checkpoint/layouts/model-policy.ts';
import type { Engine } from '../compute/runtime/engine.ts';
import { openOrtEngine } from '../compute/runtime/ort-engine.ts';
import { checkVocabulary } from '../tokenizer/check-vocabulary.ts';
import { loadTokenizer } from '../tokenizer/load-tokenizer.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { badInput, LexrayError, throwIfAborted } from '../util/errors.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import { keepTopTerms } from '../vectors/prune/keep-top-terms.ts';
import { emptyVector, type SparseVector } from '../vectors/sparse-vector.ts';
import { BatchEncoder } from './batch-encoder.ts';
import { modelVariables } from './splade-graph.ts';
import type { SpladeActivation } from './splade-pooling.ts';

/** What a text is; prompts and maximum lengths may differ. */
export type TextKind = 'query' | 'document';

/** Options of {@link SparseEncoder.load}. */
export interface LoadEncoderOptions {
  /** Threads of the engine. @default the number of cores */
  readonly threads?: number | undefined;
  /** Most tokens of a text, special tokens included. @default what the model records */
  readonly maxLength?: number | undefined;
  /** An engine without variables, to be used and disposed of by the encoder. @default onnxruntime */
  readonly engine?: Engine | undefined;
  readonly onWarning?: WarningListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link SparseEncoder.encode}. */
export interface EncodeOptions {
  /** What the texts are. */
  readonly kind: TextKind;
  /** Keep only the heaviest terms of a vector. @default the model's own limit, else all */
  readonly maxActiveDims?: number | undefined;
  /** Tokens of a batch, padding included. @default 4096 */
  readonly batchTokens?: number | undefined;
  /** Number of texts, if known, for progress. */
  readonly total?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** A model that is ready on an engine. */
export interface EncoderParts {
  readonly engine: Engine;
  readonly config: ModelConfig;
  readonly activation: SpladeActivation;
  readonly tokenizer: Tokenizer;
  readonly policy: LexrayModelPolicy;
  /** Heaviest terms kept in a vector. @default all */
  readonly maxActiveDims?: number | undefined;
}

/** Texts that are tokenized and sorted together, and their characters: whichever is reached first. */
const windowSize = 1024;
const windowCharacters = 8 << 20;
/** Sequences of a batch at most: the engine returns a dense row for each. */
const batchSequences = 128;

/** Encodes texts into sparse vectors. */
export class SparseEncoder {
  readonly tokenizer: Tokenizer;
  readonly policy: LexrayModelPolicy;
  /** Terms of the vocabulary: the width of the vectors. */
  readonly dimensions: number;
  readonly #engine: Engine;
  readonly #batches: BatchEncoder;
  readonly #dropped: ReadonlySet<number>;
  readonly #maxActiveDims: number | undefined;

  /** An encoder over variables that are already in an engine; disposing of the encoder disposes of the engine. */
  constructor(parts: EncoderParts) {
    this.tokenizer = parts.tokenizer;
    this.policy = parts.policy;
    this.dimensions = parts.config.vocab_size;
    this.#engine = parts.engine;
    this.#maxActiveDims = parts.maxActiveDims;
    this.#batches = new BatchEncoder(parts.engine, parts.config, parts.activation);
    this.#dropped = parts.policy.specialTokens === 'drop' ? parts.tokenizer.specialIds : new Set();
  }

  /**
   * Opens a model folder (a bare Hugging Face MLM, or a sentence-transformers SparseEncoder).
   * @throws LexrayError BAD_INPUT when the folder does not fit, ENGINE_MISSING without onnxruntime-node
   */
  static async load(folder: string, options: LoadEncoderOptions = {}): Promise<SparseEncoder> {
    const { onWarning } = options;
    const model = await openModelFolder(folder, onWarning ? { onWarning } : {});
    let engine = options.engine;
    try {
      const { config } = model.checkpoint;
      if (model.pooling.strategy !== 'max') {
        throw badInput(`expected max pooling, got ${model.pooling.strategy}`, {
          where: folder,
          cure: 'sum pooling is not supported yet',
        });
      }
      const tokenizer = await loadTokenizer(model.tokenizerFolder);
      checkVocabulary(tokenizer, config.vocab_size, { where: folder, onWarning });
      const policy = withMaxLength(model.policy, options.maxLength, modelShape(config).maxPositions);
      throwIfAborted(options.signal);
      engine ??= await openOrtEngine(options.threads === undefined ? {} : { threads: options.threads });
      await engine.createVariables(modelVariables(config, false));
      for await (const { name, data } of model.checkpoint.loadWeights()) {
        throwIfAborted(options.signal);
        await engine.writeVariable(name, 'value', data);
      }
      return new SparseEncoder({
        engine,
        config,
        activation: model.pooling.activation,
        tokenizer,
        policy,
        maxActiveDims: model.maxActiveDims,
      });
    } catch (error) {
      await engine?.dispose();
      throw error;
    } finally {
      await model.close();
    }
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

  async dispose(): Promise<void> {
    await this.#engine.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  async #encodeWindow(
    texts: readonly string[],
    options: EncodeOptions,
    { stopped, encoded }: { stopped: () => boolean; encoded: (count: number) => void },
  ): Promise<SparseVector[]> {
    const maxLength = this.policy.maxLength[options.kind];
    const maxActiveDims = options.maxActiveDims ?? this.#maxActiveDims;
    const sequences = texts.map((text) =>
      this.tokenizer.encode(preparedText(text, options.kind, this.policy), { maxLength }),
    );
    const vectors = new Array<SparseVector>(texts.length).fill(emptyVector);
    const withoutTokens = sequences.filter(({ length }) => length === 0).length;
    if (withoutTokens > 0) encoded(withoutTokens);
    const running = new Set<Promise<void>>();
    for (const batch of lengthSortedBatches(sequences, options.batchTokens ?? 4096)) {
      if (stopped()) break;
      throwIfAborted(options.signal);
      const run = async (): Promise<void> => {
        const rows = await this.#batches.encode(
          batch.map((i) => sequences[i]!),
          this.#dropped,
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

/** The policy with another maximum length for both kinds of text. */
function withMaxLength(policy: LexrayModelPolicy, maxLength: number | undefined, limit: number): LexrayModelPolicy {
  if (maxLength === undefined) return policy;
  if (!Number.isInteger(maxLength) || maxLength < 1 || maxLength > limit) {
    throw new LexrayError('USAGE', `a maximum length from 1 to ${limit} tokens expected, got ${maxLength}`, {
      cure: 'the model has no positions beyond its limit',
    });
  }
  return { ...policy, maxLength: { query: maxLength, document: maxLength } };
}

/** Batches of positions, longest texts first, each within the token budget; texts without tokens are left out. */
export function* lengthSortedBatches(sequences: readonly Int32Array[], batchTokens: number): Generator<number[]> {
  const order = sequences.map((_, i) => i).filter((i) => sequences[i]!.length > 0);
  order.sort((a, b) => sequences[b]!.length - sequences[a]!.length || a - b);
  let batch: number[] = [];
  let longest = 0;
  for (const i of order) {
    if (batch.length === 0) longest = sequences[i]!.length;
    if (batch.length > 0 && (batch.length === batchSequences || (batch.length + 1) * longest > batchTokens)) {
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
