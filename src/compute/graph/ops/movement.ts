/** ONNX operators that move data without computing: reshape, transpose, slice, split, concatenate, expand. */
import { LexrayError } from '../../../util/errors.ts';
import type { Dimension, Dimensions, Value } from '../graph.ts';
import { expectSame, normalAxis } from '../shape.ts';
import { ConstantOfShape } from './constant.ts';
import { accumulate } from './elementwise.ts';
import { ScatterND } from './indexing.ts';

/** The shape of x, int64 [rank]. */
export function Shape(x: Value): Value {
  return x.graph.node('Shape', [x], [{ dtype: 'int64', dims: [x.dims.length] }])[0]!;
}

/** One element of an int64 or float vector, as a scalar. */
export function Gather0(x: Value, index: number): Value {
  const position = x.graph.constant('int64', [], BigInt64Array.of(BigInt(index)));
  return x.graph.node('Gather', [x, position], [{ dtype: x.dtype, dims: [] }], { axis: 0 })[0]!;
}

/**
 * The same elements in another shape.
 * @param shape int64 vector (one entry may be −1, if none is 0), or the sizes when they are all known
 * @param dims the resulting dimensions, when `shape` is a value
 */
export function Reshape(x: Value, shape: Value | readonly number[], dims?: Dimensions): Value {
  const isValue = !Array.isArray(shape);
  const target = isValue ? (shape as Value) : x.graph.int64(shape as readonly number[]);
  const resulting = dims ?? (isValue ? undefined : (shape as readonly number[]));
  if (resulting === undefined) throw new LexrayError('FAILED', 'Reshape: dims are needed with a shape value');
  // Without allowzero a 0 would copy the size of x at that place, which is wrong for tensors without elements.
  const spec = { dtype: x.dtype, dims: resulting };
  const [y] = x.graph.node('Reshape', [x, target], [spec], { allowzero: 1 }) as [Value];
  x.graph.differentiate({
    inputs: [x],
    outputs: [y],
    backward: ([gradient]) => [accumulate(x, x.dims, () => Reshape(gradient!, Shape(x), x.dims))],
  });
  return y;
}

/** Axes in another order. */
export function Transpose(x: Value, perm: readonly number[]): Value {
  const dims = perm.map((axis) => x.dims[normalAxis('Transpose', axis, x.dims.length)]!);
  const [y] = x.graph.node('Transpose', [x], [{ dtype: x.dtype, dims }], { perm }) as [Value];
  const inverse = perm.map((_, axis) => perm.indexOf(axis));
  x.graph.differentiate({
    inputs: [x],
    outputs: [y],
    backward: ([gradient]) => [accumulate(x, x.dims, () => Transpose(gradient!, inverse))],
  });
  return y;
}

/** New axes of size 1, at positions of the result. */
export function Unsqueeze(x: Value, axes: readonly number[]): Value {
  const rank = x.dims.length + axes.length;
  const normal = axes.map((axis) => normalAxis('Unsqueeze', axis, rank));
  const rest = [...x.dims];
  const dims = Array.from({ length: rank }, (_, axis): Dimension => (normal.includes(axis) ? 1 : rest.shift()!));
  const [y] = x.graph.node('Unsqueeze', [x, x.graph.int64(normal)], [{ dtype: x.dtype, dims }]) as [Value];
  x.graph.differentiate({
    inputs: [x],
    outputs: [y],
    backward: ([gradient]) => [accumulate(x, x.dims, () => Reshape(gradient!, Shape(x), x.dims))],
  });
  return y;
}

/** x repeated to a larger shape by broadcasting. */
export function Expand(x: Value, shape: Value, dims: Dimensions): Value {
  const [y] = x.graph.node('Expand', [x, shape], [{ dtype: x.dtype, dims }]) as [Value];
  x.graph.differentiate({
    inputs: [x],
    outputs: [y],
    backward: ([gradient]) => [accumulate(x, dims, () => gradient!)],
  });
  return y;
}

/** Values joined along an axis. */
export function Concat(values: readonly Value[], axis: number, joined: Dimension): Value {
  const [first] = values;
  if (first === undefined) throw new LexrayError('FAILED', 'Concat: at least one value expected');
  const at = normalAxis('Concat', axis, first.dims.length);
  if (values.length === 1 && first.dims[at] === joined) return first;
  for (const value of values) {
    value.dims.forEach((dim, i) => {
      if (i !== at) expectSame('Concat', dim, first.dims[i]);
    });
  }
  const dims = first.dims.map((dim, i) => (i === at ? joined : dim));
  const graph = first.graph;
  const [y] = graph.node('Concat', values, [{ dtype: first.dtype, dims }], { axis: at }) as [Value];
  graph.differentiate({
    inputs: values,
    outputs: [y],
    backward: ([gradient]) => {
      const parts = splitLike(gradient!, values, at);
      return values.map((value, i) => accumulate(value, value.dims, () => parts[i]!));
    },
  });
  return y;
}

/** Rows `start` to `end` (exclusive) of axis 0, both constants. */
export function sliceRows(x: Value, start: number, end: number): Value {
  const graph = x.graph;
  const dims = [end - start, ...x.dims.slice(1)];
  const inputs = [x, graph.int64([start]), graph.int64([end]), graph.int64([0])];
  const [y] = graph.node('Slice', inputs, [{ dtype: x.dtype, dims }]) as [Value];
  graph.differentiate({
    inputs: [x],
    outputs: [y],
    backward: ([gradient]) => [
      (accumulated) => {
        const rows = graph.constant(
          'int64',
          [end - start, 1],
          BigInt64Array.from({ length: end - start }, (_, i) => BigInt(start + i)),
        );
        return ScatterND(accumulated ?? ConstantOfShape(Shape(x), x.dims, 0), rows, gradient!, 'add');
      },
    ],
  });
  return y;
}

/** x cut along an axis into parts of the given sizes. */
export function Split(x: Value, sizes: readonly number[], axis: number): Value[] {
  const at = normalAxis('Split', axis, x.dims.length);
  expectSame(
    'Split',
    x.dims[at],
    sizes.reduce((sum, size) => sum + size, 0),
  );
  return splitInto(x, x.graph.int64(sizes), sizes, at);
}

/** x cut along axis 0 into as many blocks of rows, as long as each other, the last with what is left over. */
export function splitBlocks(x: Value, count: number): Value[] {
  if (count === 1) return [x];
  const graph = x.graph;
  const integer = (op: string, a: Value, b: Value): Value =>
    graph.node(op, [a, b], [{ dtype: 'int64', dims: [1] }])[0]!;
  const rows = graph.node('Gather', [Shape(x), graph.int64([0])], [{ dtype: 'int64', dims: [1] }], { axis: 0 })[0]!;
  const size = integer('Div', rows, graph.int64([count]));
  const rest = integer('Sub', rows, integer('Mul', size, graph.int64([count - 1])));
  const sizes = Array.from({ length: count }, (_, i) => (i < count - 1 ? size : rest));
  const names = sizes.map((_, i) => `${x.dims[0]}, ${i < count - 1 ? 'a block' : 'the last block'} of ${count}`);
  return splitInto(x, Concat(sizes, 0, count), names, 0);
}

function splitInto(x: Value, sizes: Value, lengths: Dimensions, axis: number): Value[] {
  const graph = x.graph;
  const outputs = lengths.map((length) => ({
    dtype: x.dtype,
    dims: x.dims.map((dim, i) => (i === axis ? length : dim)),
  }));
  const parts = graph.node('Split', [x, sizes], outputs, { axis });
  graph.differentiate({
    inputs: [x],
    outputs: parts,
    backward: (gradients) => {
      const build = (): Value => {
        const whole = parts.map((part, i) => gradients[i] ?? ConstantOfShape(Shape(part), part.dims, 0));
        return Concat(whole, axis, x.dims[axis]!);
      };
      return [accumulate(x, x.dims, build)];
    },
  });
  return parts;
}

/** Cuts x along an axis into pieces as long as the given values. */
function splitLike(x: Value, like: readonly Value[], axis: number): Value[] {
  const graph = x.graph;
  const lengths = like.map((value) => {
    const size = graph.node('Gather', [Shape(value), graph.int64([axis])], [{ dtype: 'int64', dims: [1] }], {
      axis: 0,
    });
    return size[0]!;
  });
  const sizes = Concat(lengths, 0, lengths.length);
  const outputs = like.map((value) => ({ dtype: x.dtype, dims: value.dims }));
  return graph.node('Split', [x, sizes], outputs, { axis });
}
