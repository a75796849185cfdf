import { expect, test } from 'vitest';
import type { Qrels } from '../data/qrels.ts';
import type { Run } from '../data/run.ts';
import { Random } from '../util/random.ts';
import { compareRuns } from './compare-runs.ts';
import { evaluateRun } from './evaluate-run.ts';

/** A run that puts the one relevant document `r` of each query at a rank, from 1. */
function runOf(ranks: readonly number[]): Run {
  return new Map(
    ranks.map((rank, i) => [
      `q${i}`,
      Array.from({ length: 20 }, (_, j) => ({ docid: j + 1 === rank ? 'r' : `n${j}`, score: -j })),
    ]),
  );
}

function qrelsOf(queries: number): Qrels {
  return new Map(Array.from({ length: queries }, (_, i) => [`q${i}`, new Map([['r', 1]])]));
}

test('by hand: three queries', () => {
  const { queries, measures } = compareRuns(qrelsOf(3), runOf([1, 2, 4]), runOf([2, 2, 1]), ['RR@10', 'P@1']);
  expect(queries).toBe(3);
  const [rr, p] = measures;
  expect(rr).toMatchObject({ measure: 'RR@10', wins: 1, ties: 1, losses: 1 });
  expect(rr?.a.mean).toBeCloseTo((1 + 1 / 2 + 1 / 4) / 3, 15);
  expect(rr?.b.mean).toBeCloseTo((1 / 2 + 1 / 2 + 1) / 3, 15);
  expect(rr?.difference.mean).toBeCloseTo(0.25 / 3, 15);
  expect(rr?.perQuery).toEqual([
    { qid: 'q0', a: 1, b: 0.5, difference: -0.5 },
    { qid: 'q1', a: 0.5, b: 0.5, difference: 0 },
    { qid: 'q2', a: 0.25, b: 1, difference: 0.75 },
  ]);
  // Signs of -0.5 and 0.75: two of four are as extreme as 0.25, and two more extreme.
  expect(rr?.randomization).toMatchObject({ pValue: 1, exact: true });
  expect(p).toMatchObject({ measure: 'P@1', wins: 1, ties: 1, losses: 1 });
});

test('finds a clear difference, on the right side, and corrects over the measures', () => {
  const random = new Random(8);
  const ranksA = Array.from({ length: 80 }, () => 2 + random.integer(6));
  const ranksB = ranksA.map((rank) => Math.max(1, rank - random.integer(3)));
  const names = ['nDCG@10', 'RR@10', 'R@20'];
  const { measures } = compareRuns(qrelsOf(80), runOf(ranksA), runOf(ranksB), names, { samples: 2000 });
  expect(measures.map(({ measure }) => measure)).toEqual(names);
  const [ndcg, rr, recall] = measures;
  for (const comparison of [ndcg, rr]) {
    expect(comparison?.difference.low).toBeGreaterThan(0);
    expect(comparison?.tTest.pValue).toBeLessThan(1e-6);
    expect(comparison?.randomization.pValue).toBe(1 / 2001);
    expect(comparison?.randomization.pHolm).toBe(3 / 2001);
    expect(comparison?.losses).toBe(0);
    const { low, high, mean } = comparison!.difference;
    expect(low < mean && mean < high).toBe(true);
  }
  expect(recall).toMatchObject({
    wins: 0,
    ties: 80,
    losses: 0,
    difference: { mean: 0, low: 0, high: 0 },
    tTest: { pValue: 1, pHolm: 1 },
    randomization: { pValue: 1, pHolm: 1 },
  });
});

test('means are those of evaluateRun, and the order of the runs turns the sign', () => {
  const [a, b, qrels] = [runOf([1, 3, 9, 2, 1]), runOf([2, 1, 1, 2, 11]), qrelsOf(6)];
  const there = compareRuns(qrels, a, b, ['AP'], { seed: 2 }).measures[0];
  const back = compareRuns(qrels, b, a, ['AP'], { seed: 2 }).measures[0];
  expect(there?.a.mean).toBe(evaluateRun(qrels, a, ['AP']).mean.get('AP'));
  expect(there?.b.mean).toBe(evaluateRun(qrels, b, ['AP']).mean.get('AP'));
  expect(back?.difference.mean).toBeCloseTo(-there!.difference.mean, 15);
  expect(back?.randomization.pValue).toBe(there?.randomization.pValue);
  expect([back?.wins, back?.losses]).toEqual([there?.losses, there?.wins]);
  expect(there?.perQuery.find(({ qid }) => qid === 'q5')).toEqual({ qid: 'q5', a: 0, b: 0, difference: 0 });
});

test('says which run a warning is about', () => {
  const warnings: string[] = [];
  compareRuns(qrelsOf(2), runOf([1, 1]), runOf([1]), ['AP'], { onWarning: (message) => warnings.push(message) });
  expect(warnings).toEqual(['run B: 1 of 2 judged queries are not in the run and count 0: q1']);
});
