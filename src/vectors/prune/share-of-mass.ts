/**
 * Keeps the heaviest terms of every vector until they carry a share α of its mass:
 *
 *     the least n with  Σ_{i ≤ n} |w₍ᵢ₎| ≥ α · Σ_i |w_i|,   w₍₁₎ ≥ w₍₂₎ ≥ …
 *
 * Vectors with few heavy terms become short, flat ones stay long: where top-k is blind to the shape of a vector. The α-mass
 * subvectors of Bruch, Nardini, Rulli and Venturini, "Efficient Inverted Indexes for Approximate Retrieval over Learned
 * Sparse Representations", SIGIR 2024.
 */
import type { SparseVector } from '../sparse-vector.ts';
import type { SparseVectors } from '../sparse-vectors.ts';
import { pruneRows } from './keep-entries.ts';
import { keepTopTerms } from './keep-top-terms.ts';
import { checkShare, type PruneStrategy } from './prune-strategy.ts';

/** A share that is reached but for the rounding of float32 weights is reached. */
const rounding = 1e-7;

/** Drops the light tail of every vector. Not idempotent: a share of what is left is less. */
export class ShareOfMass implements PruneStrategy {
  readonly label: string;
  readonly #share: number;

  /**
   * @param share α: above 0, at most 1, which keeps all
   * @throws LexrayError USAGE when it is out of range
   */
  constructor(share: number) {
    checkShare(share, 'mass');
    this.#share = share;
    this.label = `mass=${share}`;
  }

  prune(vectors: SparseVectors): SparseVectors {
    if (this.#share === 1) return vectors;
    return pruneRows(vectors, (vector) => keepTopTerms(vector, termsOfMass(vector, this.#share)));
  }
}

function termsOfMass({ values }: SparseVector, share: number): number {
  const descending = Float64Array.from(values).sort().reverse();
  let total = 0;
  for (const value of descending) total += Math.abs(value);
  const wanted = share * total - rounding * total;
  let mass = 0;
  let terms = 0;
  while (terms < descending.length && mass < wanted) mass += Math.abs(descending[terms++]!);
  return terms;
}
