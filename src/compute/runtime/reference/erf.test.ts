import { describe, expect, it } from 'vitest';
import { erf, erfc } from './erf.ts';

/** x, erf x and erfc x by mpmath 1.3.0 at 40 digits, then rounded to double. */
const known: readonly (readonly [x: number, erf: number, erfc: number])[] = [
  [0.5, 0.5204998778130465, 0.4795001221869535],
  [1, 0.8427007929497149, 0.15729920705028513],
  [1.5, 0.9661051464753108, 0.033894853524689274],
  [1.75, 0.9866716712191824, 0.013328328780817557],
  [2, 0.9953222650189527, 0.004677734981047266],
  [2.5, 0.999593047982555, 0.0004069520174449589],
  [3, 0.9999779095030014, 2.209049699858544e-5],
  [4, 0.9999999845827421, 1.541725790028002e-8],
  [5, 0.9999999999984626, 1.537459794428035e-12],
  [6.5, 1.0, 3.8421483271206475e-20],
  [10, 1, 2.088487583762545e-45],
  [26, 1, 5.663192408856143e-296],
];

describe('erf and erfc', () => {
  it.each(known)('are exact to 1e-15 at %d', (x, expectedErf, expectedErfc) => {
    expect(Math.abs(erf(x) / expectedErf - 1)).toBeLessThan(1e-15);
    expect(erf(-x)).toBe(-erf(x));
    // erfc falls by a factor of 2x·δ under a relative change δ of x², so its own rounding grows with x².
    expect(Math.abs(erfc(x) / expectedErfc - 1)).toBeLessThan(Math.max(1e-15, 2 * x * x * 2 ** -53) * (x < 2 ? 20 : 1));
    expect(Math.abs(erfc(-x) - (1 + expectedErf))).toBeLessThan(1e-15);
  });

  it('is 2x/√π near zero, with its sign', () => {
    expect(Math.abs(erf(2 ** -30) / (2 ** -30 * 1.1283791670955126) - 1)).toBeLessThan(1e-15);
    expect(Object.is(erf(-0), -0)).toBe(true);
    expect(erfc(0)).toBe(1);
  });

  it('joins its two forms without a step', () => {
    const [below, above] = [erf(2 - 1e-12), erf(2 + 1e-12)];
    // The slope at 2 is 2/√π·e⁻⁴ = 0.0206669854.
    expect(Math.abs(above - below - 2e-12 * 0.0206669854)).toBeLessThan(3e-16);
  });

  it('ends at ±1 and passes NaN on', () => {
    expect(erf(Number.POSITIVE_INFINITY)).toBe(1);
    expect(erf(Number.NEGATIVE_INFINITY)).toBe(-1);
    expect(erfc(Number.POSITIVE_INFINITY)).toBe(0);
    expect(erfc(Number.NEGATIVE_INFINITY)).toBe(2);
    expect(erf(Number.NaN)).toBeNaN();
  });
});
