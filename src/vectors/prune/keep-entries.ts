/** Builds a matrix of some of the entries of another: chosen one by one, or vector by vector. */
import type { SparseVector } from '../sparse-vector.ts';
import { SparseVectors } from '../sparse-vectors.ts';

/**
 * The entries that are marked.
 * @param kept one number an entry, 0 where it is dropped
 */
export function keepEntries(vectors: SparseVectors, kept: Uint8Array): SparseVectors {
  const { ids, dimensions, offsets, indices, values } = vectors;
  let entries = 0;
  for (const mark of kept) if (mark !== 0) entries++;
  if (entries === indices.length) return vectors;
  const rows = {
    offsets: new Float64Array(offsets.length),
    indices: new Uint32Array(entries),
    values: new Float32Array(entries),
  };
  let next = 0;
  for (let row = 0; row < ids.length; row++) {
    for (let p = offsets[row]!; p < offsets[row + 1]!; p++) {
      if (kept[p] === 0) continue;
      rows.indices[next] = indices[p]!;
      rows.values[next++] = values[p]!;
    }
    rows.offsets[row + 1] = next;
  }
  return new SparseVectors(ids, dimensions, rows);
}

/** Every vector pruned by itself. */
export function pruneRows(vectors: SparseVectors, prune: (vector: SparseVector) => SparseVector): SparseVectors {
  const rows = Array.from({ length: vectors.length }, (_, i) => prune(vectors.row(i)));
  return SparseVectors.fromRows(vectors.ids, rows, vectors.dimensions);
}

/** The entries of a vector whose weight is at least `least`. The vector itself when all are. */
export function keepAtLeast(vector: SparseVector, least: number): SparseVector {
  const { indices, values } = vector;
  if (values.every((value) => value >= least)) return vector;
  return {
    indices: indices.filter((_, p) => values[p]! >= least),
    values: values.filter((value) => value >= least),
  };
}
