/**
 * The obvious searcher: the inner product of the query with every document, then a sort. It is what the other searchers
 * are checked against, and small collections need nothing else.
 *
 * A score is summed in float32 in ascending order of terms, one rounding after each product and after each addition, as
 * every exact searcher does: scores are equal to the last bit, and so are ties.
 */
import { compareByteOrder } from '../../util/byte-order.ts';
import type { SparseVector } from '../../vectors/sparse-vector.ts';
import type { SparseVectors } from '../../vectors/sparse-vectors.ts';
import { checkSearch, disposedError, type Hit, type Searcher, type SearchOptions } from '../searcher.ts';

/** Scores every document of a matrix. */
export class ExhaustiveSearcher implements Searcher {
  #vectors: SparseVectors | undefined;
  readonly documentCount: number;

  constructor(vectors: SparseVectors) {
    this.#vectors = vectors;
    this.documentCount = vectors.length;
  }

  async search(query: SparseVector, options: SearchOptions): Promise<readonly Hit[]> {
    const vectors = this.#vectors;
    if (vectors === undefined) throw disposedError();
    const k = checkSearch(query, options, { dimensions: vectors.dimensions, documentCount: this.documentCount });
    const hits: Hit[] = [];
    for (const { id, vector } of vectors) {
      const score = innerProduct(query, vector);
      if (score > 0) hits.push({ docid: id, score });
    }
    return hits.sort((a, b) => b.score - a.score || compareByteOrder(b.docid, a.docid)).slice(0, k);
  }

  async dispose(): Promise<void> {
    this.#vectors = undefined;
  }
}

/** Inner product, summed in float32 in ascending order of terms. */
export function innerProduct(query: SparseVector, document: SparseVector): number {
  let sum = 0;
  let d = 0;
  for (let q = 0; q < query.indices.length; q++) {
    const term = query.indices[q]!;
    while (d < document.indices.length && document.indices[d]! < term) d++;
    if (document.indices[d] === term) sum = Math.fround(sum + Math.fround(query.values[q]! * document.values[d]!));
  }
  return sum;
}
