/**
 * Counts rows of a matrix that repeat an earlier row bit by bit, without keeping the rows: those of the same norm and the
 * same 32-bit hash are taken for equal. Vocabularies are padded to a round number with rows of zeros or copies of one row;
 * such dimensions say nothing, or all say the same.
 */

/** The rows seen so far. */
export class RepeatedRows {
  readonly #seen = new Map<number, number[]>();
  #repeated = 0;

  /** Rows that repeated one before them. */
  get repeated(): number {
    return this.#repeated;
  }

  /**
   * Takes a row.
   * @param norm its norm, computed the same way for every row
   */
  add(row: Float32Array, norm: number): void {
    const hashes = this.#seen.get(norm);
    if (hashes === undefined) {
      this.#seen.set(norm, [hashOf(row)]);
      return;
    }
    const hash = hashOf(row);
    if (hashes.includes(hash)) this.#repeated++;
    else hashes.push(hash);
  }
}

/** FNV-1a over 32-bit words, with the upper half folded in. */
function hashOf(row: Float32Array): number {
  const words = new Uint32Array(row.buffer, row.byteOffset, row.length);
  let hash = 0x811c9dc5;
  for (const word of words) {
    hash = Math.imul(hash ^ word, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash;
}
