/** What every format of weight files gives: tensors by name, read one at a time. */
import type { TensorInfo } from './safetensors-header.ts';

/** Fills `target` with bytes of a tensor from `start` on, both whole elements; the order is row-major, little-endian. */
export type ElementReader = (target: Uint8Array, start: number) => Promise<void>;

/** An open file of tensors. */
export interface TensorFile {
  /** Every tensor of the file by name, in the file's order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * Reads a tensor stored as F32, F16 or BF16.
   * @returns its elements, row-major, in a buffer of their own
   * @throws LexrayError BAD_INPUT when there is no such tensor, its type is no float type above, or a value is NaN or infinite
   */
  readTensor(name: string): Promise<Float32Array>;
  /**
   * The elements of a tensor of any type, as bytes.
   * @throws LexrayError BAD_INPUT when there is no such tensor
   */
  elements(name: string): Promise<ElementReader>;
  close(): Promise<void>;
}
