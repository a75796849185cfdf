/** GELU: x·Φ(x), or its tanh approximation. */
import { mapElements } from './elementwise.ts';
import { erfc } from './erf.ts';
import { input, type Kernels, kernelError, text } from './kernel.ts';

function gelu(x: number): number {
  return 0.5 * x * erfc(-x * Math.SQRT1_2);
}

function geluTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

export const activationKernels: Kernels = {
  Gelu: {
    attributes: ['approximate'],
    compute: (call) => {
      const form = text(call.node, 'approximate', 'none');
      if (form !== 'none' && form !== 'tanh') throw kernelError(call.node, `approximate "${form}" is not known`);
      return [mapElements(input(call, 0), form === 'none' ? gelu : geluTanh)];
    },
  },
};
