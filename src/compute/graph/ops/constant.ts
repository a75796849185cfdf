/** Tensors filled with one number, or with numbers in a row. */
import type { Dimension, Dimensions, Value } from '../graph.ts';

/** A float32 tensor of the given shape (int64 vector), every element `fill`. */
export function ConstantOfShape(shape: Value, dims: Dimensions, fill: number): Value {
  const tensor = { dtype: 'float32', dims: [1], data: Float32Array.of(fill) } as const;
  return shape.graph.node('ConstantOfShape', [shape], [{ dtype: 'float32', dims }], { value: { tensor } })[0]!;
}

/**
 * 0, 1, … up to `limit` (exclusive), int64 [length].
 * @param limit int64 scalar
 * @param length name of the dimension
 */
export function Range(limit: Value, length: Dimension): Value {
  const [start, delta] = [0n, 1n].map((x) => limit.graph.constant('int64', [], BigInt64Array.of(x))) as [Value, Value];
  return limit.graph.node('Range', [start, limit, delta], [{ dtype: 'int64', dims: [length] }])[0]!;
}
