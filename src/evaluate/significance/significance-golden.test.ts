import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bootstrapInterval } from './bootstrap-interval.ts';
import { incompleteBeta, logGamma } from './incomplete-beta.ts';
import { pairedTTest, twoSidedP } from './paired-t-test.ts';
import { randomizationTest } from './randomization-test.ts';

interface Case {
  readonly kind: string;
  readonly differences: number[] | null;
  readonly statistic: number;
  readonly p: number;
  readonly n?: number;
  readonly mean?: number;
  readonly deviation?: number;
  readonly exact?: number;
  readonly interval?: [number, number];
}

interface Golden {
  readonly tests: Case[];
  readonly tTail: [number, number, number][];
  readonly beta: [number, number, number, number][];
  readonly logGamma: [number, number][];
}

const path = new URL('../../../test/fixtures/goldens/significance.json', import.meta.url);
const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;

function expectRelative(actual: number, expected: number, tolerance: number, label: string): void {
  expect(Math.abs(actual - expected) / Math.abs(expected), `${label}: ${actual} for ${expected}`).toBeLessThan(
    tolerance,
  );
}

describe('equals SciPy', () => {
  test('ln Γ', () => {
    for (const [x, value] of golden.logGamma)
      expect(Math.abs(logGamma(x) - value)).toBeLessThan(1e-13 * (1 + Math.abs(value)));
  });

  test('incomplete beta function', () => {
    for (const [x, a, b, value] of golden.beta) {
      if (value > 1e-290) expectRelative(incompleteBeta(x, a, b), value, 2e-11, `I_${x}(${a}, ${b})`);
      else expect(incompleteBeta(x, a, b)).toBeLessThan(1e-289);
    }
  });

  test('tails of the t distribution', () => {
    for (const [t, freedom, p] of golden.tTail) {
      if (p > 1e-290) expectRelative(twoSidedP(t, freedom), p, 2e-10, `t ${t}, ${freedom} degrees of freedom`);
      else expect(twoSidedP(t, freedom)).toBeLessThan(1e-289);
    }
  });

  const cases = golden.tests.map((item) => [`${item.differences?.length ?? item.n} ${item.kind}`, item] as const);
  test.each(cases.filter(([, item]) => item.differences !== null))('t-test of %s', (_, item) => {
    const result = pairedTTest(item.differences!);
    expectRelative(result.statistic, item.statistic, 1e-10, 'statistic');
    expectRelative(result.pValue, item.p, 1e-10, 'p');
    expect(result.degreesOfFreedom).toBe(item.differences!.length - 1);
  });

  test.each(cases.filter(([, item]) => item.n !== undefined))('t-test of %s, from mean and deviation', (_, item) => {
    const { n, mean, deviation } = item as Required<Case>;
    expectRelative(mean / (deviation / Math.sqrt(n)), item.statistic, 1e-10, 'statistic');
    expectRelative(twoSidedP(item.statistic, n - 1), item.p, 1e-10, 'p');
  });

  const exactCases = cases.filter(([, item]) => item.exact !== undefined);
  test('there are exact randomisation tests to compare with', () => expect(exactCases.length).toBe(7));
  test.each(exactCases)('exact randomisation test of %s', (_, item) => {
    const result = randomizationTest(item.differences!);
    expect(result.exact).toBe(true);
    expectRelative(result.pValue, item.exact!, 1e-12, 'p');
  });

  test.each(cases.filter(([, item]) => item.interval !== undefined))('bootstrap interval of %s', (_, item) => {
    const { low, high } = bootstrapInterval(item.differences!, { samples: 40_000, seed: 1 });
    const [wantedLow, wantedHigh] = item.interval!;
    const width = wantedHigh - wantedLow;
    expect(Math.abs(low - wantedLow)).toBeLessThan(0.02 * width);
    expect(Math.abs(high - wantedHigh)).toBeLessThan(0.02 * width);
  });
});
