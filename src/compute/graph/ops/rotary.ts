/**
 * Rotary position embedding (Su et al., arXiv 2104.09864), in the form that pairs feature i of a head with feature
 * i + d/2: (x₁, x₂) → (x₁·cos − x₂·sin, x₂·cos + x₁·sin).
 */
import type { Value } from '../graph.ts';
import { expectSame } from '../shape.ts';
import { accumulate, Neg } from './elementwise.ts';
import { Reshape, Unsqueeze } from './movement.ts';

/**
 * Rotates every head of every token.
 * @param x [tokens, heads·d]
 * @param cos [tokens, d/2], without a gradient
 * @param sin [tokens, d/2], without a gradient
 */
export function RotaryEmbedding(x: Value, cos: Value, sin: Value): Value {
  const graph = x.graph;
  const [tokens, width] = x.dims as [Value['dims'][number], number];
  expectSame('RotaryEmbedding', cos.dims[0], tokens);
  expectSame('RotaryEmbedding', sin.dims[0], tokens);
  const y = graph.withoutDifferentiation(() => {
    // The operator works on batches of sequences: all tokens are one sequence that begins at row 0 of the tables.
    const sequence = Unsqueeze(x, [0]);
    const inputs = [sequence, graph.int64([0]), cos, sin];
    const [rotated] = graph.node('RotaryEmbedding', inputs, [sequence], {}, 'com.microsoft') as [Value];
    return Reshape(rotated, graph.int64([-1, width]), [tokens, width]);
  });
  graph.differentiate({
    inputs: [x],
    outputs: [y],
    backward: ([gradient]) => [accumulate(x, x.dims, () => RotaryEmbedding(gradient!, cos, Neg(sin)))],
  });
  return y;
}
