/**
 * One sparse vector: the terms that are not zero, and their weights. A text encoded by a learned sparse retriever, or a
 * bag of words, over a vocabulary of `dimensions` terms.
 */
import { badInput } from '../util/errors.ts';

/** A sparse vector. Both arrays have the same length; either may be a view into a larger one. */
export interface SparseVector {
  /** Term numbers, strictly ascending. */
  readonly indices: Uint32Array;
  /** Weights, finite and not zero; greater than zero for SPLADE. */
  readonly values: Float32Array;
}

/** The most dimensions that vectors may have: 2²⁴, so that an array over all terms stays small whatever a file says. */
export const maxDimensions: number = 2 ** 24;

/** The vector without an active dimension. */
export const emptyVector: SparseVector = { indices: new Uint32Array(0), values: new Float32Array(0) };

/** Makes a vector from term-weight pairs in any order; weights of zero are left out. */
export function sparseVector(entries: Iterable<readonly [number, number]>): SparseVector {
  const sorted = [...entries].filter(([, value]) => Math.fround(value) !== 0).sort((a, b) => a[0] - b[0]);
  return {
    indices: Uint32Array.from(sorted, ([index]) => index),
    values: Float32Array.from(sorted, ([, value]) => value),
  };
}

/**
 * Checks that a vector is one: ascending terms below `dimensions`, weights finite and not zero.
 * @param where what the vector is, for the error: `document d1`
 * @throws LexrayError BAD_INPUT
 */
export function checkSparseVector(vector: SparseVector, dimensions: number, where: string): void {
  const { indices, values } = vector;
  if (indices.length !== values.length) {
    throw badInput(`a vector needs as many weights as terms, got ${values.length} and ${indices.length}`, { where });
  }
  const misfit = findMisfit(indices, values, dimensions);
  if (misfit !== undefined) throw badInput(misfit.message, { where, cure: 'make the vectors again' });
}

/** Checks that a number of dimensions is a positive integer of at most {@link maxDimensions}. */
export function checkDimensions(dimensions: unknown, where: string): asserts dimensions is number {
  if (!Number.isInteger(dimensions) || (dimensions as number) < 1 || (dimensions as number) > maxDimensions) {
    throw badInput(`dimensions must be an integer from 1 to ${maxDimensions}, got ${String(dimensions)}`, { where });
  }
}

/**
 * The first entry of one row that breaks the rules, if any: indices strictly ascending and below `bound`, values finite
 * and not zero.
 */
export function findMisfit(
  indices: Uint32Array,
  values: Float32Array,
  bound: number,
  start = 0,
  end: number = indices.length,
): { readonly position: number; readonly message: string } | undefined {
  let last = -1;
  for (let p = start; p < end; p++) {
    const index = indices[p]!;
    const value = values[p]!;
    if (index <= last) {
      return { position: p, message: `indices must ascend without repeats, but ${index} follows ${last}` };
    }
    if (index >= bound) return { position: p, message: `index ${index} is not below ${bound}` };
    if (value === 0 || !Number.isFinite(value)) {
      return { position: p, message: `weights must be finite and not zero, but that of index ${index} is ${value}` };
    }
    last = index;
  }
  return undefined;
}
