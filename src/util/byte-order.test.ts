import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareByteOrder } from './byte-order.ts';

test('agrees with the comparison of UTF-8 bytes', () => {
  const text = fc.string({ unit: 'binary', maxLength: 6 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareByteOrder(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test('puts characters beyond U+FFFF after the private use area, unlike <', () => {
  const [emoji, privateUse] = ['\u{1F600}', '\uE000'];
  expect(emoji < privateUse).toBe(true);
  expect(compareByteOrder(emoji, privateUse)).toBeGreaterThan(0);
});
