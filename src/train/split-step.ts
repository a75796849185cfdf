/**
 * A training step in three parts, so that a batch may be larger than memory and its two sides may have encoders of their own
 * (gradient caching: Gao et al., arXiv 2101.06983):
 *
 *     1. term weights of all texts, chunk by chunk, without gradients
 *     2. the objective on all of them, and its gradient G with respect to the weights
 *     3. chunk by chunk again: the gradient of Σ w·G, added up over the chunks
 *
 * Its gradient is that of the whole batch, exactly: dropout draws the same masks in both passes. The price is a second
 * forward pass, and the weights of the batch, V × texts, in memory twice.
 */
import { addGradients, gradientsOf } from '../compute/graph/autodiff.ts';
import { Graph } from '../compute/graph/graph.ts';
import { Mul, sumAll } from '../compute/graph/ops/index.ts';
import type { Engine, Program, Tensor } from '../compute/runtime/engine.ts';
import type { Objective } from './objective.ts';
import type { PreparedTexts, SideEncoder, SideGraph, StepSeed } from './side-encoder.ts';
import {
  type Encoders,
  relevanceOf,
  type StepResult,
  type StepSettings,
  type TrainingBatch,
  type TrainingStep,
} from './training-step.ts';

/** Options of {@link SplitStep}. */
export interface SplitStepOptions {
  /** Texts whose activations are in memory at a time. @default those of a side */
  readonly chunkSize?: number | undefined;
}

/** A step in three parts. */
export class SplitStep implements TrainingStep {
  readonly #engine: Engine;
  readonly #queries: ChunkedEncoder;
  readonly #documents: ChunkedEncoder;
  readonly #objective: Objective;
  readonly #chunkSize: number;
  readonly #vocabularySize: number;
  #compiledObjective: Promise<Program> | undefined;

  /** @param vocabularySize terms of the vocabulary, V */
  constructor(
    engine: Engine,
    encoders: Encoders,
    objective: Objective,
    vocabularySize: number,
    options: SplitStepOptions = {},
  ) {
    this.#engine = engine;
    this.#objective = objective;
    this.#vocabularySize = vocabularySize;
    this.#chunkSize = options.chunkSize ?? Number.POSITIVE_INFINITY;
    if ('shared' in encoders) {
      this.#queries = new ChunkedEncoder(engine, encoders.shared, vocabularySize);
      this.#documents = this.#queries;
    } else {
      this.#queries = new ChunkedEncoder(engine, encoders.queries, vocabularySize);
      this.#documents = new ChunkedEncoder(engine, encoders.documents, vocabularySize);
    }
  }

  async run(batch: TrainingBatch, settings: StepSettings): Promise<StepResult> {
    const queryChunks = this.#split(batch.queries, this.#queries, settings, 0);
    const documentChunks = this.#split(batch.documents, this.#documents, settings, queryChunks.length);
    const queries = this.#matrix(batch.queries.length);
    const documents = this.#matrix(batch.documents.length);
    for (const chunk of queryChunks) await this.#queries.encode(chunk, queries);
    for (const chunk of documentChunks) await this.#documents.encode(chunk, documents);

    this.#compiledObjective ??= this.#compileObjective();
    const outputs = await (await this.#compiledObjective).run({
      queryWeights: queries,
      documentWeights: documents,
      ...this.#objective.feeds(relevanceOf(batch), settings),
    });
    const queryGradients = outputs[gradientNames.queries]!;
    const documentGradients = outputs[gradientNames.documents]!;
    const first = settings.gradients ?? 'replace';
    for (const [i, chunk] of queryChunks.entries()) {
      await this.#queries.differentiate(chunk, queryGradients, i === 0 ? first : 'add');
    }
    // The variables of a shared encoder have gradients from the queries by now.
    const isShared = this.#queries === this.#documents;
    for (const [i, chunk] of documentChunks.entries()) {
      await this.#documents.differentiate(chunk, documentGradients, i === 0 && !isShared ? first : 'add');
    }
    const tokenCount = [...queryChunks, ...documentChunks].reduce((sum, { texts }) => sum + texts.tokenCount, 0);
    return { ...this.#objective.read(outputs), tokenCount };
  }

  #split(texts: readonly Int32Array[], encoder: ChunkedEncoder, { seed, step }: StepSeed, earlier: number): Chunk[] {
    const chunks: Chunk[] = [];
    const size = Math.min(this.#chunkSize, texts.length);
    for (let start = 0; start < texts.length; start += size) {
      // Each chunk has dropout masks of its own.
      const chunkSeed = (seed + Math.imul(earlier + chunks.length, 0x9e3779b1)) >>> 0;
      chunks.push({
        start,
        texts: encoder.prepare(texts.slice(start, start + size)),
        seed: { seed: chunkSeed, step },
      });
    }
    return chunks;
  }

  #matrix(columns: number): Tensor & { readonly data: Float32Array } {
    const dims = [this.#vocabularySize, columns];
    return { dtype: 'float32', dims, data: new Float32Array(this.#vocabularySize * columns) };
  }

  async #compileObjective(): Promise<Program> {
    const graph = new Graph();
    const queries = graph.feed('queryWeights', 'float32', [this.#vocabularySize, 'Q']);
    const documents = graph.feed('documentWeights', 'float32', [this.#vocabularySize, 'D']);
    const loss = this.#objective.build(graph, { queries, documents });
    const [queryGradients, documentGradients] = gradientsOf(graph, loss, [queries, documents]);
    graph.output(gradientNames.queries, queryGradients!);
    graph.output(gradientNames.documents, documentGradients!);
    return this.#engine.compile(graph);
  }
}

const gradientNames = { queries: 'query_weight_gradients', documents: 'document_weight_gradients' } as const;

/** Texts that are encoded together. */
interface Chunk {
  /** Column of the first text in the matrix of its side. */
  readonly start: number;
  readonly texts: PreparedTexts;
  readonly seed: StepSeed;
}

interface Matrix {
  readonly dims: readonly number[];
  readonly data: Tensor['data'];
}

/** One encoder in the two forms that chunks need. */
class ChunkedEncoder {
  readonly #engine: Engine;
  readonly #encoder: SideEncoder;
  readonly #vocabularySize: number;
  readonly #forward = new Map<number, Promise<Compiled>>();
  readonly #backward = new Map<number, Promise<Compiled>>();

  constructor(engine: Engine, encoder: SideEncoder, vocabularySize: number) {
    this.#engine = engine;
    this.#encoder = encoder;
    this.#vocabularySize = vocabularySize;
  }

  prepare(texts: readonly Int32Array[]): PreparedTexts {
    return this.#encoder.prepare(texts);
  }

  /** Writes the weights of a chunk to its columns of a [V, texts] matrix. */
  async encode({ start, texts, seed }: Chunk, matrix: Matrix): Promise<void> {
    const { program, side } = await this.#compile(this.#forward, texts.buckets, false);
    const { weights } = await program.run({ ...texts.feeds, ...side.dropoutFeeds(texts, seed) });
    const { columns } = texts;
    const source = weights!.data as Float32Array;
    const target = matrix.data as Float32Array;
    const width = matrix.dims[1]!;
    for (let term = 0; term < this.#vocabularySize; term++) {
      const [from, to] = [term * columns.length, term * width + start];
      for (let i = 0; i < columns.length; i++) target[to + i] = source[from + columns[i]!]!;
    }
  }

  /** Adds the gradients of a chunk to those of the variables, or replaces them. */
  async differentiate({ start, texts, seed }: Chunk, matrix: Matrix, gradients: 'replace' | 'add'): Promise<void> {
    const { program, side } = await this.#compile(this.#backward, texts.buckets, true);
    const { columns } = texts;
    const source = matrix.data as Float32Array;
    const width = matrix.dims[1]!;
    const data = new Float32Array(this.#vocabularySize * columns.length);
    for (let term = 0; term < this.#vocabularySize; term++) {
      const [from, to] = [term * width + start, term * columns.length];
      for (let i = 0; i < columns.length; i++) data[to + columns[i]!] = source[from + i]!;
    }
    const weightGradients: Tensor = { dtype: 'float32', dims: [this.#vocabularySize, columns.length], data };
    await program.run({ ...texts.feeds, ...side.dropoutFeeds(texts, seed), weightGradients }, { gradients });
  }

  #compile(cache: Map<number, Promise<Compiled>>, buckets: number, trained: boolean): Promise<Compiled> {
    let compiled = cache.get(buckets);
    if (compiled === undefined) {
      const graph = new Graph();
      const side = this.#encoder.build(graph, buckets, trained);
      if (trained) {
        addGradients(graph, sumAll(Mul(side.weights, graph.feed('weightGradients', 'float32', side.weights.dims))));
      } else {
        graph.output('weights', side.weights);
      }
      compiled = this.#engine.compile(graph).then((program) => ({ program, side }));
      cache.set(buckets, compiled);
    }
    return compiled;
  }
}

interface Compiled {
  readonly program: Program;
  readonly side: SideGraph;
}
