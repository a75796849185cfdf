import { describe, expect, it } from 'vitest';
import { evaluateBatch } from '../../../test/fixtures/batch-weights.ts';
import { AntiZeroRegularizer } from './anti-zero.ts';

function run(queries: number[][], documents: number[][]) {
  return evaluateBatch({ queries, documents }, { regularizer: new AntiZeroRegularizer(), side: 'both' });
}

describe('AntiZeroRegularizer', () => {
  it('is the sum of the inverse squares of the sums of both sides', () => {
    const { value, queries, documents } = run(
      [
        [1, 0],
        [2, 1],
      ],
      [[0, 0.5]],
    );
    expect(value).toBeCloseTo(1 / 16 + 4, 4);
    for (const slope of queries.flat()) expect(slope).toBeCloseTo(-2 / 4 ** 3, 6);
    for (const slope of documents.flat()) expect(slope).toBeCloseTo(-2 / 0.5 ** 3, 3);
  });

  it('is finite without a gradient where a side is dead', () => {
    const { value, queries, documents } = run([[0, 0]], [[0, 2]]);
    expect(value).toBeCloseTo(1e6, -1);
    expect(queries).toEqual([[expect.closeTo(0, 12), expect.closeTo(0, 12)]]);
    expect(documents.flat().every((slope) => slope < 0 && Number.isFinite(slope))).toBe(true);
  });
});
