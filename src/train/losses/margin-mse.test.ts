import { describe, expect, it } from 'vitest';
import { evaluateScores } from '../../../test/fixtures/batch-weights.ts';
import type { TeacherScore } from './loss.ts';
import { MarginMseLoss, type MarginMseOptions } from './margin-mse.ts';

const teacherScores: readonly TeacherScore[] = [
  { query: 0, document: 0, score: 5 },
  { query: 0, document: 3, score: 2 },
  { query: 0, document: 4, score: -1 },
  { query: 1, document: 1, score: 1 },
  { query: 1, document: 5, score: 4 },
];
// Errors s − t: of query 0 1, −1, 4 at documents 0, 3, 4; of query 1 −0.5, 2 at documents 1, 5.
const scores = [
  [6, 9, 9, 1, 3, 9],
  [9, 0.5, 9, 9, 9, 6],
  [9, 9, 9, 9, 9, 9],
];

function run(options: MarginMseOptions, given: readonly TeacherScore[] = teacherScores) {
  return evaluateScores(scores, [{ loss: new MarginMseLoss(options), weight: 1 }], { teacherScores: given });
}

describe('MarginMseLoss', () => {
  it("is the mean over queries of a query's mean squared difference of margins", () => {
    const [first, second] = [((1 + 1) ** 2 + (1 - 4) ** 2) / 2, (-0.5 - 2) ** 2];
    const { value, gradients } = run({});
    expect(value).toBeCloseTo((first + second) / 2, 6);
    // ∂/∂e_j = −2(e_0 − e_j)/(n·Q), with n negatives and Q = 2 taught queries; the positive has the rest.
    const wanted = [
      [(2 * 2 + 2 * -3) / 4, 0, 0, (-2 * 2) / 4, (-2 * -3) / 4, 0],
      [0, (2 * -2.5) / 2, 0, 0, 0, (-2 * -2.5) / 2],
      [0, 0, 0, 0, 0, 0],
    ];
    expect(gradients).toEqual(wanted.map((row) => row.map((g) => expect.closeTo(g, 6))));
  });

  it('goes over every pair of documents when asked to', () => {
    const errors = [
      [1, -1, 4],
      [-0.5, 2],
    ];
    const means = errors.map((e) => {
      const pairs = e.flatMap((a, i) => e.slice(i + 1).map((b) => (a - b) ** 2));
      return pairs.reduce((sum, x) => sum + x) / pairs.length;
    });
    expect(run({ margins: 'all' }).value).toBeCloseTo((means[0]! + means[1]!) / 2, 6);
    const pairsOnly = teacherScores.filter(({ document }) => document !== 4);
    expect(run({ margins: 'all' }, pairsOnly).value).toBeCloseTo(run({}, pairsOnly).value, 6);
  });

  it.each(['positive', 'all'] as const)("does not see a constant in a teacher's scores (%s)", (margins) => {
    const raised = teacherScores.map((entry) => ({ ...entry, score: entry.score + (entry.query === 0 ? 30 : -7) }));
    expect(run({ margins }, raised).value).toBeCloseTo(run({ margins }).value, 4);
  });

  it('is 0 without a gradient where the student has the margins of the teacher', () => {
    const copied = teacherScores.map(({ query, document }) => ({
      query,
      document,
      score: scores[query]![document]! - 100,
    }));
    const { value, gradients } = run({}, copied);
    expect(value).toBe(0);
    expect(gradients.flat().every((g) => g === 0)).toBe(true);
  });

  it('leaves out queries without a score of the positive, and refuses a batch of such', () => {
    const known = teacherScores.filter(({ query, document }) => query === 0 || document !== 1);
    const { value, gradients } = run({}, known);
    expect(value).toBeCloseTo(13 / 2, 6);
    expect(gradients[1]!.every((g) => g === 0)).toBe(true);
    const positives = teacherScores.filter(({ query, document }) => query === document);
    for (const none of [[], positives]) {
      expect(() => run({}, none)).toThrow('no query of the batch has a teacher');
    }
    expect(() => run({}, [...teacherScores, { query: 0, document: 1, score: Number.NaN }])).toThrow('finite');
  });
});
