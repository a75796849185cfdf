/** Collects sparse vectors one by one into a matrix, in buffers that double when they are full. */
import { badInput } from '../util/errors.ts';
import { checkDimensions, checkSparseVector, type SparseVector } from './sparse-vector.ts';
import { checkEntriesInMemory, maxEntriesInMemory, SparseVectors } from './sparse-vectors.ts';

/** Grows a {@link SparseVectors}. */
export class SparseVectorsBuilder {
  readonly dimensions: number;
  readonly #ids = new Map<string, number>();
  #offsets = new Float64Array(1024);
  #indices = new Uint32Array(8192);
  #values = new Float32Array(8192);

  constructor(dimensions: number) {
    checkDimensions(dimensions, 'sparse vectors');
    this.dimensions = dimensions;
  }

  /** Number of vectors so far. */
  get length(): number {
    return this.#ids.size;
  }

  /**
   * Appends a copy of a vector.
   * @throws LexrayError BAD_INPUT when the vector does not fit or its id is empty or was used before
   */
  add(id: string, vector: SparseVector): void {
    const where = `vector ${JSON.stringify(id)}`;
    if (id === '') throw badInput('an id is empty', { where, cure: 'give every vector an id' });
    if (this.#ids.has(id)) {
      throw badInput(`the id ${JSON.stringify(id)} occurs twice`, {
        where,
        cure: 'give every vector an id of its own',
      });
    }
    checkSparseVector(vector, this.dimensions, where);
    const row = this.#ids.size;
    const start = this.#offsets[row]!;
    const end = start + vector.indices.length;
    checkEntriesInMemory(end, where);
    if (end > this.#indices.length) {
      const capacity = Math.min(Math.max(end, 2 * this.#indices.length), maxEntriesInMemory);
      this.#indices = resized(this.#indices, new Uint32Array(capacity));
      this.#values = resized(this.#values, new Float32Array(capacity));
    }
    if (row + 2 > this.#offsets.length) {
      this.#offsets = resized(this.#offsets, new Float64Array(2 * this.#offsets.length));
    }
    this.#indices.set(vector.indices, start);
    this.#values.set(vector.values, start);
    this.#offsets[row + 1] = end;
    this.#ids.set(id, row);
  }

  /** The vectors so far; more may be added afterwards without changing them. */
  build(): SparseVectors {
    const rows = this.#ids.size;
    const entries = this.#offsets[rows]!;
    return new SparseVectors([...this.#ids.keys()], this.dimensions, {
      offsets: this.#offsets.slice(0, rows + 1),
      indices: this.#indices.slice(0, entries),
      values: this.#values.slice(0, entries),
    });
  }
}

function resized<T extends Float64Array | Uint32Array | Float32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
