import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sparseVector } from '../sparse-vector.ts';
import { arbitraryVector } from '../vectors.suite.ts';
import { keepTopTerms } from './keep-top-terms.ts';

it('keeps the heaviest terms, of ties the smaller numbers, in ascending order', () => {
  const coarse = fc.constantFrom(0.5, 1, 1.5, 2, -1);
  fc.assert(
    fc.property(arbitraryVector(30, { weight: coarse }), fc.nat(32), (vector, cap) => {
      const entries = Array.from(vector.indices, (index, p) => [index, vector.values[p]!] as const);
      const expected = sparseVector(entries.sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, cap));
      expect(keepTopTerms(vector, cap)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

it('keeps a tie by its number', () => {
  const vector = sparseVector([
    [3, 1],
    [5, 2],
    [7, 1],
  ]);
  expect([...keepTopTerms(vector, 2).indices]).toEqual([3, 5]);
});

it('refuses a cap that is not a whole number', () => {
  for (const cap of [-1, 1.5, Number.NaN]) expect(() => keepTopTerms(sparseVector([]), cap)).toThrow(/maxActiveDims/);
});
