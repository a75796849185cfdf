/**
 * Keeps the terms whose weight is at least a share of the heaviest of their vector: the term threshold of Won et al.
 * (arXiv 2511.22263), who cut query terms below 40 % of the largest.
 */
import type { SparseVectors } from '../sparse-vectors.ts';
import { keepAtLeast, pruneRows } from './keep-entries.ts';
import { checkShare, type PruneStrategy } from './prune-strategy.ts';

/** Drops terms that are light beside the heaviest of their vector. */
export class ShareOfHeaviest implements PruneStrategy {
  readonly label: string;
  readonly #share: number;

  /**
   * @param share of the largest weight: above 0, at most 1
   * @throws LexrayError USAGE when it is out of range
   */
  constructor(share: number) {
    checkShare(share, 'heaviest-share');
    this.#share = share;
    this.label = `heaviest-share=${share}`;
  }

  prune(vectors: SparseVectors): SparseVectors {
    return pruneRows(vectors, (vector) => {
      let heaviest = 0;
      for (const value of vector.values) heaviest = Math.max(heaviest, value);
      // float32, so that at a share of 1 the heaviest itself stays.
      return keepAtLeast(vector, Math.fround(this.#share * heaviest));
    });
  }
}
