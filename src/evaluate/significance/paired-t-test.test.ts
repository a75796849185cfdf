import { expect, test } from 'vitest';
import { pairedTTest } from './paired-t-test.ts';

test('nothing to tell from fewer than two differences, or from equal systems', () => {
  expect(pairedTTest([])).toMatchObject({ pValue: 1, statistic: Number.NaN });
  expect(pairedTTest([0.4])).toMatchObject({ pValue: 1, statistic: Number.NaN });
  expect(pairedTTest([0, 0, 0])).toEqual({ statistic: 0, degreesOfFreedom: 2, pValue: 1 });
});

test('differences that are all the same and not 0 are certain', () => {
  expect(pairedTTest([0.25, 0.25, 0.25])).toEqual({
    statistic: Number.POSITIVE_INFINITY,
    degreesOfFreedom: 2,
    pValue: 0,
  });
});

test('the sign of the differences turns the statistic only', () => {
  const differences = [0.1, -0.3, 0.25, 0.6, 0.05];
  const there = pairedTTest(differences);
  const back = pairedTTest(differences.map((difference) => -difference));
  expect(back.statistic).toBe(-there.statistic);
  expect(back.pValue).toBe(there.pValue);
});
