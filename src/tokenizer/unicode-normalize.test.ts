import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpuSeconds } from './cpu-time.suite.ts';
import { normalizeBounded } from './unicode-normalize.ts';

const nfd = (text: string): string => text.normalize('NFD');

describe('normalizeBounded', () => {
  it('is the plain normalization for texts with fewer marks in a row', () => {
    const unit = fc.constantFrom('a', 'é', '한', '\u0301', '\u0327', ' ', '😀', '\u1100', '\u1161');
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 60 }), (units) => {
        expect(normalizeBounded(units.join(''), nfd)).toBe(nfd(units.join('')));
      }),
    );
  });

  it('keeps all characters of a text with many marks in a row, in bounded time', () => {
    const text = `é${'\u0301\u0327'.repeat(250_000)}한`;
    let result = '';
    const seconds = cpuSeconds(() => {
      result = normalizeBounded(text, nfd);
    });
    expect(seconds).toBeLessThan(5);
    expect(result).toHaveLength(1 + 1 + 500_000 + 3);
    expect(result.startsWith('e\u0327')).toBe(true);
    expect(result.endsWith(nfd('한'))).toBe(true);
  });
});
