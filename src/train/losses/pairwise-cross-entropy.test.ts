import { describe, expect, it } from 'vitest';
import { evaluateScores } from '../../../test/fixtures/batch-weights.ts';
import type { BatchRelevance } from './loss.ts';
import { PairwiseCrossEntropyLoss, type PairwiseCrossEntropyOptions } from './pairwise-cross-entropy.ts';

const scores = [
  [1, 0.5, 2, -1],
  [0, 1.5, 3, 0.25],
];
const relevance: Partial<BatchRelevance> = {
  ownNegatives: [
    [0, 2],
    [1, 3],
  ],
};

function run(options: PairwiseCrossEntropyOptions, given: Partial<BatchRelevance> = relevance) {
  return evaluateScores(scores, [{ loss: new PairwiseCrossEntropyLoss(options), weight: 1 }], given);
}

/** −log softmax at the first of some scores. */
function crossEntropy(...given: number[]): number {
  return Math.log(given.reduce((sum, s) => sum + Math.exp(s), 0)) - given[0]!;
}

describe('PairwiseCrossEntropyLoss', () => {
  it("is over the batch's positives and a query's own negatives", () => {
    const { value, gradients } = run({});
    expect(value).toBeCloseTo((crossEntropy(1, 0.5, 2) + crossEntropy(1.5, 0, 0.25)) / 2, 6);
    expect(gradients[0]![3]).toBe(0);
    expect(gradients[1]![2]).toBe(0);
    expect(gradients[0]![2]).toBeGreaterThan(0);
    expect(run({ temperature: 0.5 }).value).toBeCloseTo((crossEntropy(2, 1, 4) + crossEntropy(3, 0, 0.5)) / 2, 6);
  });

  it("is over a query's own documents alone when asked to", () => {
    const { value } = run({ inBatchPositives: false });
    expect(value).toBeCloseTo((crossEntropy(1, 2) + crossEntropy(1.5, 0.25)) / 2, 6);
    const loss = new PairwiseCrossEntropyLoss({ inBatchPositives: false });
    expect(loss.needsNegatives).toBe(true);
    expect(new PairwiseCrossEntropyLoss().needsNegatives).toBe(false);
    expect(() => run({ inBatchPositives: false }, {})).toThrow('negative of its own');
  });

  it('leaves out documents that are relevant as well', () => {
    const { value, gradients } = run({}, { ...relevance, otherPositives: [[0, 1]] });
    expect(value).toBeCloseTo((crossEntropy(1, 2) + crossEntropy(1.5, 0, 0.25)) / 2, 6);
    expect(gradients[0]![1]).toBe(0);
  });
});
