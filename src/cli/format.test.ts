import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatDuration, formatFigure, formatFixed, formatTable } from './format.ts';

describe('figures', () => {
  it.each([
    [0.0004, '0 ms'],
    [0.85, '850 ms'],
    [12.34, '12.3 s'],
    [59.99, '1:00'],
    [60, '1:00'],
    [245, '4:05'],
    [3599.6, '1:00:00'],
    [7384, '2:03:04'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('%d seconds are %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [2 ** 31, '2.0 GiB'],
    [150 * 2 ** 20, '150 MiB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [0, '0'],
    [1234.5678, '1,235'],
    [0.0123456, '0.01235'],
    [1.5e-7, '1.50e-7'],
    [Number.NaN, '–'],
  ])('%d as a figure is %s', (value, text) => expect(formatFigure(value)).toBe(text));

  it('counts have separators and measures fixed decimals', () => {
    expect(formatCount(1234567)).toBe('1,234,567');
    expect(formatFixed(0.5)).toBe('0.5000');
    expect(formatFixed(Number.NaN)).toBe('–');
  });
});

describe('formatTable', () => {
  it('aligns the first column left and the others right', () => {
    expect(
      formatTable([
        ['a', 'x'],
        ['bcd', '10'],
      ]),
    ).toBe('a     x\nbcd  10');
  });

  it('takes sides, the last for all further columns, and leaves no space at line ends', () => {
    expect(
      formatTable(
        [
          ['a', 'x', ''],
          ['bcd', '10', 'y'],
        ],
        ['right', 'left'],
      ),
    ).toBe('  a  x\nbcd  10  y');
  });
});
