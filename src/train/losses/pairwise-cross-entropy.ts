/**
 * Pairwise cross-entropy: a query's positive against its own negatives and, by default, the positives of the other queries
 * (naver/splade's InBatchPairwiseNLL, with which SPLADE-max is trained, arXiv 2109.10086; without the other positives its
 * PairwiseNLL):
 *
 *     L = mean_i −log( exp(s_ii/τ) / Σ_j exp(s_ij/τ) ),   j over the positives of the batch and the negatives of query i
 *
 * Unlike in InfoNCE the negatives of other queries do not count. Other documents known to be relevant to query i are left
 * out, which naver/splade does not do.
 */
import type { Graph, Value } from '../../compute/graph/graph.ts';
import { Add, LogSoftmax, Mul, ReduceMean, ReduceSum } from '../../compute/graph/ops/index.ts';
import type { Tensor } from '../../compute/runtime/engine.ts';
import { badInput } from '../../util/errors.ts';
import type { BatchRelevance, Loss } from './loss.ts';
import { excluded, positiveLabels, ScoreMatrixFeed } from './score-matrix-feed.ts';

/** Options of {@link PairwiseCrossEntropyLoss}. */
export interface PairwiseCrossEntropyOptions {
  /** Temperature τ. @default 1 */
  readonly temperature?: number | undefined;
  /** Whether the positives of the other queries count as negatives. @default true */
  readonly inBatchPositives?: boolean | undefined;
}

/** Cross-entropy over a query's own documents and the positives of the batch. To repeat runs of naver/splade. */
export class PairwiseCrossEntropyLoss implements Loss {
  readonly name = 'PairwiseCrossEntropy';
  readonly needsTeacher = false;
  readonly needsNegatives: boolean;
  readonly #temperature: number;
  readonly #inBatchPositives: boolean;

  constructor(options: PairwiseCrossEntropyOptions = {}) {
    this.#temperature = options.temperature ?? 1;
    this.#inBatchPositives = options.inBatchPositives ?? true;
    this.needsNegatives = !this.#inBatchPositives;
  }

  build(graph: Graph, scores: Value): Value {
    const labels = graph.feed('labels', 'float32', scores.dims);
    const mask = graph.feed(this.#maskName, 'float32', scores.dims);
    const logits = Add(Mul(scores, 1 / this.#temperature), mask);
    const logProbability = ReduceSum(Mul(LogSoftmax(logits), labels), [1], false);
    return Mul(ReduceMean(logProbability, [0], false), -1);
  }

  feeds(relevance: BatchRelevance): Record<string, Tensor> {
    const { queryCount, ownNegatives, otherPositives } = relevance;
    if (this.needsNegatives && ownNegatives.length === 0) {
      throw badInput(`${this.name}: no query of the batch has a negative of its own`, {
        cure: 'give training data with hard negatives, or let the positives of other queries count: inBatchPositives',
      });
    }
    const mask = new ScoreMatrixFeed(relevance, excluded);
    for (let i = 0; i < queryCount; i++) {
      mask.set(i, i, 0);
      if (this.#inBatchPositives) for (let j = 0; j < queryCount; j++) mask.set(i, j, 0);
    }
    for (const [query, document] of ownNegatives) mask.set(query, document, 0);
    for (const [query, document] of otherPositives) mask.set(query, document, excluded);
    return { labels: positiveLabels(relevance), [this.#maskName]: mask.tensor };
  }

  get #maskName(): string {
    return this.#inBatchPositives ? 'inBatchScoreMask' : 'ownScoreMask';
  }
}
