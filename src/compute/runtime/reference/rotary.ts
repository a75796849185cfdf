/** Rotary position embedding: feature i of a head is rotated with feature i + d/2. */
import { expect, input, type Kernels, numbers } from './kernel.ts';

export const rotaryKernels: Kernels = {
  'com.microsoft.RotaryEmbedding': {
    attributes: [],
    compute: (call) => {
      const { node } = call;
      const [x, cos, sin] = [input(call, 0), input(call, 2), input(call, 3)];
      const [batch, length, width] = x.dims as [number, number, number];
      const start = numbers(call, 1)!;
      const half = cos.dims[1]!;
      expect(node, x.dims.length === 3 && start.length === 1, 'x of rank 3 and one position, the first, expected');
      expect(node, width % (2 * half) === 0, `heads of ${2 * half} features do not fill ${width}`);
      expect(node, `${cos.dims}` === `${sin.dims}`, `tables [${cos.dims}] and [${sin.dims}] differ in shape`);
      expect(node, start[0]! + length <= cos.dims[0]!, `${length} tokens from ${start[0]} on, ${cos.dims[0]} rows`);
      const data = new Float64Array(x.data.length);
      for (let token = 0; token < batch * length; token++) {
        const row = (start[0]! + (token % length)) * half;
        for (let head = token * width; head < (token + 1) * width; head += 2 * half) {
          for (let i = 0; i < half; i++) {
            const [a, b] = [x.data[head + i]!, x.data[head + half + i]!];
            const [c, s] = [cos.data[row + i]!, sin.data[row + i]!];
            data[head + i] = a * c - b * s;
            data[head + half + i] = b * c + a * s;
          }
        }
      }
      return [{ dtype: x.dtype, dims: x.dims, data }];
    },
  },
};
