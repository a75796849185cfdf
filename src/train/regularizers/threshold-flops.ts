/**
 * FLOPS with an ℓ0 threshold (Geng et al., arXiv 2504.14839; sentence-transformers' FlopsLoss with a threshold):
 *
 *     Σ_v ( 1/B · Σ_b [nnz(w_b) > t] · w_bv )²
 *
 * A vector of at most t active dimensions counts as zeros and is not pressed any further; the mean is over all B vectors still.
 */
import type { Graph, Value } from '../../compute/graph/graph.ts';
import { Cast, Greater, Mul, ReduceMean, ReduceSum, sumAll } from '../../compute/graph/ops/index.ts';
import { type BatchWeights, type RegularizedSide, type Regularizer, weightsOf } from './regularizer.ts';

/** Options of {@link ThresholdFlopsRegularizer}. */
export interface ThresholdFlopsOptions {
  /** Active dimensions up to which a vector is left alone. @default 150 */
  readonly threshold?: number | undefined;
}

/** FLOPS of the vectors with more than `threshold` active dimensions. For documents, so that short ones are not emptied. */
export class ThresholdFlopsRegularizer implements Regularizer {
  readonly name = 'FLOPS above a threshold';
  readonly looksAt = 'one side';
  readonly #threshold: number;

  constructor(options: ThresholdFlopsOptions = {}) {
    this.#threshold = options.threshold ?? 150;
  }

  build(_graph: Graph, weights: BatchWeights, side: RegularizedSide): Value {
    const vectors = weightsOf(weights, side);
    const active = ReduceSum(Cast(Greater(vectors, 0), 'float32'), [0], true);
    const isLong = Cast(Greater(active, this.#threshold), 'float32');
    const mean = ReduceMean(Mul(vectors, isLong), [1], false);
    return sumAll(Mul(mean, mean));
  }
}
