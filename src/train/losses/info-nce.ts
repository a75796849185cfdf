/**
 * InfoNCE with in-batch and hard negatives (van den Oord et al., arXiv 1807.03748), as sentence-transformers'
 * SparseMultipleNegativesRankingLoss computes it with the dot product and scale 1/τ:
 *
 *     L = mean_i −log( exp(s_ii/τ) / Σ_j exp(s_ij/τ) ),   j over all documents of the batch
 *
 * Other documents known to be relevant to query i are left out of its sum.
 */
import type { Graph, Value } from '../../compute/graph/graph.ts';
import { Add, LogSoftmax, Mul, ReduceMean, ReduceSum } from '../../compute/graph/ops/index.ts';
import type { Tensor } from '../../compute/runtime/engine.ts';
import type { BatchRelevance, Loss } from './loss.ts';
import { excluded, positiveLabels, ScoreMatrixFeed } from './score-matrix-feed.ts';

/** Options of {@link InfoNceLoss}. */
export interface InfoNceOptions {
  /** Temperature τ. @default 1 */
  readonly temperature?: number | undefined;
}

/**
 * InfoNCE over all documents of the batch. Where there is no teacher: larger batches and hard negatives make it stronger.
 */
export class InfoNceLoss implements Loss {
  readonly name = 'InfoNCE';
  readonly needsTeacher = false;
  readonly needsNegatives = false;
  readonly #temperature: number;

  constructor(options: InfoNceOptions = {}) {
    this.#temperature = options.temperature ?? 1;
  }

  build(graph: Graph, scores: Value): Value {
    const labels = graph.feed('labels', 'float32', scores.dims);
    const mask = graph.feed('scoreMask', 'float32', scores.dims);
    const logits = Add(Mul(scores, 1 / this.#temperature), mask);
    const logProbability = ReduceSum(Mul(LogSoftmax(logits), labels), [1], false);
    return Mul(ReduceMean(logProbability, [0], false), -1);
  }

  feeds(relevance: BatchRelevance): Record<string, Tensor> {
    const mask = new ScoreMatrixFeed(relevance);
    for (const [query, document] of relevance.otherPositives) mask.set(query, document, excluded);
    return { labels: positiveLabels(relevance), scoreMask: mask.tensor };
  }
}
