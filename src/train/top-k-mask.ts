/**
 * Top-k masking in training (Yang et al., arXiv 2112.09628): of each vector the k heaviest terms stay, the others become 0
 * and get no gradient. With limits q_K and d_K of queries and documents it bounds what a regularizer alone cannot: joint FLOPS
 * leaves terms free that only one side has. Limits far below what a model has by itself starve it of gradients.
 *
 * Of equally heavy terms the one with the smaller number stays, as with `maxActiveDims` when texts are encoded, so a vector
 * is the same in training and afterwards.
 */
import type { Value } from '../compute/graph/graph.ts';
import { ConstantOfShape, Mul, ScatterElements, Shape, TopK, Transpose } from '../compute/graph/ops/index.ts';
import { LexrayError } from '../util/errors.ts';

/**
 * The weights with all but the k heaviest of each vector set to 0.
 * @param weights term weights, vocabulary first, [V, B]; not negative
 * @param k terms that are kept, at least 1; no fewer than V: the weights themselves
 */
export function keepTopWeights(weights: Value, k: number): Value {
  const [terms, vectors] = weights.dims;
  if (!Number.isInteger(k) || k < 1)
    throw new LexrayError('CONFIG', `a number of terms of at least 1 expected, got ${k}`);
  if (typeof terms === 'number' && k >= terms) return weights;
  const mask = weights.graph.withoutDifferentiation(() => {
    // Along the last axis onnxruntime is twice as fast.
    const [, heaviest] = TopK(Transpose(weights, [1, 0]), k, 1);
    const positions = Transpose(heaviest, [1, 0]);
    const none = ConstantOfShape(Shape(weights), weights.dims, 0);
    return ScatterElements(none, positions, ConstantOfShape(Shape(positions), [k, vectors!], 1), 0);
  });
  return Mul(weights, mask);
}
