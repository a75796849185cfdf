/**
 * Pruning of sparse vectors: dropping entries so that search gets cheaper. One interface for every way of choosing what is
 * dropped; weights, ids and the order of terms stay as they are.
 *
 * "Heaviest" goes by the signed weight, as the cap of encoders does. Of equal weights the one with the smaller term number
 * is kept, between vectors that of the earlier one, so that a result does not depend on chance.
 *
 * The families (by vector, by list, by collection) are those of Lassance, Lupart, Déjean, Clinchant and Tonellotto,
 * "A Static Pruning Study on Sparse Neural Retrievers", SIGIR 2023 (arXiv 2304.12702).
 */
import { LexrayError } from '../../util/errors.ts';
import type { SparseVectors } from '../sparse-vectors.ts';

/** Chooses which entries of a set of vectors stay. */
export interface PruneStrategy {
  /** What it does and how much, as on the command line: `top-k=20`. */
  readonly label: string;
  /** Drops entries. Never adds or changes one; every id stays, if with an empty vector. */
  prune(vectors: SparseVectors): SparseVectors;
}

/**
 * Checks a share of something.
 * @throws LexrayError USAGE when it is not above 0 and at most 1
 */
export function checkShare(share: number, name: string): void {
  if (!(share > 0 && share <= 1)) throw new LexrayError('USAGE', `${name} must be above 0 and at most 1, got ${share}`);
}
