/** The interface of sparsity regularizers over the term weights of one side of a batch. One file a regularizer. */
import type { Value } from '../../compute/graph/graph.ts';

/** A sparsity regularizer. */
export interface Regularizer {
  readonly name: string;
  /**
   * Builds the regularizer: a scalar, before its weight λ.
   * @param weights [V, B]
   */
  build(weights: Value): Value;
}
