/** Matrix products. */
import { expect, float, input, integer, type Kernel, type KernelCall, type Kernels, kernelError } from './kernel.ts';
import { broadcastSizes, elementAt, type ReferenceTensor, sizeOf, tensorFrom } from './tensor.ts';

interface Product {
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
}

/** alpha · a · b over the last two axes, either of them transposed; the leading axes broadcast. */
function matrixProduct(call: KernelCall, { transA, transB, alpha }: Product): ReferenceTensor {
  const [a, b] = [input(call, 0), input(call, 1)];
  expect(call.node, a.dims.length >= 2 && b.dims.length >= 2, `matrices expected, got [${a.dims}] and [${b.dims}]`);
  const [rowsA, columnsA] = a.dims.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.dims.slice(-2) as [number, number];
  const [rows, inner] = transA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [innerB, columns] = transB ? [columnsB, rowsB] : [rowsB, columnsB];
  const lead = broadcastSizes(a.dims.slice(0, -2), b.dims.slice(0, -2));
  if (inner !== innerB || lead === undefined) {
    throw kernelError(call.node, `shapes [${a.dims}] and [${b.dims}] do not multiply`);
  }
  const matricesA = matrixNumbers(a, lead);
  const matricesB = matrixNumbers(b, lead);
  const data = new Float64Array(matricesA.length * rows * columns);
  for (let m = 0; m < matricesA.length; m++) {
    const startA = matricesA[m]! * rowsA * columnsA;
    const startB = matricesB[m]! * rowsB * columnsB;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) {
          const x = a.data[startA + (transA ? k * columnsA + row : row * columnsA + k)]!;
          const y = b.data[startB + (transB ? column * columnsB + k : k * columnsB + column)]!;
          sum += x * y;
        }
        data[(m * rows + row) * columns + column] = alpha * sum;
      }
    }
  }
  return { dtype: a.dtype, dims: [...lead, rows, columns], data };
}

/** Which matrix of x, of all that lie one after another, each batch coordinate uses. */
function matrixNumbers(x: ReferenceTensor, lead: readonly number[]): Float64Array {
  const own = x.dims.slice(0, -2);
  const numbered: ReferenceTensor = {
    dtype: 'int64',
    dims: own,
    data: Float64Array.from({ length: sizeOf(own) }, nth),
  };
  return tensorFrom('int64', lead, (at) => elementAt(numbered, at)).data;
}

function nth(_: unknown, i: number): number {
  return i;
}

function flag(call: KernelCall, name: string): boolean {
  return integer(call.node, name, 0) !== 0;
}

const matMul: Kernel = {
  attributes: [],
  compute: (call) => [matrixProduct(call, { transA: false, transB: false, alpha: 1 })],
};

const fusedMatMul: Kernel = {
  attributes: ['transA', 'transB', 'alpha'],
  compute: (call) => [
    matrixProduct(call, {
      transA: flag(call, 'transA'),
      transB: flag(call, 'transB'),
      alpha: float(call.node, 'alpha', 1),
    }),
  ],
};

const gemm: Kernel = {
  attributes: ['transA', 'transB', 'alpha', 'beta'],
  compute: (call) => {
    const [product] = fusedMatMul.compute(call) as [ReferenceTensor];
    expect(call.node, product.dims.length === 2, `matrices expected, got a product [${product.dims}]`);
    const bias = call.inputs[2];
    if (bias === undefined) return [product];
    const fits = broadcastSizes(product.dims, bias.dims)?.join() === product.dims.join();
    expect(call.node, fits, `a bias [${bias.dims}] does not stretch to [${product.dims}]`);
    const beta = float(call.node, 'beta', 1);
    return [tensorFrom(product.dtype, product.dims, (at) => elementAt(product, at) + beta * elementAt(bias, at))];
  },
};

export const linearAlgebraKernels: Kernels = { MatMul: matMul, 'com.microsoft.FusedMatMul': fusedMatMul, Gemm: gemm };
