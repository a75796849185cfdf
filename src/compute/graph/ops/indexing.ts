/** ONNX operators that gather and scatter by integer indices. Indices carry no gradient. */
import { LexrayError } from '../../../util/errors.ts';
import type { Dimension, InputGradient, Value } from '../graph.ts';
import { normalAxis } from '../shape.ts';
import { ConstantOfShape } from './constant.ts';
import { Expand, Shape, Transpose, Unsqueeze } from './movement.ts';

/** What is known of the indices of a {@link Gather}. */
export interface GatherOptions {
  /** No index occurs twice, which makes the gradient cheaper. @default false */
  readonly unique?: boolean;
}

/**
 * Slices of x along an axis, one for each index.
 * @param indices int64, any rank; a gradient needs rank 1
 */
export function Gather(x: Value, indices: Value, axis = 0, options: GatherOptions = {}): Value {
  const at = normalAxis('Gather', axis, x.dims.length);
  const dims = [...x.dims.slice(0, at), ...indices.dims, ...x.dims.slice(at + 1)];
  const [y] = x.graph.node('Gather', [x, indices], [{ dtype: x.dtype, dims }], { axis: at }) as [Value];
  if (x.dtype === 'float32') {
    x.graph.differentiate({
      inputs: [x],
      outputs: [y],
      backward: ([gradient]) => [gatherGradient(x, indices, at, gradient!, options.unique ?? false)],
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
 * A copy of x with updates written at, or added to, index tuples. With `add` no index tuple may occur twice: onnxruntime
 * adds on several threads without a lock (see `scatter-gradient.ts`).
 * @param indices int64 [n, depth]
 * @param updates [n, ...x.dims[depth:]]
 */
export function ScatterND(x: Value, indices: Value, updates: Value, reduction: 'none' | 'add'): Value {
  return x.graph.node('ScatterND', [x, indices, updates], [{ dtype: x.dtype, dims: x.dims }], { reduction })[0]!;
}

/**
 * A copy of x with updates written along an axis: y[indices[i, j], j] = updates[i, j] on axis 0 of two. No place may occur twice.
 * @param indices int64, of the updates' shape
 */
export function ScatterElements(x: Value, indices: Value, updates: Value, axis: number): Value {
  const at = normalAxis('ScatterElements', axis, x.dims.length);
  return x.graph.node('ScatterElements', [x, indices, updates], [{ dtype: x.dtype, dims: x.dims }], { axis: at })[0]!;
}

/**
 * A copy of x with rows added to it; rows may repeat. Slow: element by element on one thread.
 * @param rows int64 [n]
 * @param updates [n, ...x.dims[1:]]
 */
export function addRows(x: Value, rows: Value, updates: Value): Value {
  const column = Unsqueeze(
    rows,
    updates.dims.slice(1).map((_, axis) => axis + 1),
  );
  const indices = Expand(column, Shape(updates), updates.dims);
  const attributes = { axis: 0, reduction: 'add' };
  return x.graph.node('ScatterElements', [x, indices, updates], [{ dtype: x.dtype, dims: x.dims }], attributes)[0]!;
}

/**
 * Positions of the elements that are not zero, int64 [rank, count], in row-major order.
 * @param count name of the new dimension
 */
export function NonZero(x: Value, count: Dimension): Value {
  return x.graph.node('NonZero', [x], [{ dtype: 'int64', dims: [x.dims.length, count] }])[0]!;
}

function gatherGradient(x: Value, indices: Value, axis: number, gradient: Value, unique: boolean): InputGradient {
  const rank = indices.dims.length;
  if (rank !== 1) throw new LexrayError('FAILED', `Gather: a gradient needs indices of rank 1, got [${indices.dims}]`);
  if (axis === 0 && x.dims.length === 2 && !unique) return { kind: 'rows', rows: indices, values: gradient };
  return (accumulated) => {
    // Rows are added along axis 0: other axes are moved there and back.
    const order = [axis, ...x.dims.map((_, i) => i).filter((i) => i !== axis)];
    const inverse = order.map((_, i) => order.indexOf(i));
    const start = accumulated ?? ConstantOfShape(Shape(x), x.dims, 0);
    const base = axis === 0 ? start : Transpose(start, order);
    const updates = axis === 0 ? gradient : Transpose(gradient, order);
    const sum = unique ? ScatterND(base, Unsqueeze(indices, [1]), updates, 'add') : addRows(base, indices, updates);
    return axis === 0 ? sum : Transpose(sum, inverse);
  };
}
