/** Element-wise operators. */
import type { DataType } from '../../graph/graph.ts';
import { erf } from './erf.ts';
import { input, type Kernel, type KernelCall, type Kernels, kernelError } from './kernel.ts';
import { broadcastSizes, elementAt, type ReferenceTensor, tensorFrom } from './tensor.ts';

/** Applies a function to each element. */
export function mapElements(x: ReferenceTensor, f: (x: number) => number): ReferenceTensor {
  return { dtype: x.dtype, dims: x.dims, data: x.data.map((value) => f(value)) };
}

function unary(f: (x: number) => number): Kernel {
  return { attributes: [], compute: (call) => [mapElements(input(call, 0), f)] };
}

function binary(f: (a: number, b: number) => number, dtype?: DataType): Kernel {
  return {
    attributes: [],
    compute: (call) => {
      const [a, b] = [input(call, 0), input(call, 1)];
      if (a.dtype !== b.dtype) throw kernelError(call.node, `types ${a.dtype} and ${b.dtype} differ`);
      const dims = broadcast(call, a.dims, b.dims);
      return [tensorFrom(dtype ?? a.dtype, dims, (at) => f(elementAt(a, at), elementAt(b, at)))];
    },
  };
}

function broadcast(call: KernelCall, a: readonly number[], b: readonly number[]): number[] {
  const dims = broadcastSizes(a, b);
  if (dims === undefined) throw kernelError(call.node, `shapes [${a}] and [${b}] do not broadcast`);
  return dims;
}

const where: Kernel = {
  attributes: [],
  compute: (call) => {
    const [condition, a, b] = [input(call, 0), input(call, 1), input(call, 2)];
    const dims = broadcast(call, broadcast(call, condition.dims, a.dims), b.dims);
    return [tensorFrom(a.dtype, dims, (at) => (elementAt(condition, at) !== 0 ? elementAt(a, at) : elementAt(b, at)))];
  },
};

export const elementwiseKernels: Kernels = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: {
    attributes: [],
    compute: (call) => {
      const integral = input(call, 0).dtype !== 'float32';
      return binary(integral ? (a, b) => Math.trunc(a / b) : (a, b) => a / b).compute(call);
    },
  },
  Greater: binary((a, b) => (a > b ? 1 : 0), 'bool'),
  Neg: unary((x) => -x),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Sqrt: unary(Math.sqrt),
  Cos: unary(Math.cos),
  Sin: unary(Math.sin),
  Erf: unary(erf),
  Tanh: unary(Math.tanh),
  Relu: unary((x) => Math.max(x, 0)),
  Identity: unary((x) => x),
  Where: where,
};
