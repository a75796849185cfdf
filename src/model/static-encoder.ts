/**
 * Encodes token ids without a model: a vector has the weight of each token that occurs, however often,
 *
 *     q_t = w_t · [t occurs in the text]
 *
 * as sentence-transformers' SparseStaticEmbedding and OpenSearch's inference-free queries (arXiv 2411.04403) do.
 */
import type { SparseVector } from '../vectors/sparse-vector.ts';

/** Gives the weight of each token by id. Asked at each batch, so that weights may change while a model is trained. */
export type ReadTokenWeights = () => Float32Array | Promise<Float32Array>;

/** The query side of a model without a query encoder. */
export class StaticEncoder {
  readonly #weights: ReadTokenWeights;

  constructor(weights: ReadTokenWeights) {
    this.#weights = weights;
  }

  /**
   * The vectors of a batch, in its order. Weights below 0 are kept.
   * @param sequences token ids, without special tokens
   * @param dropped dimensions that are left out
   */
  async encode(sequences: readonly Int32Array[], dropped: ReadonlySet<number>): Promise<SparseVector[]> {
    const weights = await this.#weights();
    return sequences.map((ids) => {
      const terms = Uint32Array.from(new Set(ids))
        .filter((term) => weights[term] !== 0 && !dropped.has(term))
        .sort();
      return { indices: terms, values: Float32Array.from(terms, (term) => weights[term]!) };
    });
  }
}
