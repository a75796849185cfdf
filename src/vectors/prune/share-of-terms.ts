/**
 * Keeps a share of the terms of every vector, the heaviest ⌈s·n⌉: document-centric static pruning, where long documents keep
 * more than short ones.
 */
import type { SparseVectors } from '../sparse-vectors.ts';
import { pruneRows } from './keep-entries.ts';
import { keepTopTerms } from './keep-top-terms.ts';
import { checkShare, type PruneStrategy } from './prune-strategy.ts';

/** Products of a share and a count that are whole but for rounding are whole. */
const rounding = 1e-9;

/** Drops the lightest terms of every vector. Not idempotent: a share of what is left is less. */
export class ShareOfTerms implements PruneStrategy {
  readonly label: string;
  readonly #share: number;

  /**
   * @param share of the terms: above 0, at most 1
   * @throws LexrayError USAGE when it is out of range
   */
  constructor(share: number) {
    checkShare(share, 'terms-share');
    this.#share = share;
    this.label = `terms-share=${share}`;
  }

  prune(vectors: SparseVectors): SparseVectors {
    return pruneRows(vectors, (vector) =>
      keepTopTerms(vector, Math.ceil(this.#share * vector.indices.length - rounding)),
    );
  }
}
