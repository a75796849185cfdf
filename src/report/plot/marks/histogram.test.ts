import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binValues } from './histogram.ts';

describe('binValues', () => {
  it('counts in bins of equal width', () => {
    expect(binValues([0, 1, 2, 3, 4], { count: 2 })).toEqual([
      { from: 0, to: 2, count: 2 },
      { from: 2, to: 4, count: 3 },
    ]);
  });

  it('counts in bins of equal ratio, without what has no logarithm', () => {
    expect(binValues([0, -1, 1, 5, 10, 100], { count: 2, scale: 'log' })).toEqual([
      { from: 1, to: 10, count: 2 },
      { from: 10, to: 100, count: 2 },
    ]);
  });

  it('begins bins of integers at integers', () => {
    expect(binValues([1, 1, 2, 3, 4, 8], { count: 8, scale: 'log', integers: true })).toEqual([
      { from: 1, to: 2, count: 2 },
      { from: 2, to: 3, count: 1 },
      { from: 3, to: 4, count: 1 },
      { from: 4, to: 5, count: 1 },
      { from: 5, to: 7, count: 0 },
      { from: 7, to: 9, count: 1 },
    ]);
  });

  it('has one bin for one value, and none for none', () => {
    expect(binValues([3, 3])).toEqual([{ from: 3, to: 4, count: 2 }]);
    expect(binValues([Number.NaN, Number.POSITIVE_INFINITY])).toEqual([]);
  });

  it('counts every value once, in the bin that holds it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom('linear' as const, 'log' as const),
        fc.boolean(),
        (values, count, scale, integers) => {
          const bins = binValues(values, { count, scale, integers });
          const last = bins.length - 1;
          for (const [i, bin] of bins.entries()) {
            const inside = values.filter(
              (value) => value >= bin.from && (value < bin.to || (i === last && value <= bin.to)),
            );
            expect(bin.count).toBe(inside.length);
          }
          expect(bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(values.length);
        },
      ),
    );
  });
});
