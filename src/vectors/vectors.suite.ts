/** Arbitrary sparse vectors for property tests. */
import fc from 'fast-check';
import { type SparseVector, sparseVector } from './sparse-vector.ts';
import { SparseVectors } from './sparse-vectors.ts';

/** Any vector over `dimensions` terms; `weight` is coarse where ties are wanted. */
export function arbitraryVector(
  dimensions: number,
  { weight = anyWeight, maxLength = dimensions }: { weight?: fc.Arbitrary<number>; maxLength?: number } = {},
): fc.Arbitrary<SparseVector> {
  return fc
    .uniqueArray(fc.tuple(fc.nat(dimensions - 1), weight), { selector: ([index]) => index, maxLength })
    .map(sparseVector);
}

/** Any finite float32 weight but zero. */
export const anyWeight: fc.Arbitrary<number> = fc
  .float({ noNaN: true, noDefaultInfinity: true })
  .filter((value) => value !== 0);

/** Any set of vectors with different ids. */
export function arbitraryVectors(dimensions: number, maxLength = 20): fc.Arbitrary<SparseVectors> {
  const unit = fc.constantFrom('a', 'b', '1', ' ', '"', '\\', '\n', '\0', 'é', '\uD800', '\uFFFD', '\u{1F600}');
  const id = fc.string({ unit, minLength: 1, maxLength: 4 });
  return fc
    .uniqueArray(fc.record({ id, vector: arbitraryVector(dimensions) }), { selector: ({ id }) => id, maxLength })
    .map((rows) =>
      SparseVectors.fromRows(
        rows.map(({ id }) => id),
        rows.map(({ vector }) => vector),
        dimensions,
      ),
    );
}
