/**
 * The FLOPS regularizer (Paria et al., arXiv 2004.05665; in SPLADE, arXiv 2107.05720): Σ_v ( mean_b w_bv )², the expected
 * number of products of a dot product when the mean weight stands for the probability of being active.
 */
import type { Graph, Value } from '../../compute/graph/graph.ts';
import { Mul, ReduceMean, sumAll } from '../../compute/graph/ops/index.ts';
import { type BatchWeights, type RegularizedSide, type Regularizer, weightsOf } from './regularizer.ts';

/** Σ_v ( mean_b w_bv )². The usual choice: it presses on terms that many texts of a batch share. */
export class FlopsRegularizer implements Regularizer {
  readonly name = 'FLOPS';
  readonly looksAt = 'one side';

  build(_graph: Graph, weights: BatchWeights, side: RegularizedSide): Value {
    const mean = ReduceMean(weightsOf(weights, side), [1], false);
    return sumAll(Mul(mean, mean));
  }
}
