/** Reductions over axes: the axes are input 1, all without it. ArgMax is over one axis, an attribute. */
import {
  aroundAxis,
  axisOf,
  expect,
  input,
  integer,
  type Kernel,
  type KernelCall,
  type Kernels,
  numbers,
} from './kernel.ts';
import { sizeOf } from './tensor.ts';

function reduction(
  start: number,
  step: (total: number, x: number) => number,
  finish: (total: number, count: number) => number = (total) => total,
): Kernel {
  return {
    attributes: ['keepdims'],
    compute: (call) => {
      const x = input(call, 0);
      const axes = numbers(call, 1)?.map((axis) => axisOf(call.node, axis, x.dims.length)) ?? [...x.dims.keys()];
      const kept = x.dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
      const data = new Float64Array(sizeOf(kept)).fill(start);
      for (let i = 0; i < x.data.length; i++) {
        const group = groupOf(i, x.dims, kept);
        data[group] = step(data[group]!, x.data[i]!);
      }
      const count = sizeOf(axes.map((axis) => x.dims[axis]!));
      const dims = integer(call.node, 'keepdims', 1) === 1 ? kept : x.dims.filter((_, axis) => !axes.includes(axis));
      return [{ dtype: x.dtype, dims, data: data.map((total) => finish(total, count)) }];
    },
  };
}

/** Where in the reduced tensor the element at a flat position goes. */
function groupOf(position: number, dims: readonly number[], kept: readonly number[]): number {
  let rest = position;
  let group = 0;
  let stride = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    if (kept[axis] !== 1) group += (rest % dims[axis]!) * stride;
    rest = Math.floor(rest / dims[axis]!);
    stride *= kept[axis]!;
  }
  return group;
}

const argMax: Kernel = {
  attributes: ['axis', 'keepdims', 'select_last_index'],
  compute: (call: KernelCall) => {
    const { node } = call;
    const x = input(call, 0);
    expect(node, integer(node, 'select_last_index', 0) === 0, 'select_last_index is not supported');
    const axis = axisOf(node, integer(node, 'axis', 0), x.dims.length);
    const { outer, size, inner } = aroundAxis(x.dims, axis);
    expect(node, size > 0, 'an axis of size 0 has no largest element');
    const data = new Float64Array(outer * inner);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let best = 0;
        for (let k = 1; k < size; k++) {
          if (x.data[(o * size + k) * inner + i]! > x.data[(o * size + best) * inner + i]!) best = k;
        }
        data[o * inner + i] = best;
      }
    }
    const keepdims = integer(node, 'keepdims', 1) === 1;
    const dims = x.dims.flatMap((dim, at) => (at !== axis ? [dim] : keepdims ? [1] : []));
    return [{ dtype: 'int64', dims, data }];
  },
};

export const reductionKernels: Kernels = {
  ReduceSum: reduction(0, (total, x) => total + x),
  ReduceMean: reduction(
    0,
    (total, x) => total + x,
    (total, count) => total / count,
  ),
  ReduceMax: reduction(Number.NEGATIVE_INFINITY, Math.max),
  ArgMax: argMax,
};
