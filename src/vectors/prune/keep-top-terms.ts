/**
 * Keeps the heaviest terms of a vector: the cap on active dimensions that encoders apply with `maxActiveDims`.
 * Of equally heavy terms the one with the smaller number is kept.
 */
import { LexrayError } from '../../util/errors.ts';
import { emptyVector, type SparseVector } from '../sparse-vector.ts';

/**
 * The `maxActiveDims` terms of the greatest weight, in ascending order of terms. The vector itself when it has no more.
 * @throws LexrayError USAGE when `maxActiveDims` is not an integer of at least 0
 */
export function keepTopTerms(vector: SparseVector, maxActiveDims: number): SparseVector {
  if (!Number.isInteger(maxActiveDims) || maxActiveDims < 0) {
    throw new LexrayError('USAGE', `maxActiveDims must be an integer of at least 0, got ${maxActiveDims}`);
  }
  const { indices, values } = vector;
  if (indices.length <= maxActiveDims) return vector;
  if (maxActiveDims === 0) return emptyVector;
  const threshold = Float32Array.from(values).sort()[values.length - maxActiveDims]!;
  let ties = maxActiveDims;
  for (const value of values) if (value > threshold) ties--;
  const keptIndices = new Uint32Array(maxActiveDims);
  const keptValues = new Float32Array(maxActiveDims);
  let kept = 0;
  for (let p = 0; p < indices.length; p++) {
    const value = values[p]!;
    if (value > threshold || (value === threshold && ties-- > 0)) {
      keptIndices[kept] = indices[p]!;
      keptValues[kept++] = value;
    }
  }
  return { indices: keptIndices, values: keptValues };
}
