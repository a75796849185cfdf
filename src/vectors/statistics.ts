/**
 * What a set of sparse vectors costs and looks like: active dimensions a vector, and postings a term.
 *
 * Percentiles are by nearest rank: p99 of n numbers is the ⌈.99·n⌉-th smallest. CV² = variance / mean², with the variance
 * over all n (not n − 1): 0 when all lists are equally long, and the larger the fewer terms carry the cost.
 */
import type { SparseRows, SparseVectors } from './sparse-vectors.ts';

/** Mean, extremes and p99 of a list of counts; all 0 when there are none. */
export interface CountStatistics {
  /** How many counts there are. */
  readonly count: number;
  readonly mean: number;
  /** Variance divided by the squared mean. */
  readonly cv2: number;
  readonly min: number;
  readonly p99: number;
  readonly max: number;
}

/** Lengths of the postings lists, which are the document frequencies of the terms. */
export interface PostingsStatistics {
  /** Over every term of the vocabulary, terms in no document counted as empty lists. */
  readonly allTerms: CountStatistics;
  /** Over the terms that are in a document. */
  readonly usedTerms: CountStatistics;
}

/** Statistics of a set of vectors. */
export interface VectorStatistics {
  readonly vectors: number;
  readonly dimensions: number;
  /** Entries of the matrix: the sum of active dimensions. */
  readonly entries: number;
  /** Active dimensions a vector. */
  readonly activeDims: CountStatistics;
  /** Vectors without an active dimension. */
  readonly zeroVectors: number;
  /** Vectors each term is active in. Length: dimensions. */
  readonly documentFrequency: Uint32Array;
  readonly postings: PostingsStatistics;
}

/** Computes the statistics of vectors. */
export function vectorStatistics(vectors: SparseVectors): VectorStatistics {
  const lengths = rowLengths(vectors);
  const frequency = documentFrequency(vectors);
  return {
    vectors: vectors.length,
    dimensions: vectors.dimensions,
    entries: vectors.indices.length,
    activeDims: countStatistics(lengths),
    zeroVectors: lengths.filter((length) => length === 0).length,
    documentFrequency: frequency,
    postings: postingsStatistics(frequency),
  };
}

/** In how many vectors each term is active. Length: dimensions. */
export function documentFrequency(vectors: SparseVectors): Uint32Array {
  const frequency = new Uint32Array(vectors.dimensions);
  for (const index of vectors.indices) frequency[index]!++;
  return frequency;
}

/** Statistics of postings lists from their lengths, one a term of the vocabulary. */
export function postingsStatistics(lengths: Uint32Array): PostingsStatistics {
  return { allTerms: countStatistics(lengths), usedTerms: countStatistics(lengths.filter((length) => length > 0)) };
}

/** The number of entries in each row. */
export function rowLengths({ offsets }: SparseRows): Uint32Array {
  return Uint32Array.from({ length: offsets.length - 1 }, (_, row) => offsets[row + 1]! - offsets[row]!);
}

/** Statistics of counts. */
export function countStatistics(counts: Uint32Array): CountStatistics {
  const count = counts.length;
  if (count === 0) return { count, mean: 0, cv2: 0, min: 0, p99: 0, max: 0 };
  const sorted = counts.slice().sort();
  let sum = 0;
  for (const value of sorted) sum += value;
  const mean = sum / count;
  let squares = 0;
  for (const value of sorted) squares += (value - mean) ** 2;
  return {
    count,
    mean,
    cv2: mean === 0 ? 0 : squares / count / mean ** 2,
    min: sorted[0]!,
    p99: sorted[Math.ceil(0.99 * count) - 1]!,
    max: sorted[count - 1]!,
  };
}
