import { describe, expect, it } from 'vitest';
import { evaluateScores } from '../../../test/fixtures/batch-weights.ts';
import { KlDivergenceLoss, type KlDivergenceOptions } from './kl-divergence.ts';
import type { TeacherScore } from './loss.ts';

const teacher = [
  [2, 0.5, -1],
  [-3, 1, 0],
];
/** Documents 0 and 1 are the positives, 2 and 3 negatives of query 0, 4 and 5 of query 1. */
const places = [
  [0, 2, 3],
  [1, 4, 5],
];
const scores = [
  [1.5, 30, 2.5, -0.5, 30, 30],
  [30, 4, 30, 30, 3, 1],
];

function teacherScores(factor = 1): TeacherScore[] {
  return teacher.flatMap((row, query) =>
    row.map((score, i) => ({ query, document: places[query]![i]!, score: score * factor })),
  );
}

function run(options: KlDivergenceOptions, given = scores, taught: readonly TeacherScore[] = teacherScores()) {
  return evaluateScores(given, [{ loss: new KlDivergenceLoss(options), weight: 1 }], { teacherScores: taught });
}

function softmax(scores: readonly number[], temperature: number): number[] {
  const exponentials = scores.map((s) => Math.exp(s / temperature));
  const total = exponentials.reduce((a, b) => a + b);
  return exponentials.map((x) => x / total);
}

describe('KlDivergenceLoss', () => {
  it.each([
    [{ temperature: 1 }, 1, 1, 1],
    [{}, 2, 2, 4],
    [{ studentTemperature: 0.5 }, 0.5, 2, 0.25],
    [{ temperature: 3, teacherTemperature: 5 }, 3, 5, 9],
    [{ temperature: 3, scaleByTemperature: false }, 3, 3, 1],
  ] as const)('equals its closed form with %o', (options, student, teaching, factor) => {
    let wanted = 0;
    const slopes = scores.map((row) => row.map(() => 0));
    places.forEach((documents, i) => {
      const p = softmax(teacher[i]!, teaching);
      const q = softmax(
        documents.map((j) => scores[i]![j]!),
        student,
      );
      p.forEach((share, k) => {
        wanted += (factor / 2) * share * Math.log(share / q[k]!);
        slopes[i]![documents[k]!] = ((factor / student) * (q[k]! - share)) / 2;
      });
    });
    const { value, gradients } = run(options);
    expect(value).toBeCloseTo(wanted, 6);
    expect(gradients).toEqual(slopes.map((row) => row.map((g) => expect.closeTo(g, 6))));
  });

  it('is 0 where the student has the distribution of the teacher', () => {
    const copied = scores.map((row, i) => row.map((s, j) => (teacher[i]![places[i]!.indexOf(j)] ?? s - 10) + 10));
    const { value, gradients } = run({ temperature: 1.5 }, copied);
    expect(value).toBeCloseTo(0, 12);
    for (const g of gradients.flat()) expect(g).toBeCloseTo(0, 12);
  });

  it('keeps the size of its gradient while both temperatures rise, as its factor is there to do', () => {
    const size = (options: KlDivergenceOptions): number => Math.hypot(...run(options).gradients.flat());
    expect(size({ temperature: 100 }) / size({ temperature: 50 })).toBeCloseTo(1, 1);
    const bare = { scaleByTemperature: false };
    expect(size({ temperature: 100, ...bare }) / size({ temperature: 50, ...bare })).toBeCloseTo(1 / 4, 1);
  });

  it('stays a number with scores and teachers that are far apart', () => {
    const steep = scores.map((row) => row.map((s) => 1e4 * s));
    const { value, gradients } = run({ temperature: 1 }, steep, teacherScores(1e4));
    expect(Number.isFinite(value)).toBe(true);
    expect(gradients.flat().every(Number.isFinite)).toBe(true);
    expect(value).toBeGreaterThan(1e3);
  });

  it('leaves out queries of which one document is scored, and refuses a batch of such', () => {
    const some = teacherScores().filter(({ query, document }) => query === 0 || document === 1);
    const { gradients } = run({}, scores, some);
    expect(gradients[1]!.every((g) => g === 0)).toBe(true);
    expect(gradients[0]!.some((g) => g !== 0)).toBe(true);
    expect(() => run({}, scores, [])).toThrow('KL: no query of the batch has a teacher');
  });
});
