import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { learningRateFactor, quadraticRamp } from './schedules.ts';

describe('learningRateFactor', () => {
  it('rises linearly to 1, then falls linearly', () => {
    const factors = Array.from({ length: 10 }, (_, i) => learningRateFactor(i + 1, 10, 4));
    const wanted = [1 / 4, 2 / 4, 3 / 4, 1, 6 / 7, 5 / 7, 4 / 7, 3 / 7, 2 / 7, 1 / 7];
    factors.forEach((factor, i) => {
      expect(factor).toBeCloseTo(wanted[i]!, 12);
    });
  });

  it.each([
    ['no warm-up', 1, 5, 0, 0, 5 / 6],
    ['the last step without warm-up', 5, 5, 0, 0, 1 / 6],
    ['warm-up all the way', 5, 5, 5, 0, 1],
    ['the only step', 1, 1, 0, 0, 1 / 2],
    ['the only step, warming up', 1, 1, 1, 0, 1],
    ['a floor', 5, 5, 0, 0.4, 0.4 + 0.6 / 6],
    ['a floor of 1', 3, 5, 0, 1, 1],
  ])('%s', (_title, step, steps, warmup, floor, factor) => {
    expect(learningRateFactor(step, steps, warmup, floor)).toBeCloseTo(factor, 12);
  });

  it('is positive, at most 1, rises to the end of the warm-up and falls from there', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.nat(60),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, w, floor) => {
          const warmup = Math.min(w, n);
          const factors = Array.from({ length: n }, (_, i) => learningRateFactor(i + 1, n, warmup, floor));
          factors.forEach((factor, i) => {
            expect(factor).toBeGreaterThan(0);
            expect(factor).toBeLessThanOrEqual(1);
            if (i >= warmup) expect(factor).toBeGreaterThanOrEqual(floor);
            if (i > 0 && i < warmup) expect(factor).toBeGreaterThan(factors[i - 1]!);
            if (i > 0 && i >= warmup) expect(factor).toBeLessThanOrEqual(factors[i - 1]!);
          });
        },
      ),
    );
  });
});

describe('quadraticRamp', () => {
  it.each([
    [1, 4, 1 / 16],
    [2, 4, 1 / 4],
    [4, 4, 1],
    [9, 4, 1],
    [1, 1, 1],
    [1, 0, 1],
  ])('is at step %i of %i: %d', (step, rampSteps, factor) => {
    expect(quadraticRamp(step, rampSteps)).toBe(factor);
  });
});
