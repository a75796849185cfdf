import { expect, test } from 'vitest';
import { Random } from '../../util/random.ts';
import { bootstrapInterval, quantile } from './bootstrap-interval.ts';

test('quantiles are interpolated', () => {
  expect(quantile([1, 2, 4, 8], 0)).toBe(1);
  expect(quantile([1, 2, 4, 8], 1)).toBe(8);
  expect(quantile([1, 2, 4, 8], 0.5)).toBe(3);
  expect(quantile([5], 0.3)).toBe(5);
});

test('values without spread have an interval without width', () => {
  expect(bootstrapInterval([0.5, 0.5, 0.5])).toEqual({ mean: 0.5, low: 0.5, high: 0.5, confidence: 0.95 });
});

test('the same seed gives the same interval, a higher confidence a wider one', () => {
  const values = Array.from({ length: 50 }, (_, i) => Math.sin(i) ** 2);
  const interval = bootstrapInterval(values, { seed: 4 });
  expect(bootstrapInterval(values, { seed: 4 })).toEqual(interval);
  expect(bootstrapInterval(values, { seed: 5 })).not.toEqual(interval);
  const wide = bootstrapInterval(values, { seed: 4, confidence: 0.99 });
  expect(wide.low).toBeLessThan(interval.low);
  expect(wide.high).toBeGreaterThan(interval.high);
});

test('a 95 % interval covers the true mean about 95 times in 100', () => {
  const random = new Random(2026);
  const trials = 800;
  const samples = 400;
  let covered = 0;
  let below = 0;
  for (let trial = 0; trial < trials; trial++) {
    const values = Array.from({ length: 80 }, () => 0.02 + 0.3 * random.normal());
    const { low, high } = bootstrapInterval(values, { samples, seed: trial });
    if (low <= 0.02 && 0.02 <= high) covered++;
    if (high < 0.02) below++;
  }
  // The standard error of the share is 0.8 %.
  expect(covered / trials).toBeGreaterThan(0.92);
  expect(covered / trials).toBeLessThan(0.975);
  expect(below / trials).toBeGreaterThan(0.005);
  expect(below / trials).toBeLessThan(0.05);
});

test('refuses no values, and options that do not fit', () => {
  expect(() => bootstrapInterval([])).toThrow(/at least one value/);
  expect(() => bootstrapInterval([1], { samples: 0 })).toThrow(/samples/);
  expect(() => bootstrapInterval([1], { confidence: 95 })).toThrow(/between 0 and 1/);
});
