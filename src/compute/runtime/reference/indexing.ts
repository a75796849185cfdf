/** Operators that gather and scatter by integer indices; negative indices count from the end. */
import {
  aroundAxis,
  axisOf,
  expect,
  indexOf,
  input,
  integer,
  type Kernel,
  type KernelCall,
  type Kernels,
  kernelError,
  text,
} from './kernel.ts';
import { type ReferenceTensor, sizeOf, stridesOf, tensorFrom } from './tensor.ts';

const gather: Kernel = {
  attributes: ['axis'],
  compute: (call) => {
    const { node } = call;
    const [x, indices] = [input(call, 0), input(call, 1)];
    const axis = axisOf(node, integer(node, 'axis', 0), x.dims.length);
    const { outer, size, inner } = aroundAxis(x.dims, axis);
    const dims = [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)];
    const data = new Float64Array(sizeOf(dims));
    let target = 0;
    for (let o = 0; o < outer; o++) {
      for (const index of indices.data) {
        const start = (o * size + indexOf(node, index, size)) * inner;
        data.set(x.data.subarray(start, start + inner), target);
        target += inner;
      }
    }
    return [{ dtype: x.dtype, dims, data }];
  },
};

/** Offsets of the slices of x that the index tuples name, and the size of a slice. */
function slices(call: KernelCall, x: ReferenceTensor, indices: ReferenceTensor): { starts: number[]; size: number } {
  const depth = indices.dims.at(-1);
  if (depth === undefined || depth > x.dims.length) {
    throw kernelError(call.node, `index tuples of shape [${indices.dims}] do not fit [${x.dims}]`);
  }
  const strides = stridesOf(x.dims);
  const starts = Array.from({ length: sizeOf(indices.dims.slice(0, -1)) }, (_, tuple) => {
    let start = 0;
    for (let i = 0; i < depth; i++) {
      start += indexOf(call.node, indices.data[tuple * depth + i]!, x.dims[i]!) * strides[i]!;
    }
    return start;
  });
  return { starts, size: sizeOf(x.dims.slice(depth)) };
}

const gatherND: Kernel = {
  attributes: ['batch_dims'],
  compute: (call) => {
    const [x, indices] = [input(call, 0), input(call, 1)];
    expect(call.node, integer(call.node, 'batch_dims', 0) === 0, 'batch_dims is not supported');
    const { starts, size } = slices(call, x, indices);
    const dims = [...indices.dims.slice(0, -1), ...x.dims.slice(indices.dims.at(-1)!)];
    const data = new Float64Array(sizeOf(dims));
    starts.forEach((start, i) => {
      data.set(x.data.subarray(start, start + size), i * size);
    });
    return [{ dtype: x.dtype, dims, data }];
  },
};

const scatterND: Kernel = {
  attributes: ['reduction'],
  compute: (call) => {
    const [x, indices, updates] = [input(call, 0), input(call, 1), input(call, 2)];
    const reduction = text(call.node, 'reduction', 'none');
    expect(call.node, reduction === 'none' || reduction === 'add', `reduction "${reduction}" is not supported`);
    const { starts, size } = slices(call, x, indices);
    const needed = [...indices.dims.slice(0, -1), ...x.dims.slice(indices.dims.at(-1)!)];
    expect(call.node, needed.join() === updates.dims.join(), `updates [${needed}] expected, got [${updates.dims}]`);
    const data = x.data.slice();
    starts.forEach((start, i) => {
      for (let k = 0; k < size; k++) {
        const update = updates.data[i * size + k]!;
        data[start + k] = reduction === 'add' ? data[start + k]! + update : update;
      }
    });
    return [{ dtype: x.dtype, dims: x.dims, data }];
  },
};

const scatterElements: Kernel = {
  attributes: ['axis', 'reduction'],
  compute: (call) => {
    const { node } = call;
    const [x, indices, updates] = [input(call, 0), input(call, 1), input(call, 2)];
    const axis = axisOf(node, integer(node, 'axis', 0), x.dims.length);
    const reduction = text(node, 'reduction', 'none');
    expect(node, reduction === 'none' || reduction === 'add', `reduction "${reduction}" is not supported`);
    const alike = indices.dims.join() === updates.dims.join() && indices.dims.length === x.dims.length;
    expect(node, alike, `indices [${indices.dims}] and updates [${updates.dims}] for [${x.dims}] do not fit`);
    const data = x.data.slice();
    const strides = stridesOf(x.dims);
    let next = 0;
    tensorFrom('int64', updates.dims, (at) => {
      const index = indexOf(node, indices.data[next]!, x.dims[axis]!);
      const target = at.with(axis, index).reduce((offset, i, along) => offset + i * strides[along]!, 0);
      const update = updates.data[next++]!;
      data[target] = reduction === 'add' ? data[target]! + update : update;
      return target;
    });
    return [{ dtype: x.dtype, dims: x.dims, data }];
  },
};

const nonZero: Kernel = {
  attributes: [],
  compute: (call) => {
    const x = input(call, 0);
    const found: number[][] = [];
    tensorFrom('bool', x.dims, (at) => {
      found.push([...at]);
      return 0;
    });
    const kept = found.filter((_, i) => x.data[i] !== 0);
    return [tensorFrom('int64', [x.dims.length, kept.length], ([axis, i]) => kept[i!]![axis!]!)];
  },
};

export const indexingKernels: Kernels = {
  Gather: gather,
  GatherND: gatherND,
  ScatterND: scatterND,
  ScatterElements: scatterElements,
  NonZero: nonZero,
};
