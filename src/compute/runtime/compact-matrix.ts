/** Matrices kept in fewer bits: float16 (IEEE 754 binary16), or int8 with one scale for each row, W[r] ≈ scale[r]·Q[r]. */
import { decodeF16, encodeF16 } from '../../util/half-float.ts';
import type { VariableSpec } from './engine.ts';

/** Whether a variable is kept so by an engine that keeps matrices compact. */
export function isCompact({ trainable, dims }: VariableSpec): boolean {
  return !trainable && dims.length === 2;
}

/** A matrix [rows, width]. */
export type CompactMatrix =
  | { readonly precision: 'float16'; readonly words: Uint16Array<ArrayBuffer> }
  | { readonly precision: 'int8'; readonly quanta: Int8Array<ArrayBuffer>; readonly scales: Float32Array<ArrayBuffer> };

/** Largest |Q|. */
const largest = 127;

/** Converts a matrix of `rows` rows. int8: rounded to the nearest multiple of largest |w| / 127 of the row. */
export function toCompact(data: Float32Array, rows: number, precision: CompactMatrix['precision']): CompactMatrix {
  if (precision === 'float16') return { precision, words: encodeF16(data) as Uint16Array<ArrayBuffer> };
  const width = data.length / rows;
  const quanta = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const from = row * width;
    let most = 0;
    for (let i = from; i < from + width; i++) most = Math.max(most, Math.abs(data[i]!));
    // Not finite weights must stay visible: with such a scale every product is NaN.
    scales[row] = most / largest;
    const inverse = most > 0 ? largest / most : 0;
    for (let i = from; i < from + width; i++) quanta[i] = Math.round(data[i]! * inverse);
  }
  return { precision, quanta, scales };
}

/** The matrix as float32. */
export function fromCompact(matrix: CompactMatrix): Float32Array<ArrayBuffer> {
  if (matrix.precision === 'float16') {
    const data = new Float32Array(matrix.words.length);
    decodeF16(matrix.words, data);
    return data;
  }
  const { quanta, scales } = matrix;
  const width = quanta.length / scales.length;
  return Float32Array.from(quanta, (q, i) => q * scales[Math.floor(i / width)]!);
}

/** Rows `start` to `end` (exclusive) of an int8 matrix as columns, [width, end − start]. */
export function transposedRows(quanta: Int8Array, width: number, start: number, end: number): Int8Array<ArrayBuffer> {
  const count = end - start;
  const columns = new Int8Array(width * count);
  for (let row = 0; row < count; row++) {
    const from = (start + row) * width;
    for (let i = 0; i < width; i++) columns[i * count + row] = quanta[from + i]!;
  }
  return columns;
}
