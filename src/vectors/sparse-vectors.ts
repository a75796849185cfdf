/**
 * Many sparse vectors as one matrix in compressed sparse rows (CSR): row `i` has the entries from `offsets[i]` to
 * `offsets[i + 1]` of `indices` and `values`. Offsets are float64, exact to 2⁵³; an array in memory ends at 4 GiB in
 * Node 20, so that a matrix in memory has at most {@link maxEntriesInMemory} entries.
 */
import { badInput, LexrayError } from '../util/errors.ts';
import { checkDimensions, checkSparseVector, findMisfit, type SparseVector } from './sparse-vector.ts';

/** The most entries of a matrix in memory: 2³⁰, 4 GiB of indices and as much of values. */
export const maxEntriesInMemory: number = 2 ** 30;

/** The arrays of a matrix in compressed sparse rows. */
export interface SparseRows {
  /** Length rows + 1, from 0 to the number of entries, never falling. */
  readonly offsets: Float64Array;
  readonly indices: Uint32Array;
  readonly values: Float32Array;
}

/** An id and its vector: what streams of vectors are made of. */
export interface NamedVector {
  readonly id: string;
  readonly vector: SparseVector;
}

/** Sparse vectors with an id each: documents by docid, or queries by qid. Immutable. */
export class SparseVectors implements SparseRows, Iterable<NamedVector> {
  /** One a row, not empty, all different. */
  readonly ids: readonly string[];
  /** Size of the vocabulary: every index is below it. */
  readonly dimensions: number;
  readonly offsets: Float64Array;
  readonly indices: Uint32Array;
  readonly values: Float32Array;

  /**
   * Wraps arrays, which are not copied.
   * @param where what they are, for errors
   * @throws LexrayError BAD_INPUT when the arrays do not make a matrix of such rows
   */
  constructor(ids: readonly string[], dimensions: number, rows: SparseRows, where = 'sparse vectors') {
    checkDimensions(dimensions, where);
    checkIds(ids, where);
    checkSparseRows(rows, ids.length, dimensions, where, (row) => `vector ${JSON.stringify(ids[row])}`);
    this.ids = ids;
    this.dimensions = dimensions;
    this.offsets = rows.offsets;
    this.indices = rows.indices;
    this.values = rows.values;
  }

  /** Number of vectors. */
  get length(): number {
    return this.ids.length;
  }

  /** The vector of a row, as views into the matrix. */
  row(i: number): SparseVector {
    const start = this.offsets[i];
    const end = this.offsets[i + 1];
    if (start === undefined || end === undefined) {
      throw new LexrayError('USAGE', `there is no row ${i} in ${this.length} vectors`);
    }
    return { indices: this.indices.subarray(start, end), values: this.values.subarray(start, end) };
  }

  *[Symbol.iterator](): IterableIterator<NamedVector> {
    for (let i = 0; i < this.length; i++) yield { id: this.ids[i]!, vector: this.row(i) };
  }

  /** Copies rows into one matrix. */
  static fromRows(ids: readonly string[], rows: readonly SparseVector[], dimensions: number): SparseVectors {
    if (ids.length !== rows.length) {
      throw badInput(`as many ids as vectors are needed, got ${ids.length} and ${rows.length}`);
    }
    const offsets = new Float64Array(rows.length + 1);
    for (const [i, row] of rows.entries()) offsets[i + 1] = offsets[i]! + row.indices.length;
    const entries = offsets[rows.length]!;
    checkEntriesInMemory(entries, 'sparse vectors');
    const indices = new Uint32Array(entries);
    const values = new Float32Array(entries);
    for (const [i, row] of rows.entries()) {
      checkSparseVector(row, dimensions, `vector ${JSON.stringify(ids[i])}`);
      indices.set(row.indices, offsets[i]!);
      values.set(row.values, offsets[i]!);
    }
    return new SparseVectors(ids, dimensions, { offsets, indices, values });
  }
}

/**
 * Checks the arrays of a matrix: offsets from 0 to the number of entries without falling, and in each row indices
 * ascending below `columns` and values finite and not zero.
 * @param name names a row, for the error
 * @throws LexrayError BAD_INPUT
 */
export function checkSparseRows(
  { offsets, indices, values }: SparseRows,
  rows: number,
  columns: number,
  where: string,
  name: (row: number) => string,
): void {
  const entries = indices.length;
  if (offsets.length !== rows + 1 || values.length !== entries || offsets[0] !== 0 || offsets[rows] !== entries) {
    throw badInput(
      `${rows} rows need ${rows + 1} offsets from 0 to the number of entries; got ${offsets.length} offsets from ` +
        `${offsets[0]} to ${offsets[offsets.length - 1]}, ${entries} indices and ${values.length} values`,
      { where, cure: 'make the vectors again' },
    );
  }
  for (let row = 0; row < rows; row++) {
    const start = offsets[row]!;
    const end = offsets[row + 1]!;
    // NaN and fractions fail here too; an end beyond the arrays cannot come back to the last offset later.
    if (!Number.isInteger(end) || end < start || end > entries) {
      throw badInput(`offsets must be integers that do not fall, but ${end} follows ${start}`, {
        where: `${where}, row ${row}`,
        cure: 'make the vectors again',
      });
    }
    const misfit = findMisfit(indices, values, columns, start, end);
    if (misfit !== undefined) {
      throw badInput(misfit.message, { where: `${where}, ${name(row)}`, cure: 'make the vectors again' });
    }
  }
}

/** Checks that ids are not empty and all different. */
export function checkIds(ids: readonly string[], where: string): void {
  if (new Set(ids).size === ids.length && !ids.includes('')) return;
  const seen = new Set<string>();
  for (const id of ids) {
    if (id === '') throw badInput('an id is empty', { where, cure: 'give every vector an id' });
    if (seen.has(id)) {
      throw badInput(`the id ${JSON.stringify(id)} occurs twice`, {
        where,
        cure: 'give every vector an id of its own',
      });
    }
    seen.add(id);
  }
}

/** Refuses more entries than the arrays of a process can hold. */
export function checkEntriesInMemory(entries: number, where: string): void {
  if (entries > maxEntriesInMemory) {
    throw new LexrayError('FAILED', `${entries} entries do not fit into memory: at most ${maxEntriesInMemory} do`, {
      where,
      cure: 'split the collection',
    });
  }
}
