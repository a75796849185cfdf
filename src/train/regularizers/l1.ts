/**
 * The L1 regularizer: mean_b Σ_v w_bv, the mean sum of weights (of queries in Efficient SPLADE, arXiv 2207.03834, and in
 * SPLADE-v3, arXiv 2403.06789). Weights are not negative, so there is no absolute value in it.
 */
import type { Graph, Value } from '../../compute/graph/graph.ts';
import { ReduceMean, ReduceSum } from '../../compute/graph/ops/index.ts';
import { type BatchWeights, type RegularizedSide, type Regularizer, weightsOf } from './regularizer.ts';

/**
 * mean_b Σ_v w_bv. Presses on every weight alike, however rare its term: for queries, which are short and whose terms are
 * not to be evened out.
 */
export class L1Regularizer implements Regularizer {
  readonly name = 'L1';
  readonly looksAt = 'one side';

  build(_graph: Graph, weights: BatchWeights, side: RegularizedSide): Value {
    return ReduceMean(ReduceSum(weightsOf(weights, side), [0], false), [0], false);
  }
}
