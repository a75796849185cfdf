/**
 * The FLOPS regularizer (Paria et al., arXiv 2004.05665): Σ_v ( mean_b w_bv )², the expected number of products
 * of a dot product when the mean weight stands for the probability of being active.
 */
import type { Value } from '../../compute/graph/graph.ts';
import { Mul, ReduceMean, sumAll } from '../../compute/graph/ops/index.ts';
import type { Regularizer } from './regularizer.ts';

/** Σ_v ( mean_b w_bv )² */
export class FlopsRegularizer implements Regularizer {
  readonly name = 'FLOPS';

  build(weights: Value): Value {
    const mean = ReduceMean(weights, [1], false);
    return sumAll(Mul(mean, mean));
  }
}
