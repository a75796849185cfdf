/**
 * What answers queries: one interface for every way of searching sparse vectors, in this process or beyond it.
 * The score of a document is the inner product of its vector with the query's.
 *
 * The order of hits is score descending, and at equal scores docid descending in byte order, as trec_eval orders a run.
 * A document is a hit when its score is greater than 0; so without negative weights exactly those that share a term.
 */
import { badInput, LexrayError, throwIfAborted } from '../util/errors.ts';
import { findMisfit, type SparseVector } from '../vectors/sparse-vector.ts';

/** A document found, and its score. */
export interface Hit {
  readonly docid: string;
  /** Inner product with the query, greater than 0. */
  readonly score: number;
}

/** Options of {@link Searcher.search}. */
export interface SearchOptions {
  /** The most hits wanted: an integer of at least 1. More than there are documents means all. */
  readonly k: number;
  readonly signal?: AbortSignal | undefined;
}

/** Answers queries over one collection. */
export interface Searcher {
  readonly documentCount: number;
  /**
   * The `k` best documents. No hits for a query without terms.
   *
   * Query weights may be negative; a document whose sum is not greater than 0 is then no hit.
   * @throws LexrayError BAD_INPUT for a query whose terms do not ascend or are outside the vocabulary, or whose weights
   *   are zero, NaN or infinite; USAGE for a `k` that is no integer of at least 1, and after {@link Searcher.dispose}
   */
  search(query: SparseVector, options: SearchOptions): Promise<readonly Hit[]>;
  /** Gives the memory back. No more queries are answered. */
  dispose(): Promise<void>;
}

/**
 * Checks what {@link Searcher.search} was given, in every implementation alike.
 * @returns how many hits to look for: `k`, or the number of documents when that is less
 */
export function checkSearch(
  query: SparseVector,
  { k, signal }: SearchOptions,
  { dimensions, documentCount }: { readonly dimensions: number; readonly documentCount: number },
): number {
  throwIfAborted(signal);
  if (!Number.isInteger(k) || k < 1) {
    throw new LexrayError('USAGE', `k must be an integer of at least 1, got ${k}`);
  }
  const { indices, values } = query;
  if (indices.length !== values.length) {
    throw badInput(`a query needs as many weights as terms, got ${values.length} and ${indices.length}`);
  }
  const misfit = findMisfit(indices, values, dimensions);
  if (misfit !== undefined) {
    throw badInput(`the query does not fit the index of ${dimensions} dimensions: ${misfit.message}`, {
      cure: 'encode the queries with the model that encoded the documents',
    });
  }
  return Math.min(k, documentCount);
}

/** The error of a searcher that was disposed of. */
export function disposedError(): LexrayError {
  return new LexrayError('USAGE', 'this searcher was disposed of', { cure: 'make a new one' });
}
