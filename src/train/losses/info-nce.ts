/**
 * InfoNCE with in-batch and hard negatives (van den Oord et al., arXiv 1807.03748), as sentence-transformers'
 * SparseMultipleNegativesRankingLoss computes it with the dot product and scale 1/τ:
 *
 *     L = mean_i −log( exp(s_ii/τ) / Σ_j exp(s_ij/τ) ),   j over all documents of the batch
 *
 * Other documents known to be relevant to query i are left out of its sum.
 */
import type { Graph, Value } from '../../compute/graph/graph.ts';
import { Add, LogSoftmax, MatMul, Mul, ReduceMean, ReduceSum } from '../../compute/graph/ops/index.ts';
import type { Tensor } from '../../compute/runtime/engine.ts';
import type { BatchRelevance, BatchWeights, Loss } from './loss.ts';

/** Options of {@link InfoNceLoss}. */
export interface InfoNceOptions {
  /** Temperature τ. @default 1 */
  readonly temperature?: number;
}

/** InfoNCE over all documents of the batch. */
export class InfoNceLoss implements Loss {
  readonly name = 'InfoNCE';
  readonly #temperature: number;

  constructor(options: InfoNceOptions = {}) {
    this.#temperature = options.temperature ?? 1;
  }

  build(graph: Graph, { queries, documents }: BatchWeights): Value {
    const [Q, D] = [queries.dims[1]!, documents.dims[1]!];
    const labels = graph.feed('labels', 'float32', [Q, D]);
    const mask = graph.feed('scoreMask', 'float32', [Q, D]);
    const scores = MatMul(queries, documents, { transA: true, alpha: 1 / this.#temperature });
    const logProbability = ReduceSum(Mul(LogSoftmax(Add(scores, mask)), labels), [1], false);
    return Mul(ReduceMean(logProbability, [0], false), -1);
  }

  feeds({ queryCount, documentCount, otherPositives }: BatchRelevance): Record<string, Tensor> {
    const dims = [queryCount, documentCount];
    const labels = new Float32Array(queryCount * documentCount);
    const mask = new Float32Array(queryCount * documentCount);
    for (let i = 0; i < queryCount; i++) labels[i * documentCount + i] = 1;
    for (const [query, document] of otherPositives) mask[query * documentCount + document] = -1e9;
    return {
      labels: { dtype: 'float32', dims, data: labels },
      scoreMask: { dtype: 'float32', dims, data: mask },
    };
  }
}
