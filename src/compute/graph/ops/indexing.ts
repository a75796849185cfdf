/** ONNX operators that gather and scatter by integer indices. Indices carry no gradient. */
import { LexrayError } from '../../../util/errors.ts';
import type { Dimension, Value } from '../graph.ts';
import { normalAxis } from '../shape.ts';
import { ConstantOfShape } from './constant.ts';
import { Shape, Transpose, Unsqueeze } from './movement.ts';

/**
 * Slices of x along an axis, one for each index.
 * @param indices int64, any rank
 */
export function Gather(x: Value, indices: Value, axis = 0): Value {
  const at = normalAxis('Gather', axis, x.dims.length);
  const dims = [...x.dims.slice(0, at), ...indices.dims, ...x.dims.slice(at + 1)];
  const [y] = x.graph.node('Gather', [x, indices], [{ dtype: x.dtype, dims }], { axis: at }) as [Value];
  if (x.dtype === 'float32') {
    x.graph.differentiate({
      inputs: [x],
      outputs: [y],
      backward: ([gradient]) => [(accumulated) => gatherGradient(x, indices, at, gradient!, accumulated)],
    });
  }
  return y;
}

/** Elements (or slices) of x at index tuples: indices int64 [..., depth]. */
export function GatherND(x: Value, indices: Value): Value {
  const depth = indices.dims.at(-1);
  if (typeof depth !== 'number')
    throw new LexrayError('FAILED', 'GatherND: the last dimension of indices must be known');
  const dims = [...indices.dims.slice(0, -1), ...x.dims.slice(depth)];
  return x.graph.node('GatherND', [x, indices], [{ dtype: x.dtype, dims }])[0]!;
}

/**
 * A copy of x with updates written at, or added to, index tuples.
 * @param indices int64 [n, depth]
 * @param updates [n, ...x.dims[depth:]]
 */
export function ScatterND(x: Value, indices: Value, updates: Value, reduction: 'none' | 'add'): Value {
  return x.graph.node('ScatterND', [x, indices, updates], [{ dtype: x.dtype, dims: x.dims }], { reduction })[0]!;
}

/**
 * Positions of the elements that are not zero, int64 [rank, count], in row-major order.
 * @param count name of the new dimension
 */
export function NonZero(x: Value, count: Dimension): Value {
  return x.graph.node('NonZero', [x], [{ dtype: 'int64', dims: [x.dims.length, count] }])[0]!;
}

function gatherGradient(
  x: Value,
  indices: Value,
  axis: number,
  gradient: Value,
  accumulated: Value | undefined,
): Value {
  const rank = indices.dims.length;
  if (rank !== 1) throw new LexrayError('FAILED', `Gather: a gradient needs indices of rank 1, got [${indices.dims}]`);
  // Scatter works on axis 0: other axes are moved there and back.
  const order = [axis, ...x.dims.map((_, i) => i).filter((i) => i !== axis)];
  const inverse = order.map((_, i) => order.indexOf(i));
  const start = accumulated ?? ConstantOfShape(Shape(x), x.dims, 0);
  const base = axis === 0 ? start : Transpose(start, order);
  const updates = axis === 0 ? gradient : Transpose(gradient, order);
  const sum = ScatterND(base, Unsqueeze(indices, [1]), updates, 'add');
  return axis === 0 ? sum : Transpose(sum, inverse);
}
