import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Random } from '../util/random.ts';
import { compareAtEqualCost, costRange, type OperatingPoint } from './equal-cost.ts';

interface Golden {
  readonly curve: OperatingPoint[];
  readonly point: OperatingPoint;
  readonly cost: number;
  readonly difference: number;
  readonly interval: [number, number];
}

const path = new URL('../../test/fixtures/goldens/interpolation.json', import.meta.url);
const { equalCost: golden } = JSON.parse(readFileSync(path, 'utf8')) as { equalCost: Golden };

const flat = (value: number, cost: number): OperatingPoint => ({ effectiveness: [value, value], cost });

describe('compareAtEqualCost', () => {
  it('by hand: between costs 1 and 100 a cost of 10 is half-way', () => {
    const [result] = compareAtEqualCost([flat(0.4, 100), flat(0.2, 1)], [flat(0.25, 10)], { samples: 50 });
    expect(result?.a.mean).toBeCloseTo(0.3, 12);
    expect(result?.difference.mean).toBeCloseTo(0.05, 12);
    expect(result?.difference.low).toBeCloseTo(0.05, 12);
    expect(result).toMatchObject({ cost: 10, b: { mean: 0.25 }, outside: 0 });
  });

  it('equals a bootstrap in NumPy with the interpolation of SciPy', () => {
    const [result] = compareAtEqualCost(golden.curve, [golden.point], { samples: 20_000, seed: 5 });
    expect(result?.cost).toBeCloseTo(golden.cost, 12);
    expect(result?.difference.mean).toBeCloseTo(golden.difference, 12);
    const [low, high] = golden.interval;
    expect(Math.abs(result!.difference.low - low)).toBeLessThan(0.03 * (high - low));
    expect(Math.abs(result!.difference.high - high)).toBeLessThan(0.03 * (high - low));
    // Paired: the queries are of very different skill, so that A and B alone are far less certain.
    expect(result!.a.high - result!.a.low).toBeGreaterThan(1.5 * (high - low));
  });

  it('refuses to extrapolate', () => {
    const curve = [flat(0.2, 1), flat(0.4, 100)];
    const results = compareAtEqualCost(curve, [flat(0.5, 0.99), flat(0.5, 1), flat(0.5, 100), flat(0.5, 101)], {
      samples: 5,
    });
    expect(results.map((result) => result?.a.mean)).toEqual([undefined, 0.2, 0.4, undefined]);
    expect(costRange(curve)).toEqual([1, 100]);
  });

  it('counts the resamples that fall beyond the curve', () => {
    const random = new Random(3);
    const noise = Array.from({ length: 40 }, () => random.uniform());
    const effectiveness = noise.map((_, i) => (i % 5) / 5);
    const curve = [
      { effectiveness, cost: noise.map((x) => 1 + x) },
      { effectiveness, cost: 10 },
    ];
    const point = { effectiveness, cost: noise.map((x) => 2.04 - x) };
    const [result] = compareAtEqualCost(curve, [point], { samples: 400 });
    expect(result!.outside).toBeGreaterThan(0.2);
    expect(result!.outside).toBeLessThan(0.8);
  });

  it('averages points of equal cost', () => {
    const [result] = compareAtEqualCost([flat(0.2, 2), flat(0.4, 2), flat(0.6, 2), flat(1, 8)], [flat(0, 2)], {
      samples: 5,
    });
    expect(result?.a.mean).toBeCloseTo(0.4, 12);
  });

  it('refuses costs of nothing and points of other queries', () => {
    expect(() => compareAtEqualCost([flat(0, 0)], [flat(0, 1)])).toThrow(/above 0, got 0/);
    expect(() => compareAtEqualCost([flat(0, 1)], [{ effectiveness: [1], cost: 1 }])).toThrow(/same queries/);
    expect(() => compareAtEqualCost([flat(0, 1)], [{ effectiveness: [1, 1], cost: [1] }])).toThrow(/same queries/);
    expect(() => compareAtEqualCost([], [])).toThrow(/at least one query/);
  });
});
