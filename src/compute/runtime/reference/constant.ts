/** Tensors filled with one number, or with numbers in a row. */
import type { Constant } from '../../graph/graph.ts';
import { expect, input, type Kernels, kernelError, numbers } from './kernel.ts';
import { sizeOf } from './tensor.ts';

const zero: Constant = { dtype: 'float32', dims: [1], data: Float32Array.of(0) };

export const constantKernels: Kernels = {
  ConstantOfShape: {
    attributes: ['value'],
    compute: (call) => {
      const dims = numbers(call, 0);
      const value = call.node.attributes.value ?? { tensor: zero };
      if (dims === undefined || typeof value !== 'object' || !('tensor' in value) || value.tensor.data.length !== 1) {
        throw kernelError(call.node, 'a shape and one value are needed');
      }
      const data = new Float64Array(sizeOf(dims)).fill(Number(value.tensor.data[0]));
      return [{ dtype: value.tensor.dtype, dims, data }];
    },
  },
  Range: {
    attributes: [],
    compute: (call) => {
      const [start, limit, delta] = [0, 1, 2].map((position) => input(call, position).data[0]!) as [
        number,
        number,
        number,
      ];
      expect(call.node, delta !== 0, 'a step that is not 0 expected');
      const count = Math.max(0, Math.ceil((limit - start) / delta));
      const data = Float64Array.from({ length: count }, (_, i) => start + i * delta);
      return [{ dtype: input(call, 0).dtype, dims: [count], data }];
    },
  },
};
