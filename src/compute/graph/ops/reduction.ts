/** ONNX reductions over axes, each with its vector-Jacobian product; ArgMax has none. */
import type { Dimension, InputGradient, Value } from '../graph.ts';
import { normalAxis } from '../shape.ts';
import { Cast } from './cast.ts';
import { accumulate, Div, Mul } from './elementwise.ts';
import { Expand, Gather0, Shape, Unsqueeze } from './movement.ts';

/** Sum over axes. */
export function ReduceSum(x: Value, axes: readonly number[], keepdims: boolean): Value {
  return reduction('ReduceSum', x, axes, keepdims, (gradient) => gradient);
}

/** Mean over axes. */
export function ReduceMean(x: Value, axes: readonly number[], keepdims: boolean): Value {
  return reduction('ReduceMean', x, axes, keepdims, (gradient) => Div(gradient, countOf(x, axes)));
}

/** Sum of all elements: a scalar. */
export function sumAll(x: Value): Value {
  return x.dims.length === 0
    ? x
    : ReduceSum(
        x,
        x.dims.map((_, axis) => axis),
        false,
      );
}

/** Largest element along one axis. Not differentiable here: the pooled head gives its own differentiation. */
export function ReduceMax(x: Value, axis: number, keepdims: boolean): Value {
  const dims = reducedDims(x, [normalAxis('ReduceMax', axis, x.dims.length)], keepdims);
  const attributes = { keepdims: keepdims ? 1 : 0 };
  return x.graph.node('ReduceMax', [x, x.graph.int64([axis])], [{ dtype: x.dtype, dims }], attributes)[0]!;
}

/** Position of the first largest element along one axis, int64, the axis removed. */
export function ArgMax(x: Value, axis: number): Value {
  const dims = reducedDims(x, [normalAxis('ArgMax', axis, x.dims.length)], false);
  return x.graph.node('ArgMax', [x], [{ dtype: 'int64', dims }], { axis, keepdims: 0 })[0]!;
}

function reduction(
  op: string,
  x: Value,
  axes: readonly number[],
  keepdims: boolean,
  scale: (gradient: Value) => Value,
): Value {
  const normal = axes.map((axis) => normalAxis(op, axis, x.dims.length));
  const dims = reducedDims(x, normal, keepdims);
  const inputs = [x, x.graph.int64(normal)];
  const [y] = x.graph.node(op, inputs, [{ dtype: x.dtype, dims }], { keepdims: keepdims ? 1 : 0 }) as [Value];
  x.graph.differentiate({
    inputs: [x],
    outputs: [y],
    backward: ([gradient]): readonly InputGradient[] => {
      const build = (): Value => {
        const scaled = scale(gradient!);
        return Expand(keepdims ? scaled : Unsqueeze(scaled, normal), Shape(x), x.dims);
      };
      return [accumulate(x, x.dims, build)];
    },
  });
  return y;
}

function reducedDims(x: Value, axes: readonly number[], keepdims: boolean): Dimension[] {
  const dims = x.dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
  return keepdims ? dims : dims.filter((_, axis) => !axes.includes(axis));
}

function countOf(x: Value, axes: readonly number[]): Value {
  const shape = Shape(x);
  return axes
    .map((axis) => Cast(Gather0(shape, normalAxis('ReduceMean', axis, x.dims.length)), 'float32'))
    .reduce((product, size) => Mul(product, size));
}
