/** ONNX TopK: the largest elements along an axis. */
import { LexrayError } from '../../../util/errors.ts';
import type { Value } from '../graph.ts';
import { normalAxis } from '../shape.ts';

/**
 * The k largest elements along an axis, in descending order, and their positions, int64. Of equal ones that with the smaller
 * position comes first. Not differentiable here.
 * @param x with at least one element: without any, onnxruntime 1.30.0 divides by zero and takes the process down
 */
export function TopK(x: Value, k: number, axis: number): readonly [values: Value, positions: Value] {
  const at = normalAxis('TopK', axis, x.dims.length);
  const size = x.dims[at]!;
  if (!Number.isInteger(k) || k < 1 || (typeof size === 'number' && k > size)) {
    throw new LexrayError('FAILED', `TopK: 1 to ${size} elements expected, got ${k}`);
  }
  const dims = x.dims.map((dim, i) => (i === at ? k : dim));
  const outputs = [
    { dtype: x.dtype, dims },
    { dtype: 'int64', dims },
  ] as const;
  const attributes = { axis: at, largest: 1, sorted: 1 };
  const [values, positions] = x.graph.node('TopK', [x, x.graph.int64([k])], outputs, attributes) as [Value, Value];
  return [values, positions];
}
