/** Conversion between element types: to integers by truncation, to bool by comparison with zero. */
import type { DataType } from '../../graph/graph.ts';
import { input, integer, type Kernels, kernelError } from './kernel.ts';

const onnxTypes: Readonly<Record<number, DataType>> = { 1: 'float32', 6: 'int32', 7: 'int64', 9: 'bool' };

function convert(x: number, dtype: DataType): number {
  if (dtype === 'bool') return x === 0 ? 0 : 1;
  if (dtype === 'int32') return x | 0;
  return dtype === 'int64' ? Math.trunc(x) : x;
}

export const castKernels: Kernels = {
  Cast: {
    attributes: ['to'],
    compute: (call) => {
      const x = input(call, 0);
      const to = integer(call.node, 'to', 0);
      const dtype = onnxTypes[to];
      if (dtype === undefined) throw kernelError(call.node, `element type ${to} is not known`);
      return [{ dtype, dims: x.dims, data: x.data.map((value) => convert(value, dtype)) }];
    },
  },
};
