/**
 * The anti-zero regularizer of naver/splade's trainer, in use for SPLADE-v3 (arXiv 2403.06789):
 *
 *     1/( (Σ Q)² + ε ) + 1/( (Σ D)² + ε ),   sums of all weights of the batch's queries and documents
 *
 * It is next to nothing until a side is about to die out, and then as strong as nothing else. naver/splade has no ε: at
 * zero, where no gradient reaches the model any more, it is infinite, and its gradient is not a number. Here a side that
 * is dead has a gradient of zero, and the loss stays a number in the log.
 */
import type { Graph, Value } from '../../compute/graph/graph.ts';
import { Add, Div, Mul, sumAll } from '../../compute/graph/ops/index.ts';
import type { BatchWeights, Regularizer } from './regularizer.ts';

/** Options of {@link AntiZeroRegularizer}. */
export interface AntiZeroOptions {
  /** ε: 1/ε is the most that one side can add. @default 1e-6 */
  readonly epsilon?: number | undefined;
}

/**
 * 1/(ΣQ)² + 1/(ΣD)², with a weight λ of 1 from the first step on. Beside other regularizers that are strong at the start.
 */
export class AntiZeroRegularizer implements Regularizer {
  readonly name = 'anti-zero';
  readonly looksAt = 'both';
  readonly #epsilon: number;

  constructor(options: AntiZeroOptions = {}) {
    this.#epsilon = options.epsilon ?? 1e-6;
  }

  build(graph: Graph, { queries, documents }: BatchWeights): Value {
    const [first, second] = [queries, documents].map((weights) => {
      const total = sumAll(weights);
      return Div(graph.scalar(1), Add(Mul(total, total), this.#epsilon));
    }) as [Value, Value];
    return Add(first, second);
  }
}
