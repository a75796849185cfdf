/** Encodes batches of token ids into sparse vectors on an engine that holds the model's variables. */
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { modelShape } from '../checkpoint/families/registry.ts';
import { Graph } from '../compute/graph/graph.ts';
import type { Engine, Program } from '../compute/runtime/engine.ts';
import { LexrayError } from '../util/errors.ts';
import type { SparseVector } from '../vectors/sparse-vector.ts';
import { buildHeadGraph, buildSpladeGraph } from './splade-graph.ts';
import type { SpladeActivation } from './splade-pooling.ts';
import { summedWeights } from './sum-pooling.ts';
import { packTokens } from './token-layout.ts';

/** Length buckets of an inference batch: batches are sorted by length, so two leave little padding. */
const inferenceBuckets = 2;

/** Options of {@link BatchEncoder}. */
export interface BatchEncoderOptions {
  readonly activation: SpladeActivation;
  /** What becomes of the weights of a text's tokens. @default 'max' */
  readonly pooling?: 'max' | 'sum' | undefined;
  /** Before the names of the variables. @default none */
  readonly prefix?: string | undefined;
  /** Whether the logits are divided by a learned factor, see `splade-graph.ts`. @default false */
  readonly learnedScale?: boolean | undefined;
}

/** The inference side of one model. */
export class BatchEncoder {
  readonly #engine: Engine;
  readonly #config: ModelConfig;
  readonly #options: BatchEncoderOptions;
  readonly #programs = new Map<number, Promise<Program>>();

  constructor(engine: Engine, config: ModelConfig, options: BatchEncoderOptions) {
    this.#engine = engine;
    this.#config = config;
    this.#options = options;
  }

  /**
   * The vectors of a batch, in its order.
   * @throws LexrayError FAILED when a weight is not finite
   * @param sequences token ids, each with at least one token
   * @param dropped dimensions that are left out
   */
  async encode(sequences: readonly Int32Array[], dropped: ReadonlySet<number>): Promise<SparseVector[]> {
    const packed = packTokens(sequences, { buckets: inferenceBuckets, ...modelShape(this.#config) });
    const program = await this.#program(packed.bucketCount);
    const { weights } = await program.run(packed.feeds);
    const rows = positiveColumns(weights!.data as Float32Array, sequences.length, dropped);
    return Array.from(packed.columns, (column) => rows[column]!);
  }

  #program(buckets: number): Promise<Program> {
    let program = this.#programs.get(buckets);
    if (program === undefined) {
      const graph = new Graph();
      const { activation, pooling, learnedScale, prefix = '' } = this.#options;
      const int8Decoder = this.#engine.weights === 'int8';
      const options = { activation, learnedScale, buckets, int8Decoder, trained: false, dropoutRate: 0 };
      const weights = graph.within(prefix, () =>
        pooling === 'sum'
          ? summedWeights(buildHeadGraph(graph, this.#config, options), activation)
          : buildSpladeGraph(graph, this.#config, options).weights,
      );
      graph.output('weights', weights);
      program = this.#engine.compile(graph);
      this.#programs.set(buckets, program);
    }
    return program;
  }
}

/** The positive entries of each column of a [V, S] matrix. */
function positiveColumns(matrix: Float32Array, columns: number, dropped: ReadonlySet<number>): SparseVector[] {
  const counts = new Uint32Array(columns);
  for (const term of dropped) matrix.fill(0, term * columns, (term + 1) * columns);
  for (let p = 0, column = 0; p < matrix.length; p++) {
    if (matrix[p]! > 0) counts[column]!++;
    if (++column === columns) column = 0;
  }
  const rows = Array.from(counts, (count) => ({ indices: new Uint32Array(count), values: new Float32Array(count) }));
  const filled = new Uint32Array(columns);
  for (let p = 0, column = 0, term = 0; p < matrix.length; p++) {
    const weight = matrix[p]!;
    if (!(weight < Number.POSITIVE_INFINITY)) {
      throw new LexrayError('FAILED', `the model gives the weight ${weight} at dimension ${term}`, {
        cure: 'its weights are too large, or damaged by a training that failed',
      });
    }
    if (weight > 0) {
      const { indices, values } = rows[column]!;
      const at = filled[column]!++;
      indices[at] = term;
      values[at] = weight;
    }
    if (++column === columns) {
      column = 0;
      term++;
    }
  }
  return rows;
}
