/** TopK: the largest elements along an axis, in descending order, the first of equals first. */
import { aroundAxis, axisOf, expect, input, integer, type Kernel, type Kernels, numbers } from './kernel.ts';

const topK: Kernel = {
  attributes: ['axis', 'largest', 'sorted'],
  compute: (call) => {
    const { node } = call;
    const x = input(call, 0);
    const k = numbers(call, 1)![0]!;
    const isDescending = integer(node, 'largest', 1) === 1 && integer(node, 'sorted', 1) === 1;
    expect(node, isDescending, 'only the largest elements, sorted, are supported');
    const axis = axisOf(node, integer(node, 'axis', -1), x.dims.length);
    const { outer, size, inner } = aroundAxis(x.dims, axis);
    expect(node, k <= size, `${k} elements of an axis of size ${size}`);
    const dims = x.dims.with(axis, k);
    const values = new Float64Array(outer * k * inner);
    const positions = new Float64Array(outer * k * inner);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const at = (position: number): number => x.data[(o * size + position) * inner + i]!;
        const order = Array.from({ length: size }, (_, position) => position).sort((a, b) => at(b) - at(a) || a - b);
        for (let rank = 0; rank < k; rank++) {
          values[(o * k + rank) * inner + i] = at(order[rank]!);
          positions[(o * k + rank) * inner + i] = order[rank]!;
        }
      }
    }
    return [
      { dtype: x.dtype, dims, data: values },
      { dtype: 'int64', dims, data: positions },
    ];
  },
};

export const topKKernels: Kernels = { TopK: topK };
