import { describe, expect, it } from 'vitest';
import { evaluateBatch } from '../../../test/fixtures/batch-weights.ts';
import { FlopsRegularizer } from './flops.ts';
import { ThresholdFlopsRegularizer } from './threshold-flops.ts';

const documents = [
  [1, 2, 4, 0],
  [1, 0, 3, 0],
  [0, 5, 0, 0],
  [2, 2, 2, 2],
];
const batch = { queries: [[1, 1, 1, 1]], documents };

describe('ThresholdFlopsRegularizer', () => {
  it('counts vectors above the threshold, over the mean of all', () => {
    const found = evaluateBatch(batch, {
      regularizer: new ThresholdFlopsRegularizer({ threshold: 2 }),
      side: 'documents',
    });
    const means = [3, 4, 6, 2].map((sum) => sum / 4);
    expect(found.value).toBeCloseTo(
      means.reduce((sum, mean) => sum + mean ** 2, 0),
      12,
    );
    const slopes = means.map((mean) => mean / 2);
    expect(found.documents).toEqual([slopes, [0, 0, 0, 0], [0, 0, 0, 0], slopes]);
  });

  it('is FLOPS where every vector is above it, and nothing where none is', () => {
    const at = (threshold: number) =>
      evaluateBatch(batch, { regularizer: new ThresholdFlopsRegularizer({ threshold }), side: 'documents' });
    expect(at(0)).toEqual(evaluateBatch(batch, { regularizer: new FlopsRegularizer(), side: 'documents' }));
    expect(at(4).value).toBe(0);
    expect(
      at(4)
        .documents.flat()
        .every((slope) => slope === 0),
    ).toBe(true);
  });
});
