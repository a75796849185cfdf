/**
 * Keeps a share of all postings of a collection, the heaviest ⌈s·n⌉ wherever they are: one threshold at a global quantile of
 * the impacts, which fixes the size of the index exactly. Documents of light weights may lose all their terms.
 */
import type { SparseVectors } from '../sparse-vectors.ts';
import { keepEntries } from './keep-entries.ts';
import { checkShare, type PruneStrategy } from './prune-strategy.ts';

/** Products of a share and a count that are whole but for rounding are whole. */
const rounding = 1e-9;

/** Drops the lightest postings of the collection. Not idempotent: a share of what is left is less. */
export class ShareOfPostings implements PruneStrategy {
  readonly label: string;
  readonly #share: number;

  /**
   * @param share of the postings: above 0, at most 1
   * @throws LexrayError USAGE when it is out of range
   */
  constructor(share: number) {
    checkShare(share, 'postings-share');
    this.#share = share;
    this.label = `postings-share=${share}`;
  }

  prune(vectors: SparseVectors): SparseVectors {
    const { values } = vectors;
    const count = Math.ceil(this.#share * values.length - rounding);
    if (count === values.length) return vectors;
    const threshold = values.slice().sort()[values.length - count]!;
    let ties = count;
    for (const value of values) if (value > threshold) ties--;
    const kept = new Uint8Array(values.length);
    for (let p = 0; p < values.length; p++) {
      const value = values[p]!;
      if (value > threshold || (value === threshold && ties-- > 0)) kept[p] = 1;
    }
    return keepEntries(vectors, kept);
  }
}
