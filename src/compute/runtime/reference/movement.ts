/** Operators that move data without computing. */
import {
  aroundAxis,
  axisOf,
  expect,
  input,
  integer,
  integers,
  type Kernel,
  type KernelCall,
  type Kernels,
  kernelError,
  numbers,
} from './kernel.ts';
import { broadcastSizes, elementAt, int64Vector, type ReferenceTensor, sizeOf, tensorFrom } from './tensor.ts';

const reshape: Kernel = {
  attributes: ['allowzero'],
  compute: (call) => {
    const x = input(call, 0);
    const copiesZero = integer(call.node, 'allowzero', 0) === 0;
    const target = [...input(call, 1).data].map((dim, axis) => (dim === 0 && copiesZero ? (x.dims[axis] ?? 0) : dim));
    const known = sizeOf(target.filter((dim) => dim !== -1));
    const dims = target.map((dim) => (dim === -1 ? x.data.length / known : dim));
    expect(
      call.node,
      sizeOf(dims) === x.data.length && dims.every(Number.isInteger),
      `[${x.dims}] to [${target}] changes the number of elements`,
    );
    return [{ ...x, dims }];
  },
};

const transpose: Kernel = {
  attributes: ['perm'],
  compute: (call) => {
    const x = input(call, 0);
    const perm = integers(call.node, 'perm', [...x.dims.keys()].reverse());
    const dims = perm.map((axis) => x.dims[axis]!);
    return [
      tensorFrom(x.dtype, dims, (at) =>
        elementAt(
          x,
          perm.map((_, axis) => at[perm.indexOf(axis)]!),
        ),
      ),
    ];
  },
};

const unsqueeze: Kernel = {
  attributes: [],
  compute: (call) => {
    const x = input(call, 0);
    const given = [...input(call, 1).data];
    const rank = x.dims.length + given.length;
    const axes = given.map((axis) => axisOf(call.node, axis, rank));
    const rest = [...x.dims];
    return [{ ...x, dims: Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!)) }];
  },
};

const expand: Kernel = {
  attributes: [],
  compute: (call) => {
    const x = input(call, 0);
    const shape = [...input(call, 1).data];
    const dims = broadcastSizes(x.dims, shape);
    if (dims === undefined) throw kernelError(call.node, `[${x.dims}] does not stretch to [${shape}]`);
    return [tensorFrom(x.dtype, dims, (at) => elementAt(x, at))];
  },
};

const concat: Kernel = {
  attributes: ['axis'],
  compute: (call) => {
    const values = call.inputs.map((_, i) => input(call, i));
    const first = values[0]!;
    const axis = axisOf(call.node, integer(call.node, 'axis', 0), first.dims.length);
    const alike = values.every((value) => value.dims.every((dim, i) => i === axis || dim === first.dims[i]));
    expect(call.node, alike, `shapes ${values.map((value) => `[${value.dims}]`).join(', ')} do not join`);
    const joined = values.reduce((sum, value) => sum + value.dims[axis]!, 0);
    const dims = first.dims.with(axis, joined);
    const pick = (at: readonly number[]): number => {
      let index = at[axis]!;
      for (const value of values) {
        if (index < value.dims[axis]!) return elementAt(value, at.with(axis, index));
        index -= value.dims[axis]!;
      }
      throw kernelError(call.node, `no part holds index ${at[axis]}`);
    };
    return [tensorFrom(first.dtype, dims, pick)];
  },
};

const split: Kernel = {
  attributes: ['axis'],
  compute: (call) => {
    const x = input(call, 0);
    const axis = axisOf(call.node, integer(call.node, 'axis', 0), x.dims.length);
    const sizes = [...input(call, 1).data];
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(call.node, total === x.dims[axis], `parts [${sizes}] do not cover an axis of size ${x.dims[axis]}`);
    let start = 0;
    return sizes.map((size) => {
      const part = range(x, axis, start, start + size);
      start += size;
      return part;
    });
  },
};

const slice: Kernel = {
  attributes: [],
  compute: (call: KernelCall) => {
    let x = input(call, 0);
    const starts = [...input(call, 1).data];
    const ends = [...input(call, 2).data];
    const axes = numbers(call, 3) ?? [...starts.keys()];
    expect(call.node, numbers(call, 4)?.every((step) => step === 1) ?? true, 'steps other than 1 are not supported');
    axes.forEach((given, i) => {
      const axis = axisOf(call.node, given, x.dims.length);
      const size = x.dims[axis]!;
      const clamp = (index: number): number => Math.min(Math.max(index < 0 ? index + size : index, 0), size);
      x = range(x, axis, clamp(starts[i]!), Math.max(clamp(starts[i]!), clamp(ends[i]!)));
    });
    return [x];
  },
};

/** Elements `start` to `end` (exclusive) along an axis. */
function range(x: ReferenceTensor, axis: number, start: number, end: number): ReferenceTensor {
  const { outer, size, inner } = aroundAxis(x.dims, axis);
  const rows = Array.from({ length: outer }, (_, o) =>
    x.data.subarray((o * size + start) * inner, (o * size + end) * inner),
  );
  return { dtype: x.dtype, dims: x.dims.with(axis, end - start), data: Float64Array.from(rows.flatMap((r) => [...r])) };
}

export const movementKernels: Kernels = {
  Shape: { attributes: [], compute: (call) => [int64Vector(input(call, 0).dims)] },
  Reshape: reshape,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Expand: expand,
  Concat: concat,
  Split: split,
  Slice: slice,
};
