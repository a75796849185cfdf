/**
 * What retrieval with sparse vectors costs, before any engine is chosen.
 *
 *     FLOPS = Σ_t p_q(t) · p_d(t)
 *
 * with p(t) the share of queries or documents in which term t is active: the mean number of terms that a query and a
 * document share, which is the number of postings an exhaustive search touches for each document (Paria et al.,
 * "Minimizing FLOPs to Learn Efficient Sparse Representations", ICLR 2020; Formal et al., SPLADE, SIGIR 2021).
 *
 * Postings lists are those of the documents. CV² = variance / mean² of their lengths; p99 is by nearest rank. Vocabularies
 * of different size are compared over the lists that are not empty and over all terms: an expanded vocabulary has many
 * empty lists.
 */

import { badInput } from '../util/errors.ts';
import type { SparseVectors } from '../vectors/sparse-vectors.ts';
import { type CountStatistics, countStatistics, documentFrequency, rowLengths } from '../vectors/statistics.ts';

/** Lengths of postings lists, in documents. */
export interface PostingsCost {
  /** How many lists there are. */
  readonly lists: number;
  readonly mean: number;
  /** Variance over all lists (not n − 1), divided by the squared mean. */
  readonly cv2: number;
  readonly p99: number;
  readonly largest: number;
}

/** Cost of retrieval. */
export interface RetrievalCost {
  readonly flops: number;
  /** Mean number of active dimensions of a query. */
  readonly queryActiveDims: number;
  /** Mean number of active dimensions of a document. */
  readonly documentActiveDims: number;
  /** Queries and documents without an active dimension: they find nothing and are not found. */
  readonly emptyQueries: number;
  readonly emptyDocuments: number;
  /** Over the terms that occur in a document. */
  readonly postings: PostingsCost;
  /** Over all terms of the vocabulary; terms in no document are lists of length 0. */
  readonly postingsWithEmpty: PostingsCost;
}

/**
 * Computes the cost of searching documents with queries.
 * @throws LexrayError BAD_INPUT when the vocabularies differ in size, or there are no queries or documents
 */
export function retrievalCost(queries: SparseVectors, documents: SparseVectors): RetrievalCost {
  if (queries.dimensions !== documents.dimensions) {
    throw badInput(`queries have ${queries.dimensions} dimensions and documents ${documents.dimensions}`, {
      cure: 'encode both with the same model',
    });
  }
  if (queries.length === 0 || documents.length === 0) {
    throw badInput(`expected queries and documents, got ${queries.length} and ${documents.length}`);
  }
  const queryFrequency = documentFrequency(queries);
  const postingsLengths = documentFrequency(documents);
  let shared = 0;
  for (let term = 0; term < postingsLengths.length; term++) shared += queryFrequency[term]! * postingsLengths[term]!;
  return {
    flops: shared / queries.length / documents.length,
    queryActiveDims: queries.indices.length / queries.length,
    documentActiveDims: documents.indices.length / documents.length,
    emptyQueries: countEmpty(queries),
    emptyDocuments: countEmpty(documents),
    postings: postingsCost(countStatistics(postingsLengths.filter((length) => length > 0))),
    postingsWithEmpty: postingsCost(countStatistics(postingsLengths)),
  };
}

function postingsCost({ count, mean, cv2, p99, max }: CountStatistics): PostingsCost {
  return { lists: count, mean, cv2, p99, largest: max };
}

function countEmpty(vectors: SparseVectors): number {
  return rowLengths(vectors).filter((length) => length === 0).length;
}
