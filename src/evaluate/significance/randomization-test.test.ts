import { expect, test } from 'vitest';
import { Random } from '../../util/random.ts';
import { maxExact, randomizationTest } from './randomization-test.ts';

/** All sign assignments, one by one. */
function bruteForce(differences: readonly number[]): number {
  const n = differences.length;
  const observed = Math.abs(differences.reduce((a, b) => a + b, 0));
  let extreme = 0;
  for (let signs = 0; signs < 2 ** n; signs++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += (signs >>> i) & 1 ? differences[i]! : -differences[i]!;
    if (Math.abs(sum) >= observed - 1e-9) extreme++;
  }
  return extreme / 2 ** n;
}

function draw(random: Random, n: number, shift: number): number[] {
  return Array.from({ length: n }, () => Math.round((random.normal() + shift) * 1000) / 1000);
}

test('by hand: of the eight signs of 1, 2, 3 two are as extreme', () => {
  expect(randomizationTest([1, 2, 3])).toEqual({ pValue: 2 / 8, exact: true, samples: 8 });
  expect(randomizationTest([-1, 2, 3])).toMatchObject({ pValue: 4 / 8 });
});

test('differences of 0 change nothing', () => {
  expect(randomizationTest([0, 1, 0, 2, 3, ...new Array<number>(500).fill(0)])).toMatchObject({ pValue: 2 / 8 });
  expect(randomizationTest([0, 0])).toMatchObject({ pValue: 1, exact: true });
  expect(randomizationTest([])).toMatchObject({ pValue: 1 });
});

test('ties that differ by rounding count as ties', () => {
  // 0.1 + 0.2 - 0.3 and its rearrangements are 0 but for rounding.
  expect(randomizationTest([0.1, 0.2, -0.3])).toMatchObject({ pValue: 1 });
  expect(randomizationTest([0.1, 0.1, 0.1, 0.3])).toMatchObject({ pValue: bruteForce([1, 1, 1, 3]) });
});

test('enumeration equals brute force', () => {
  const random = new Random(11);
  for (const n of [1, 2, 3, 7, 11, 13]) {
    const differences = draw(random, n, 0.4);
    expect(randomizationTest(differences)).toEqual({ pValue: bruteForce(differences), exact: true, samples: 2 ** n });
  }
});

test('sampling comes close to the exact value, and is the same for the same seed', () => {
  const random = new Random(12);
  const samples = 40_000;
  for (const shift of [0, 0.3, 0.5]) {
    const differences = draw(random, maxExact + 1, shift);
    const exact = bruteForce(differences);
    const result = randomizationTest(differences, { samples, seed: 7 });
    expect(result).toMatchObject({ exact: false, samples });
    expect(Math.abs(result.pValue - exact)).toBeLessThan(4 * Math.sqrt((exact * (1 - exact)) / samples) + 1 / samples);
    expect(randomizationTest(differences, { samples, seed: 7 })).toEqual(result);
    expect(randomizationTest(differences, { samples, seed: 8 }).pValue).not.toBe(result.pValue);
  }
});

test('more than 32 differences each get a sign of their own', () => {
  // Only the number of flipped signs counts here, so that p is a binomial tail.
  const differences = Array.from({ length: 80 }, (_, i) => (i < 49 ? 1 : -1));
  const { pValue } = randomizationTest(differences, { samples: 40_000, seed: 3 });
  // P(|binomial(80, 1/2) - 40| >= 9) = 0.05667 (binomial sum).
  expect(Math.abs(pValue - 0.0567)).toBeLessThan(0.005);
});

test('p is never 0', () => {
  const differences = Array.from({ length: 60 }, (_, i) => 1 + i / 60);
  expect(randomizationTest(differences, { samples: 999 }).pValue).toBe(1 / 1000);
});
