import { describe, expect, it } from 'vitest';
import { dropoutSeed, fillDropoutMask } from './dropout-mask.ts';

function mask(length: number, rate: number, seed: number): Float32Array {
  const filled = new Float32Array(length);
  fillDropoutMask(filled, rate, seed);
  return filled;
}

function dropped(values: Float32Array): number {
  return values.reduce((count, value) => count + (value === 0 ? 1 : 0), 0) / values.length;
}

describe('fillDropoutMask', () => {
  it('is 0 at the given rate and 1/(1 − rate) elsewhere, so that the mean is 1', () => {
    const length = 200_000;
    for (const rate of [0.01, 0.1, 0.3, 0.5, 0.9]) {
      const values = mask(length, rate, 17);
      expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / (1 - rate))]));
      // Five standard deviations of a binomial share.
      expect(Math.abs(dropped(values) - rate)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / length));
    }
  });

  it('keeps everything at rate 0', () => {
    expect(mask(1000, 0, 3)).toEqual(new Float32Array(1000).fill(1));
  });

  it('depends on the seed and the position alone', () => {
    expect(mask(100, 0.5, 9)).toEqual(mask(1000, 0.5, 9).slice(0, 100));
    expect(mask(100, 0.5, 9)).not.toEqual(mask(100, 0.5, 10));
    // The same numbers on every machine and in every version: a resumed run goes on as it was.
    expect([...mask(16, 0.5, 42)].map((value) => (value === 0 ? 0 : 1)).join('')).toBe('0010011010110001');
  });

  it('of neighbouring positions, steps and sites are independent', () => {
    const length = 50_000;
    const share = (a: Float32Array, b: Float32Array): number =>
      a.reduce((count, value, i) => count + (value === 0 && b[i] === 0 ? 1 : 0), 0) / length;
    const limit = 5 * Math.sqrt((0.25 * 0.75) / length);
    const base = mask(length + 1, 0.5, dropoutSeed(1, 1, 0));
    expect(Math.abs(share(base.subarray(0, length), base.subarray(1)) - 0.25)).toBeLessThan(limit);
    for (const [seed, step, site] of [
      [1, 2, 0],
      [1, 1, 1],
      [2, 1, 0],
    ] as const) {
      const other = mask(length, 0.5, dropoutSeed(seed, step, site));
      expect(Math.abs(share(base.subarray(0, length), other) - 0.25)).toBeLessThan(limit);
    }
  });
});

describe('dropoutSeed', () => {
  it('is an unsigned integer of 32 bits, different for each step and site', () => {
    const seeds = new Set<number>();
    for (let step = 0; step < 200; step++) for (let site = 0; site < 40; site++) seeds.add(dropoutSeed(7, step, site));
    expect(seeds.size).toBeGreaterThan(7990);
    for (const seed of seeds) expect(seed >>> 0).toBe(seed);
  });
});
