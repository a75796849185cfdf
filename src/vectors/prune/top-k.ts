/**
 * Keeps the k heaviest terms of every vector: the pruning of queries and documents to (qk, dk) terms at search time of
 * Kim, Lee and Won (arXiv 2605.01407), where 0 means all.
 */
import { LexrayError } from '../../util/errors.ts';
import type { SparseVectors } from '../sparse-vectors.ts';
import { pruneRows } from './keep-entries.ts';
import { keepTopTerms } from './keep-top-terms.ts';
import type { PruneStrategy } from './prune-strategy.ts';

/** At most k terms a vector. */
export class TopK implements PruneStrategy {
  readonly label: string;
  readonly #k: number;

  /**
   * @param k terms a vector; 0 keeps all
   * @throws LexrayError USAGE when it is no integer of at least 0
   */
  constructor(k: number) {
    if (!Number.isInteger(k) || k < 0)
      throw new LexrayError('USAGE', `top-k must be an integer of at least 0, got ${k}`);
    this.#k = k;
    this.label = `top-k=${k}`;
  }

  prune(vectors: SparseVectors): SparseVectors {
    return this.#k === 0 ? vectors : pruneRows(vectors, (vector) => keepTopTerms(vector, this.#k));
  }
}
