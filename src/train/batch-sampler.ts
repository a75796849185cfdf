/**
 * Draws batches: every query once an epoch in a shuffled order, no query and no positive twice in a batch.
 * Its state is a few numbers: an epoch's order follows from the seed and the epoch alone, so that a resumed run goes on
 * with the same batches.
 */
import { Random, type RandomState } from '../util/random.ts';
import type { TrainingSet } from './training-set.ts';
import type { TrainingBatch } from './training-step.ts';

/** Where a sampler stands; plain data. */
export interface SamplerState {
  /** Epochs begun before this one. */
  readonly epoch: number;
  /** Queries of this epoch already drawn. */
  readonly position: number;
  readonly random: RandomState;
}

/** Options of {@link BatchSampler}. */
export interface SamplerOptions {
  readonly batchSize: number;
  /** Hard negatives drawn for each query that has some. */
  readonly negativesPerQuery: number;
  readonly seed: number;
}

/** An endless source of batches. */
export class BatchSampler {
  readonly #data: TrainingSet;
  readonly #options: SamplerOptions;
  #random: Random;
  #epoch = 0;
  #position = 0;
  #order: Uint32Array;

  constructor(data: TrainingSet, options: SamplerOptions) {
    this.#data = data;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#order = this.#orderOf(0);
  }

  /** Full batches of an epoch; a rest smaller than a batch is dropped, as its queries come first next time by chance. */
  get batchesPerEpoch(): number {
    return Math.max(1, Math.floor(this.#data.queries.length / this.#options.batchSize));
  }

  get state(): SamplerState {
    return { epoch: this.#epoch, position: this.#position, random: this.#random.state };
  }

  /** Goes on from a saved state. */
  restore(state: SamplerState): void {
    this.#epoch = state.epoch;
    this.#position = state.position;
    this.#random = new Random(state.random);
    this.#order = this.#orderOf(state.epoch);
  }

  /** The next batch. */
  next(): TrainingBatch {
    const { queries, documents } = this.#data;
    const size = Math.min(this.#options.batchSize, queries.length);
    const drawn: { query: number; positive: number }[] = [];
    const used = new Set<number>();
    if (queries.length - this.#position < size) this.#nextEpoch();
    while (drawn.length < size && this.#position < queries.length) {
      const query = this.#order[this.#position++]!;
      const { positives } = queries[query]!;
      const positive = positives[this.#random.integer(positives.length)]!;
      // A positive shared with another query of the batch would be its own negative; such a query waits for another epoch.
      if (used.has(positive)) continue;
      used.add(positive);
      drawn.push({ query, positive });
    }
    const columns = drawn.map(({ positive }) => positive);
    for (const { query } of drawn) {
      for (const negative of this.#draw(queries[query]!.negatives)) {
        if (used.has(negative)) continue;
        used.add(negative);
        columns.push(negative);
      }
    }
    const otherPositives: [number, number][] = [];
    drawn.forEach(({ query, positive }, row) => {
      const known = new Set(queries[query]!.positives);
      columns.forEach((document, column) => {
        if (document !== positive && known.has(document)) otherPositives.push([row, column]);
      });
    });
    return {
      queries: drawn.map(({ query }) => queries[query]!.tokens),
      documents: columns.map((document) => documents[document]!),
      otherPositives,
    };
  }

  /** Some of the items, without repetition. */
  #draw(items: readonly number[]): number[] {
    const pool = [...items];
    const drawn: number[] = [];
    while (drawn.length < this.#options.negativesPerQuery && pool.length > 0) {
      drawn.push(...pool.splice(this.#random.integer(pool.length), 1));
    }
    return drawn;
  }

  #nextEpoch(): void {
    this.#epoch++;
    this.#position = 0;
    this.#order = this.#orderOf(this.#epoch);
  }

  #orderOf(epoch: number): Uint32Array {
    const random = new Random((Math.imul(this.#options.seed, 0x9e3779b1) + epoch) >>> 0);
    return random.shuffle(Uint32Array.from(this.#data.queries, (_, i) => i));
  }
}
