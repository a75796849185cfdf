/** Feeds of losses: a figure for each score of a batch, [Q, D]. */
import type { Tensor } from '../../compute/runtime/engine.ts';
import type { BatchRelevance } from './loss.ts';

/** What stands in for minus infinity in front of a softmax: it takes a document out, and its product with 0 is 0. */
export const excluded = -1e9;

/** A matrix of one figure, for `feeds` to fill. */
export class ScoreMatrixFeed {
  readonly tensor: Tensor;
  readonly #data: Float32Array;
  readonly #columns: number;

  constructor({ queryCount, documentCount }: BatchRelevance, fill = 0) {
    this.#columns = documentCount;
    this.#data = new Float32Array(queryCount * documentCount).fill(fill);
    this.tensor = { dtype: 'float32', dims: [queryCount, documentCount], data: this.#data };
  }

  set(query: number, document: number, value: number): void {
    this.#data[query * this.#columns + document] = value;
  }
}

/** 1 at each query's own positive, else 0. */
export function positiveLabels(relevance: BatchRelevance): Tensor {
  const labels = new ScoreMatrixFeed(relevance);
  for (let i = 0; i < relevance.queryCount; i++) labels.set(i, i, 1);
  return labels.tensor;
}
