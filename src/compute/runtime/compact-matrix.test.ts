import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromCompact, toCompact, transposedRows } from './compact-matrix.ts';

const finite = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((x) => x / 1000);

describe('a matrix as int8', () => {
  it('is off by at most half a step of its row, and its largest element by rounding only', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 12, maxLength: 12 }), (values) => {
        const data = Float32Array.from(values);
        const read = fromCompact(toCompact(data, 3, 'int8'));
        for (let row = 0; row < 3; row++) {
          const [from, to] = [row * 4, row * 4 + 4];
          const most = Math.max(...data.slice(from, to).map(Math.abs));
          for (let i = from; i < to; i++) {
            expect(Math.abs(read[i]! - data[i]!)).toBeLessThanOrEqual((most / 254) * (1 + 1e-5));
            if (Math.abs(data[i]!) === most) expect(Math.abs(read[i]! - data[i]!)).toBeLessThanOrEqual(most * 1e-6);
          }
        }
      }),
    );
  });

  it('keeps rows of zeros, and does not hide what is not finite', () => {
    const read = fromCompact(toCompact(Float32Array.of(0, -0, 1, Number.POSITIVE_INFINITY, Number.NaN, 2), 3, 'int8'));
    expect([...read.slice(0, 2)]).toEqual([0, 0]);
    expect([...read.slice(2)].every((x) => Number.isFinite(x))).toBe(false);
    expect(Number.isNaN(read[2]) || !Number.isFinite(read[3])).toBe(true);
    expect(Number.isNaN(read[4]!)).toBe(true);
  });
});

it('a matrix as float16 is rounded to the nearest half', () => {
  const data = Float32Array.of(1, -2.5, 1 / 3, 65504, 1e-8, 0.1);
  expect([...fromCompact(toCompact(data, 2, 'float16'))]).toEqual([1, -2.5, 0.333251953125, 65504, 0, 0.0999755859375]);
});

it('rows become columns', () => {
  expect([...transposedRows(Int8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 2, 1, 4)]).toEqual([3, 5, 7, 4, 6, 8]);
});
