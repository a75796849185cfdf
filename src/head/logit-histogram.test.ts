import { describe, expect, it } from 'vitest';
import { Random } from '../util/random.ts';
import { LogitHistogram } from './logit-histogram.ts';

const random = new Random(5);
const values = Float32Array.from({ length: 20_000 }, () => random.normal() * 3 - 1);

function histogramOf(numbers: Float32Array): LogitHistogram {
  const histogram = new LogitHistogram();
  histogram.addAll(numbers);
  return histogram;
}

describe('LogitHistogram', () => {
  it('knows the share above 0 exactly, and above others to the width of a bin', () => {
    const histogram = histogramOf(values);
    expect(histogram.total).toBe(20_000);
    expect(histogram.shareAbove(0)).toBe(values.filter((x) => x > 0).length / 20_000);
    for (const x of [-6.1, -1, -0.001, 0.02, 1, 4.7]) {
      const width = Math.abs(x) / 128;
      const [most, least] = [x - width, x + width].map((edge) => values.filter((y) => y >= edge).length / 20_000);
      expect(histogram.shareAbove(x)).toBeLessThanOrEqual(most!);
      expect(histogram.shareAbove(x)).toBeGreaterThanOrEqual(least!);
    }
  });

  it('does not count zeros as above 0', () => {
    expect(histogramOf(Float32Array.of(0, -0, 0, 1)).shareAbove(0)).toBe(0.25);
    expect(histogramOf(Float32Array.of(-1, -2)).shareAbove(0)).toBe(0);
    expect(new LogitHistogram().shareAbove(0)).toBe(0);
  });

  it.each([0.001, 0.1, 0.4, 0.5, 0.9, 0.999])('finds a threshold with a share of %f above it', (share) => {
    const histogram = histogramOf(values);
    const threshold = histogram.thresholdFor(share);
    expect(histogram.shareAbove(threshold)).toBe(values.filter((x) => x >= threshold).length / 20_000);
    expect(Math.abs(histogram.shareAbove(threshold) - share)).toBeLessThan(0.004);
  });

  it('scales with the numbers by powers of two, exactly', () => {
    const histogram = histogramOf(values);
    for (const power of [-20, -4, 3, 30]) {
      const scaled = histogramOf(values.map((x) => x * 2 ** power));
      expect(scaled.thresholdFor(0.4)).toBe(histogram.thresholdFor(0.4) * 2 ** power);
      expect(scaled.shareAbove(2 ** power)).toBe(histogram.shareAbove(1));
    }
  });

  it('keeps every count in bins of equal width', () => {
    const bins = histogramOf(values).linearBins(40);
    expect(bins).toHaveLength(40);
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(20_000);
    for (const { from, to, count } of bins.slice(1, -1)) {
      const [least, most] = [0.02, -0.02].map((x) => values.filter((y) => y >= from + x && y < to - x).length);
      expect(count).toBeGreaterThanOrEqual(least!);
      expect(count).toBeLessThanOrEqual(most!);
    }
    expect(new LogitHistogram().linearBins(4)).toEqual([]);
  });

  it('takes one number, many times', () => {
    const histogram = histogramOf(new Float32Array(10).fill(2));
    expect(histogram.linearBins(3).reduce((sum, { count }) => sum + count, 0)).toBe(10);
    expect(histogram.range()).toEqual([2, 2 + 2 / 256]);
  });
});
