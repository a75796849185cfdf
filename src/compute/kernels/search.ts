/** Loads the search kernels (`assembly/search.ts`) on a WebAssembly memory. */
import { readFileSync } from 'node:fs';
import { builtFile } from '../../util/built-file.ts';

/** The kernels; pointers are byte offsets into the memory. */
export interface SearchKernels {
  /** accumulators[documents[i]] += queryWeight · weights[i] for i < count, in float32. */
  accumulate(documents: number, weights: number, count: number, queryWeight: number, accumulators: number): void;
  /** Sets bytes to zero. */
  clear(pointer: number, bytes: number): void;
  /**
   * Writes the `k` greatest of `count` accumulators above 0 to `keys`, best first, 8 bytes each: the complement of the
   * number (uint32), then the score (float32). Of equal ones the smaller number is the better. Accumulators beyond
   * `count`, up to a multiple of 16, must be 0.
   * @returns how many there are
   */
  selectTop(accumulators: number, count: number, k: number, keys: number): number;
}

let compiled: WebAssembly.Module | undefined;

/** Instantiates the kernels on a memory. */
export function searchKernels(memory: WebAssembly.Memory): SearchKernels {
  compiled ??= new WebAssembly.Module(readFileSync(builtFile('compute/kernels/search.wasm')));
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  return instance.exports as unknown as SearchKernels;
}
