import { expect, it } from 'vitest';
import { evaluateBatch } from '../../../test/fixtures/batch-weights.ts';
import { L1Regularizer } from './l1.ts';

it('is the mean sum of weights, with the same slope everywhere', () => {
  const batch = {
    queries: [
      [1, 0, 2],
      [0, 0, 0.5],
    ],
    documents: [[9, 9, 9]],
  };
  const { value, queries, documents } = evaluateBatch(batch, { regularizer: new L1Regularizer(), side: 'queries' });
  expect(value).toBe((3 + 0.5) / 2);
  expect(queries.flat().every((slope) => slope === 0.5)).toBe(true);
  expect(documents.flat().every((slope) => slope === 0)).toBe(true);
});
