/**
 * Draws batches: every query once an epoch in a shuffled order, no query and no positive twice in a batch. A query whose
 * positive is in the batch already waits for the next one. Each query has its own hard negatives, as many as asked for
 * where the data have so many, those that a teacher scored first; a document that several queries drew stands in the batch once.
 * Its state is a few numbers: an epoch's order follows from the seed and the epoch alone, so that a resumed run goes on
 * with the same batches.
 */
import { badInput } from '../util/errors.ts';
import { Random, type RandomState } from '../util/random.ts';
import type { TeacherScore } from './losses/loss.ts';
import type { TrainingSet } from './training-set.ts';
import type { TrainingBatch } from './training-step.ts';

/** Where a sampler stands; plain data. */
export interface SamplerState {
  /** Epochs begun before this one. */
  readonly epoch: number;
  /** Queries of this epoch already looked at. */
  readonly position: number;
  /** Those of them that wait for the next batch, by their number in the data. */
  readonly waiting: readonly number[];
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
  #waiting: readonly number[] = [];
  #order: Uint32Array;

  constructor(data: TrainingSet, options: SamplerOptions) {
    this.#data = data;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#order = this.#orderOf(0);
  }

  get state(): SamplerState {
    return { epoch: this.#epoch, position: this.#position, waiting: this.#waiting, random: this.#random.state };
  }

  /**
   * Goes on from a saved state.
   * @throws LexrayError BAD_INPUT when it is not a state of a sampler over these data
   */
  restore(state: SamplerState): void {
    const { length } = this.#data.queries;
    if (state.position > length || state.waiting.some((query) => query >= length)) {
      throw badInput(`the saved place in the data does not fit ${length} queries`, {
        cure: 'resume with the data of the first run',
      });
    }
    this.#epoch = state.epoch;
    this.#position = state.position;
    this.#waiting = state.waiting;
    this.#random = new Random(state.random);
    this.#order = this.#orderOf(state.epoch);
  }

  /** The next batch. */
  next(): TrainingBatch {
    const { queries, documents } = this.#data;
    const size = Math.min(this.#options.batchSize, queries.length);
    const drawn: { query: number; positive: number }[] = [];
    const used = new Set<number>();
    if (this.#waiting.length + queries.length - this.#position < size) this.#nextEpoch();
    const before = this.#waiting;
    const waiting: number[] = [];
    let tried = 0;
    while (drawn.length < size && (tried < before.length || this.#position < queries.length)) {
      const query = tried < before.length ? before[tried++]! : this.#order[this.#position++]!;
      const { positives } = queries[query]!;
      const positive = positives[this.#random.integer(positives.length)]!;
      // A positive shared with another query of the batch would be a negative of one of them.
      if (used.has(positive)) {
        waiting.push(query);
        continue;
      }
      used.add(positive);
      drawn.push({ query, positive });
    }
    this.#waiting = [...waiting, ...before.slice(tried)];
    const columns = drawn.map(({ positive }) => positive);
    const places = new Map(columns.map((document, column) => [document, column]));
    const ownNegatives: [query: number, document: number][] = [];
    const teacherScores: TeacherScore[] = [];
    drawn.forEach(({ query, positive }, row) => {
      const { positives, negatives, scores } = queries[query]!;
      const given = scores?.[positives.indexOf(positive)];
      if (given !== undefined) teacherScores.push({ query: row, document: row, score: given[0]! });
      for (const negative of this.#draw(negatives.length, given)) {
        const document = negatives[negative]!;
        let column = places.get(document);
        if (column === undefined) {
          column = columns.push(document) - 1;
          places.set(document, column);
        }
        ownNegatives.push([row, column]);
        const score = given?.[1 + negative] ?? Number.NaN;
        if (!Number.isNaN(score)) teacherScores.push({ query: row, document: column, score });
      }
    });
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
      ownNegatives,
      teacherScores,
    };
  }

  /**
   * Some of a query's negatives, without repetition, as places in its list.
   * @param scores those of the positive and the negatives: scored negatives come before the others
   */
  #draw(count: number, scores: Float32Array | undefined): number[] {
    const places = Array.from({ length: count }, (_, i) => i);
    const isScored = (place: number): boolean => scores !== undefined && !Number.isNaN(scores[1 + place]);
    const pools = [places.filter(isScored), places.filter((place) => !isScored(place))];
    const drawn: number[] = [];
    for (const pool of pools) {
      while (drawn.length < this.#options.negativesPerQuery && pool.length > 0) {
        drawn.push(...pool.splice(this.#random.integer(pool.length), 1));
      }
    }
    return drawn;
  }

  #nextEpoch(): void {
    this.#epoch++;
    this.#position = 0;
    this.#waiting = [];
    this.#order = this.#orderOf(this.#epoch);
  }

  #orderOf(epoch: number): Uint32Array {
    const random = new Random((Math.imul(this.#options.seed, 0x9e3779b1) + epoch) >>> 0);
    return random.shuffle(Uint32Array.from(this.#data.queries, (_, i) => i));
  }
}
