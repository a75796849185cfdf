import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpolateMonotone } from './monotone-interpolation.ts';

interface Case {
  readonly xs: number[];
  readonly ys: number[];
  readonly at: number[];
  readonly value: number[];
}

const path = new URL('../../test/fixtures/goldens/interpolation.json', import.meta.url);
const { pchip } = JSON.parse(readFileSync(path, 'utf8')) as { pchip: Case[] };

describe('interpolateMonotone', () => {
  it('by hand: two points are a line, three a cubic with harmonic slopes', () => {
    expect(interpolateMonotone([0, 4], [1, 3], 1)).toBe(1.5);
    // Secants 1 and 3: the slope in the middle is 2 / (1/1 + 1/3) = 1.5, at the left end (3·1 − 3)/2 = 0.
    // At x = .5: ½·0 + ½·1 + (0 − 1.5)/8 = 0.3125.
    expect(interpolateMonotone([0, 1, 2], [0, 1, 4], 0.5)).toBeCloseTo(0.3125, 15);
    expect(interpolateMonotone([3], [7], 3)).toBe(7);
  });

  it('equals PchipInterpolator of SciPy', () => {
    expect(pchip.length).toBe(14);
    for (const { xs, ys, at, value } of pchip) {
      const scale = Math.max(...ys.map(Math.abs));
      for (const [i, x] of at.entries()) {
        expect(Math.abs(interpolateMonotone(xs, ys, x)! - value[i]!)).toBeLessThan(1e-12 * scale);
      }
    }
  });

  it('stays between neighbours, rises where the points rise, and meets them', () => {
    const curve = fc
      .array(
        fc.record({
          step: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
          y: fc.double({ min: -1, max: 1, noNaN: true }),
        }),
        {
          minLength: 2,
          maxLength: 8,
        },
      )
      .map((points) => {
        let x = 0;
        return { xs: points.map(({ step }) => (x += step)), ys: points.map(({ y }) => y) };
      });
    fc.assert(
      fc.property(
        curve,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }),
        ({ xs, ys }, parts) => {
          for (let i = 0; i + 1 < xs.length; i++) {
            expect(interpolateMonotone(xs, ys, xs[i]!)).toBeCloseTo(ys[i]!, 12);
            const places = parts
              .map((part) => Math.min(xs[i + 1]!, xs[i]! + part * (xs[i + 1]! - xs[i]!)))
              .sort((a, b) => a - b);
            const values = places.map((x) => interpolateMonotone(xs, ys, x)!);
            const direction = Math.sign(ys[i + 1]! - ys[i]!);
            for (const [j, value] of values.entries()) {
              expect(value).toBeGreaterThanOrEqual(Math.min(ys[i]!, ys[i + 1]!) - 1e-12);
              expect(value).toBeLessThanOrEqual(Math.max(ys[i]!, ys[i + 1]!) + 1e-12);
              if (j > 0) expect(direction * (value - values[j - 1]!)).toBeGreaterThanOrEqual(-1e-12);
            }
          }
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it('refuses to extrapolate, and curves that are none', () => {
    for (const x of [-1e-9, 2.0001, Number.NaN]) expect(interpolateMonotone([0, 1, 2], [0, 1, 2], x)).toBeUndefined();
    expect(() => interpolateMonotone([], [], 0)).toThrow(/as many values as places/);
    expect(() => interpolateMonotone([0, 1], [0], 0)).toThrow(/got 1 and 2/);
    expect(() => interpolateMonotone([0, 0], [0, 1], 0)).toThrow(/must ascend, but 0 follows 0/);
  });
});
