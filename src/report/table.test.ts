import { describe, expect, it } from 'vitest';
import {
  estimateCell,
  formatBytes,
  formatDifference,
  formatInterval,
  formatNumber,
  formatPValue,
  formatSeconds,
} from './table.ts';

describe('numbers in tables', () => {
  it.each([
    [formatNumber(0.12345), '0.123'],
    [formatNumber(-0.5), '−0.500'],
    [formatNumber(-0.0001), '0.000'],
    [formatNumber(1234567.891, 1), '1,234,567.9'],
    [formatNumber(999, 0), '999'],
    [formatNumber(Number.NaN), '–'],
    [formatNumber(undefined), '–'],
    [formatDifference(0.1), '+0.100'],
    [formatDifference(-0.1), '−0.100'],
    [formatDifference(0.0001), '0.000'],
    [formatInterval({ mean: 1, low: 0.5, high: 1.5 }), '[0.500, 1.500]'],
    [formatInterval({ mean: 1 }), ''],
    [formatPValue(0.00001), '< 0.0001'],
    [formatPValue(0.0123), '0.0123'],
    [formatPValue(0.5), '0.50'],
    [formatPValue(Number.NaN), '–'],
    [formatBytes(512), '512 B'],
    [formatBytes(1536), '1.5 KiB'],
    [formatBytes(300 * 1024 * 1024), '300 MiB'],
    [formatBytes(undefined), '–'],
    [formatSeconds(0.84), '0.8 s'],
    [formatSeconds(59.4), '59 s'],
    [formatSeconds(59.6), '1 min 00 s'],
    [formatSeconds(185), '3 min 05 s'],
    [formatSeconds(3725), '1 h 02 min'],
    [formatSeconds(Number.POSITIVE_INFINITY), '–'],
  ])('%s', (text, expected) => {
    expect(text).toBe(expected);
  });

  it('makes cells of estimates', () => {
    expect(estimateCell({ mean: 0.5, low: 0.4, high: 0.6 }, { strong: true })).toEqual({
      text: '0.500',
      note: '[0.400, 0.600]',
      strong: true,
    });
    expect(estimateCell({ mean: 0.5 })).toEqual({ text: '0.500', strong: false });
    expect(estimateCell(undefined)).toBe('–');
  });
});
