/**
 * Dot products of all pairs of vectors that are held dense. Columns in which one side is all zero are left out, the others
 * are walked in tiles that stay in the cache; sums are in float64.
 */

/** Terms of a tile: 64 rows of them are 256 KiB. */
const tileWidth = 512;

/**
 * S = A·Bᵀ.
 * @param a rows of equal length
 * @param b rows of the same length; when it is `a` itself, only half of S is computed
 * @returns row-major [a.length, b.length]
 */
export function scoreMatrix(a: readonly Float32Array[], b: readonly Float32Array[]): Float64Array {
  const used = usedColumns(a);
  // Leaving columns out pays when most of them go.
  const columns = used.length > (a[0]?.length ?? 0) / 2 ? undefined : used;
  const left = a.map((row) => widened(row, columns));
  return multiply(left, a === b ? left : b.map((row) => widened(row, columns)));
}

/** A row, or some columns of it, in float64: once, instead of at every product. */
function widened(row: Float32Array, columns: Uint32Array | undefined): Float64Array {
  if (columns === undefined) return new Float64Array(row);
  const values = new Float64Array(columns.length);
  for (let i = 0; i < columns.length; i++) values[i] = row[columns[i]!]!;
  return values;
}

/** The columns in which a row is not zero. */
function usedColumns(rows: readonly Float32Array[]): Uint32Array {
  const used = new Uint8Array(rows[0]?.length ?? 0);
  for (const row of rows) for (let v = 0; v < row.length; v++) if (row[v] !== 0) used[v] = 1;
  const columns = new Uint32Array(used.reduce((sum, bit) => sum + bit, 0));
  for (let v = 0, at = 0; v < used.length; v++) if (used[v] === 1) columns[at++] = v;
  return columns;
}

function multiply(a: readonly Float64Array[], b: readonly Float64Array[]): Float64Array {
  const columns = b.length;
  const scores = new Float64Array(a.length * columns);
  const width = a[0]?.length ?? 0;
  const symmetric = a === b;
  for (let start = 0; start < width; start += tileWidth) {
    const end = Math.min(width, start + tileWidth);
    for (let i = 0; i < a.length; i += 2) {
      const a0 = a[i]!;
      const a1 = a[Math.min(i + 1, a.length - 1)]!;
      for (let j = symmetric ? i : 0; j < columns; j += 2) {
        const b0 = b[j]!;
        const b1 = b[Math.min(j + 1, columns - 1)]!;
        let s00 = 0;
        let s01 = 0;
        let s10 = 0;
        let s11 = 0;
        for (let v = start; v < end; v++) {
          const x0 = a0[v]!;
          const x1 = a1[v]!;
          const y0 = b0[v]!;
          const y1 = b1[v]!;
          s00 += x0 * y0;
          s01 += x0 * y1;
          s10 += x1 * y0;
          s11 += x1 * y1;
        }
        scores[i * columns + j]! += s00;
        if (j + 1 < columns) scores[i * columns + j + 1]! += s01;
        if (i + 1 < a.length) {
          scores[(i + 1) * columns + j]! += s10;
          if (j + 1 < columns) scores[(i + 1) * columns + j + 1]! += s11;
        }
      }
    }
  }
  if (symmetric) {
    for (let i = 0; i < columns; i++) for (let j = 0; j < i; j++) scores[i * columns + j] = scores[j * columns + i]!;
  }
  return scores;
}
