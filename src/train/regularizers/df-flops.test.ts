import { describe, expect, it } from 'vitest';
import { evaluateBatch } from '../../../test/fixtures/batch-weights.ts';
import { DfFlopsRegularizer } from './df-flops.ts';
import { FlopsRegularizer } from './flops.ts';

const documents = [
  [1, 0, 2, 4],
  [3, 0, 2, 0],
];
const batch = { queries: [[1, 1, 1, 1]], documents };

function run(regularizer: DfFlopsRegularizer | FlopsRegularizer) {
  return evaluateBatch(batch, { regularizer, side: 'documents' });
}

function weights(regularizer: DfFlopsRegularizer): number[] {
  run(regularizer);
  return [...(Object.values(regularizer.feeds('documents'))[0]!.data as Float32Array)];
}

/** Two steps of five vectors: terms in 10, 1, 5 and no vector of ten. */
function observeTwice(regularizer: DfFlopsRegularizer): void {
  regularizer.observe({ counts: Float32Array.of(5, 1, 5, 0), vectors: 5 });
  regularizer.observe({ counts: Float32Array.of(5, 0, 0, 0), vectors: 5 });
}

describe('DfFlopsRegularizer', () => {
  it('is FLOPS until the first steps have been counted', () => {
    const regularizer = new DfFlopsRegularizer({ refreshEvery: 2 });
    expect(run(regularizer)).toEqual(run(new FlopsRegularizer()));
    regularizer.observe({ counts: Float32Array.of(5, 0, 0, 0), vectors: 5 });
    expect(run(regularizer)).toEqual(run(new FlopsRegularizer()));
  });

  it('weights a term by its share of the documents: 0 at none, 1/2 at α, 1 at all', () => {
    const regularizer = new DfFlopsRegularizer({ refreshEvery: 2 });
    observeTwice(regularizer);
    // log_0.1 2 = −0.30103; at one half 2^0.30103 − 1 = 0.23204 to the tenth is 4.5e-7.
    expect(weights(regularizer)).toEqual([1, 0.5, expect.closeTo(1 - 4.5e-7, 6), 0]);
    const flat = new DfFlopsRegularizer({ refreshEvery: 2, alpha: 0.5, beta: 1 });
    observeTwice(flat);
    // log_0.5 2 = −1: a(x) = 1/(1 + 1/x − 1) = x
    expect(weights(flat)).toEqual([1, 0.1, 0.5, 0].map((x) => expect.closeTo(x, 6)));
    const means = [2, 0, 2, 2].map((mean, v) => mean * [1, 0.1, 0.5, 0][v]!);
    expect(run(flat).value).toBeCloseTo(
      means.reduce((sum, x) => sum + x ** 2, 0),
      6,
    );
  });

  it('counts anew for each renewal', () => {
    const regularizer = new DfFlopsRegularizer({ refreshEvery: 2, alpha: 0.5, beta: 1 });
    observeTwice(regularizer);
    const before = weights(regularizer);
    regularizer.observe({ counts: Float32Array.of(0, 8, 4, 0), vectors: 8 });
    expect(weights(regularizer)).toEqual(before);
    regularizer.observe({ counts: Float32Array.of(0, 2, 0, 0), vectors: 2 });
    expect(weights(regularizer)).toEqual([0, 1, 0.4, 0].map((x) => expect.closeTo(x, 6)));
  });

  it('goes on from its state as if it had not stopped', () => {
    const options = { refreshEvery: 3, alpha: 0.3, beta: 2 };
    const whole = new DfFlopsRegularizer(options);
    const counts = [Float32Array.of(1, 2, 3, 4), Float32Array.of(0, 1, 0, 7), Float32Array.of(7, 7, 0, 1)];
    const observe = (regularizer: DfFlopsRegularizer, step: number): void =>
      regularizer.observe({ counts: counts[step % 3]!, vectors: 7 });
    expect(whole.state).toBeUndefined();
    for (let step = 0; step < 4; step++) observe(whole, step);
    const resumed = new DfFlopsRegularizer(options);
    resumed.restore(whole.state!.slice());
    expect(resumed.state).toEqual(whole.state);
    for (let step = 4; step < 8; step++) {
      expect(weights(resumed)).toEqual(weights(whole));
      observe(whole, step);
      observe(resumed, step);
    }
    expect(weights(resumed)).toEqual(weights(whole));
  });

  it('holds the counts of a large vocabulary', () => {
    const regularizer = new DfFlopsRegularizer();
    regularizer.observe({ counts: new Float32Array(300_000).fill(1), vectors: 2 });
    expect(regularizer.state).toHaveLength(600_002);
  });

  it('refuses the state of another vocabulary', () => {
    const regularizer = new DfFlopsRegularizer();
    run(regularizer);
    expect(() => regularizer.restore(new Float32Array(8))).toThrow('has counted 4 terms, and now meets 3');
    for (const length of [0, 2, 3])
      expect(() => regularizer.restore(new Float32Array(length))).toThrow('2 for each term');
    expect(() => new DfFlopsRegularizer().feeds('documents')).toThrow('before it was built');
  });
});
