/** Tensors filled with one number. */
import type { Constant } from '../../graph/graph.ts';
import { type Kernels, kernelError, numbers } from './kernel.ts';
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
};
