/**
 * Rows of a matrix that repeat an earlier row bit by bit. Vocabularies are padded to a round number with rows of zeros or
 * copies of one row; such dimensions say nothing, or all say the same.
 */

/**
 * @param matrix row-major
 * @param width numbers in a row
 * @param norms norm of each row; rows of norm 0 are left out
 * @returns the rows that repeat one before them, ascending
 */
export function findIdenticalRows(matrix: Float32Array, width: number, norms: Float64Array): number[] {
  const words = new Uint32Array(matrix.buffer, matrix.byteOffset, matrix.length);
  const firstOf = new Map<number, number[]>();
  const repeated: number[] = [];
  // Equal rows have equal norms, so only rows that share one are compared.
  for (let row = 0; row < norms.length; row++) {
    const norm = norms[row]!;
    if (norm === 0) continue;
    const earlier = firstOf.get(norm);
    if (earlier === undefined) firstOf.set(norm, [row]);
    else if (earlier.some((other) => sameWords(words, row * width, other * width, width))) repeated.push(row);
    else if (earlier.length < 16) earlier.push(row);
  }
  return repeated;
}

function sameWords(words: Uint32Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (words[a + i] !== words[b + i]) return false;
  return true;
}
