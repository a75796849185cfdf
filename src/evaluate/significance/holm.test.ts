import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../../util/random.ts';
import { holm } from './holm.ts';
import { pairedTTest } from './paired-t-test.ts';

/** Holm is the closed test of Bonferroni tests: p of i is the largest |S|·min(p in S) over all sets S with i. */
function closedTest(pValues: readonly number[]): number[] {
  return pValues.map((_, i) => {
    let largest = 0;
    for (let set = 0; set < 2 ** pValues.length; set++) {
      if (((set >>> i) & 1) === 0) continue;
      const members = pValues.filter((_, j) => (set >>> j) & 1);
      largest = Math.max(largest, Math.min(1, members.length * Math.min(...members)));
    }
    return largest;
  });
}

test('by hand', () => {
  expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
  expect(holm([0.5])).toEqual([0.5]);
  expect(holm([])).toEqual([]);
  expect(holm([0.9, 0.8])).toEqual([1, 1]);
});

test('equals the closed test of Bonferroni tests', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }), (pValues) => {
      expect(holm(pValues)).toEqual(closedTest(pValues));
    }),
    { seed: 9, numRuns: 300 },
  );
});

test('keeps the chance of any false rejection at 5 %, where raw p values do not', () => {
  const random = new Random(31);
  const families = 1500;
  const [nulls, effects, queries] = [6, 2, 25];
  let rawErrors = 0;
  let errors = 0;
  let found = 0;
  for (let family = 0; family < families; family++) {
    const pValues = Array.from({ length: nulls + effects }, (_, test) => {
      const shift = test < nulls ? 0 : 0.9;
      return pairedTTest(Array.from({ length: queries }, () => random.normal() + shift)).pValue;
    });
    const adjusted = holm(pValues);
    if (pValues.slice(0, nulls).some((p) => p <= 0.05)) rawErrors++;
    if (adjusted.slice(0, nulls).some((p) => p <= 0.05)) errors++;
    found += adjusted.slice(nulls).filter((p) => p <= 0.05).length;
  }
  // The standard error of the share is 0.6 %.
  expect(errors / families).toBeLessThan(0.065);
  expect(rawErrors / families).toBeGreaterThan(0.2);
  expect(found / families / effects).toBeGreaterThan(0.8);
});

test('refuses what is no p value', () => {
  expect(() => holm([0.1, Number.NaN])).toThrow(/between 0 and 1, got NaN/);
  expect(() => holm([-0.1])).toThrow(/got -0.1/);
});
