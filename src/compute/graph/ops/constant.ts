/** Tensors filled with one number. */
import type { Dimensions, Value } from '../graph.ts';

/** A float32 tensor of the given shape (int64 vector), every element `fill`. */
export function ConstantOfShape(shape: Value, dims: Dimensions, fill: number): Value {
  const tensor = { dtype: 'float32', dims: [1], data: Float32Array.of(fill) } as const;
  return shape.graph.node('ConstantOfShape', [shape], [{ dtype: 'float32', dims }], { value: { tensor } })[0]!;
}
