/**
 * The inverted index: for each term its postings list, the documents it is active in and its weights there. It is the
 * transpose of the document vectors, in compressed sparse columns (CSC).
 *
 * Documents are numbered by docid descending in byte order. So of two documents with the same score the one with the
 * smaller number comes first, and searching needs no strings to break ties as trec_eval does.
 */
import { compareByteOrder } from '../util/byte-order.ts';
import { badInput, LexrayError } from '../util/errors.ts';
import { checkDimensions } from '../vectors/sparse-vector.ts';
import { checkIds, checkSparseRows, type SparseRows, type SparseVectors } from '../vectors/sparse-vectors.ts';
import { documentFrequency, type PostingsStatistics, postingsStatistics, rowLengths } from '../vectors/statistics.ts';

/** The documents of a term and its weights in them. */
export interface PostingList {
  /** Document numbers, ascending. */
  readonly documents: Uint32Array;
  /** The impact of the term in each. */
  readonly weights: Float32Array;
}

/** Postings lists of a collection. Immutable. */
export class InvertedIndex {
  /** The docid of each document number, descending in byte order. */
  readonly docids: readonly string[];
  /** Size of the vocabulary. */
  readonly dimensions: number;
  /** One row a term: where its list begins, document numbers, weights. */
  readonly postings: SparseRows;

  /**
   * Wraps arrays, which are not copied.
   * @param where what they are, for errors
   * @throws LexrayError BAD_INPUT when they are not an index
   */
  constructor(docids: readonly string[], dimensions: number, postings: SparseRows, where = 'index') {
    checkDimensions(dimensions, where);
    checkIds(docids, where);
    for (let i = 1; i < docids.length; i++) {
      if (compareByteOrder(docids[i - 1]!, docids[i]!) < 0) {
        throw badInput(`docids must descend in byte order, but ${JSON.stringify(docids[i])} follows a smaller one`, {
          where,
          cure: 'make the index again',
        });
      }
    }
    checkSparseRows(postings, dimensions, docids.length, where, (term) => `postings list of term ${term}`);
    this.docids = docids;
    this.dimensions = dimensions;
    this.postings = postings;
  }

  get documentCount(): number {
    return this.docids.length;
  }

  /** Entries of all postings lists together. */
  get postingCount(): number {
    return this.postings.indices.length;
  }

  /** The postings list of a term, as views into the index. */
  postingList(term: number): PostingList {
    const { offsets, indices, values } = this.postings;
    const start = offsets[term];
    const end = offsets[term + 1];
    if (start === undefined || end === undefined) {
      throw new LexrayError('USAGE', `there is no term ${term} in ${this.dimensions} dimensions`);
    }
    return { documents: indices.subarray(start, end), weights: values.subarray(start, end) };
  }

  /** Lengths of the postings lists. */
  statistics(): PostingsStatistics {
    return postingsStatistics(rowLengths(this.postings));
  }
}

/** Builds the index of document vectors. Needs as much memory again as the vectors. */
export function buildIndex(vectors: SparseVectors): InvertedIndex {
  const { ids, dimensions } = vectors;
  const rows = Uint32Array.from(ids.keys());
  rows.sort((a, b) => compareByteOrder(ids[b]!, ids[a]!));
  const offsets = new Float64Array(dimensions + 1);
  for (const [term, frequency] of documentFrequency(vectors).entries()) {
    offsets[term + 1] = offsets[term]! + frequency;
  }
  const next = offsets.slice(0, dimensions);
  const indices = new Uint32Array(vectors.indices.length);
  const values = new Float32Array(vectors.indices.length);
  for (let document = 0; document < rows.length; document++) {
    const row = rows[document]!;
    for (let p = vectors.offsets[row]!; p < vectors.offsets[row + 1]!; p++) {
      const position = next[vectors.indices[p]!]!++;
      indices[position] = document;
      values[position] = vectors.values[p]!;
    }
  }
  const docids = Array.from(rows, (row) => ids[row]!);
  return new InvertedIndex(docids, dimensions, { offsets, indices, values });
}
