/** Loads the optimizer kernels (`assembly/optimizer.ts`) on a WebAssembly memory. */
import { readFileSync } from 'node:fs';
import { builtFile } from '../../util/built-file.ts';

/** The kernels; pointers are byte offsets into the memory, lengths count f32 elements (multiples of 4). */
export interface OptimizerKernels {
  sumOfSquares(pointer: number, length: number): number;
  adamW(
    weights: number,
    gradients: number,
    firstMoments: number,
    secondMoments: number,
    length: number,
    learningRate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    weightDecay: number,
    correction1: number,
    rootCorrection2: number,
    gradientScale: number,
  ): void;
}

let compiled: WebAssembly.Module | undefined;

/** Instantiates the kernels on a memory. */
export function optimizerKernels(memory: WebAssembly.Memory): OptimizerKernels {
  compiled ??= new WebAssembly.Module(readFileSync(builtFile('compute/kernels/optimizer.wasm')));
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  return instance.exports as unknown as OptimizerKernels;
}
