import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseDomain } from './domain.ts';
import { formatTick, linearTicks, logTicks, tickStep } from './ticks.ts';

const texts = (ticks: readonly { text: string }[]): string[] => ticks.map((tick) => tick.text);

describe('linearTicks', () => {
  it.each([
    [0, 1, 5, ['0', '0.2', '0.4', '0.6', '0.8', '1.0']],
    [0, 0.001, 2, ['0', '0.0005', '0.0010']],
    [0, 40_000, 4, ['0', '10k', '20k', '30k', '40k']],
    [0, 5000, 5, ['0', '1,000', '2,000', '3,000', '4,000', '5,000']],
    [-0.2, 0.2, 4, ['−0.2', '−0.1', '0', '0.1', '0.2']],
    [0, 3e6, 3, ['0', '1M', '2M', '3M']],
    [0, 3e-7, 3, ['0', '1e-7', '2e-7', '3e-7']],
    [20_000, 20_004, 4, ['20,000', '20,001', '20,002', '20,003', '20,004']],
  ])('from %d to %d', (low, high, count, expected) => {
    expect(texts(linearTicks(low, high, count))).toEqual(expected);
  });

  it('are round, ascending, inside the domain, and have texts of their own', () => {
    const number = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(number, number, fc.integer({ min: 2, max: 10 }), (a, b, count) => {
        fc.pre(Math.abs(a - b) > 1e-6 * Math.max(Math.abs(a), Math.abs(b), 1e-3));
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const ticks = linearTicks(low, high, count);
        const slack = (high - low) * 1e-6;
        expect(ticks.length).toBeGreaterThanOrEqual(1);
        expect(ticks.length).toBeLessThanOrEqual(2.5 * count + 1);
        for (const [i, { at }] of ticks.entries()) {
          expect(at).toBeGreaterThanOrEqual(low - slack);
          expect(at).toBeLessThanOrEqual(high + slack);
          if (i > 0) expect(at).toBeGreaterThan(ticks[i - 1]!.at);
        }
        if (high - low > 1e-3 * Math.max(Math.abs(low), Math.abs(high))) {
          expect(new Set(texts(ticks)).size).toBe(ticks.length);
        }
      }),
    );
  });
});

describe('logTicks', () => {
  it.each([
    [1, 1000, ['1', '10', '100', '1,000']],
    [0.15, 12, ['0.2', '0.5', '1', '2', '5', '10']],
    [10, 60, ['10', '20', '30', '50']],
    [1, 1e12, ['1', '', '', '1,000', '', '', '1M', '', '', '1G', '', '', '1000G']],
  ])('from %d to %d', (low, high, expected) => {
    expect(texts(logTicks(low, high, 5)).map((text) => text.replace('1,000G', '1000G'))).toEqual(expected);
  });
});

describe('formatTick', () => {
  it.each([
    [0, '0'],
    [0.25, '0.25'],
    [2e-6, '2e-6'],
    [1500, '1,500'],
    [20_000, '20k'],
    [1_234_567, '1.235M'],
    [-3e9, '-3G'],
    [1e16, '1e16'],
  ])('%d', (value, expected) => {
    expect(formatTick(value)).toBe(expected);
  });
});

describe('tickStep', () => {
  it('is 1, 2 or 5 times a power of ten', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), fc.integer({ min: 1, max: 20 }), (span, count) => {
        const step = tickStep(span, count);
        expect(['1', '2', '5']).toContain(String(Number(step.toPrecision(6)).toExponential()[0]));
        expect(span / step).toBeLessThanOrEqual(count * 2.01);
      }),
    );
  });
});

describe('chooseDomain', () => {
  const linear = { scale: 'linear', zero: false, round: false, pad: false } as const;

  it.each([
    ['nothing', [], linear, [0, 1]],
    ['nothing, logarithmic', [], { ...linear, scale: 'log' as const }, [1, 10]],
    ['one value', [[3, 3]], linear, [2.7, 3.3]],
    ['zeros', [[0, 0]], { ...linear, zero: true }, [0, 1]],
    ['zero wanted', [[2, 4]], { ...linear, zero: true }, [0, 4]],
    ['round', [[0.13, 3.7]], { ...linear, round: true }, [0, 4]],
    ['padded', [[0, 100]], { ...linear, pad: true }, [-4, 104]],
    ['logarithmic without what has no logarithm', [[-5, 80]], { ...linear, scale: 'log' as const }, [40, 160]],
    ['logarithmic and round', [[3, 700]], { ...linear, scale: 'log' as const, round: true }, [2, 1000]],
  ])('%s', (_title, extents, options, expected) => {
    const [low, high] = chooseDomain(extents as [number, number][], options);
    expect(low).toBeCloseTo(expected[0]!, 10);
    expect(high).toBeCloseTo(expected[1]!, 10);
  });

  it('holds all values and is never empty', () => {
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.array(value), fc.boolean(), fc.boolean(), fc.boolean(), (values, zero, round, pad) => {
        const extents = values.map((one): [number, number] => [one, one]);
        const [low, high] = chooseDomain(extents, { scale: 'linear', zero, round, pad });
        expect(low).toBeLessThan(high);
        const slack = (high - low) * 1e-9;
        for (const one of zero ? [...values, 0] : values) {
          expect(one).toBeGreaterThanOrEqual(low - slack);
          expect(one).toBeLessThanOrEqual(high + slack);
        }
        const logarithmic = chooseDomain(extents, { scale: 'log', zero, round, pad });
        expect(logarithmic[0]).toBeGreaterThan(0);
        expect(logarithmic[0]).toBeLessThan(logarithmic[1]);
      }),
    );
  });
});
