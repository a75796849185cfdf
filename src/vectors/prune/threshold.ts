/** Keeps the terms whose weight is at least a threshold, the same for every vector. */
import { LexrayError } from '../../util/errors.ts';
import type { SparseVectors } from '../sparse-vectors.ts';
import { keepAtLeast, pruneRows } from './keep-entries.ts';
import type { PruneStrategy } from './prune-strategy.ts';

/** Drops light terms. */
export class Threshold implements PruneStrategy {
  readonly label: string;
  readonly #least: number;

  /**
   * @param least the lightest weight that stays
   * @throws LexrayError USAGE when it is not a finite number
   */
  constructor(least: number) {
    if (!Number.isFinite(least)) throw new LexrayError('USAGE', `threshold must be a finite number, got ${least}`);
    // As weights are, so that a weight of .7 is at least .7.
    this.#least = Math.fround(least);
    this.label = `threshold=${least}`;
  }

  prune(vectors: SparseVectors): SparseVectors {
    return pruneRows(vectors, (vector) => keepAtLeast(vector, this.#least));
  }
}
