/**
 * Keeps the m heaviest postings of each term: term-centric static pruning. It bounds what the worst term of a query costs,
 * where every other way leaves terms that are in nearly all documents.
 */
import { LexrayError } from '../../util/errors.ts';
import type { SparseVectors } from '../sparse-vectors.ts';
import { documentFrequency } from '../statistics.ts';
import { keepEntries } from './keep-entries.ts';
import type { PruneStrategy } from './prune-strategy.ts';

/** At most m postings a term. */
export class MaxPostings implements PruneStrategy {
  readonly label: string;
  readonly #most: number;

  /**
   * @param most postings a term
   * @throws LexrayError USAGE when it is no integer of at least 1
   */
  constructor(most: number) {
    if (!Number.isInteger(most) || most < 1) {
      throw new LexrayError('USAGE', `max-postings must be an integer of at least 1, got ${most}`);
    }
    this.#most = most;
    this.label = `max-postings=${most}`;
  }

  prune(vectors: SparseVectors): SparseVectors {
    const { indices, values } = vectors;
    const lengths = documentFrequency(vectors);
    if (!lengths.some((length) => length > this.#most)) return vectors;
    // For a list that is too long: the weight from which on postings stay, and how many of that very weight do.
    const thresholds = new Float32Array(lengths.length).fill(Number.NEGATIVE_INFINITY);
    const ties = new Int32Array(lengths.length);
    for (const [term, weights] of longLists(vectors, lengths, this.#most)) {
      const threshold = weights.sort()[weights.length - this.#most]!;
      thresholds[term] = threshold;
      ties[term] = this.#most - weights.reduce((count, weight) => count + (weight > threshold ? 1 : 0), 0);
    }
    const kept = new Uint8Array(values.length);
    for (let p = 0; p < values.length; p++) {
      const value = values[p]!;
      const term = indices[p]!;
      const threshold = thresholds[term]!;
      if (value > threshold || (value === threshold && ties[term]!-- > 0)) kept[p] = 1;
    }
    return keepEntries(vectors, kept);
  }
}

/** The weights of each term that has more than `most` postings. */
function longLists({ indices, values }: SparseVectors, lengths: Uint32Array, most: number): Map<number, Float32Array> {
  const lists = new Map<number, Float32Array>();
  for (const [term, length] of lengths.entries()) if (length > most) lists.set(term, new Float32Array(length));
  const next = new Uint32Array(lengths.length);
  for (let p = 0; p < indices.length; p++) {
    const term = indices[p]!;
    if (lengths[term]! > most) lists.get(term)![next[term]!++] = values[p]!;
  }
  return lists;
}
