import { expect, it } from 'vitest';
import { sparseVector } from '../../vectors/sparse-vector.ts';
import { searcherSuite } from '../searcher.suite.ts';
import { ExhaustiveSearcher, innerProduct } from './exhaustive.ts';

searcherSuite(async (documents) => new ExhaustiveSearcher(documents));

it('rounds to float32 after each product and each sum', () => {
  const ones = sparseVector([
    [0, 1],
    [1, 1],
    [2, 1],
  ]);
  // 2²⁴ + 1 rounds to 2²⁴ each time; in float64 the sum would be 2²⁴ + 2.
  const document = sparseVector([
    [0, 2 ** 24],
    [1, 1],
    [2, 1],
  ]);
  expect(innerProduct(ones, document)).toBe(2 ** 24);
  const third = sparseVector([[0, 1 / 3]]);
  expect(innerProduct(third, third)).toBe(Math.fround(Math.fround(1 / 3) ** 2));
});
