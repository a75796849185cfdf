import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBf16, decodeF16, encodeBf16, encodeF16, fromBf16, fromF16, toBf16, toF16 } from './half-float.ts';

const golden = JSON.parse(
  readFileSync(new URL('../../test/fixtures/goldens/checkpoint.json', import.meta.url), 'utf8'),
) as { halves: [number, number, number][] };
const floats = new Float32Array(Uint32Array.from(golden.halves, ([word]) => word).buffer);

describe('half precision', () => {
  it('rounds as PyTorch does', () => {
    expect([...encodeF16(floats)]).toEqual(golden.halves.map(([, f16]) => f16));
    expect([...encodeBf16(floats)]).toEqual(golden.halves.map(([, , bf16]) => bf16));
  });

  it('keeps every word through decoding and encoding', () => {
    const words = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = new Float32Array(65536);
    decodeF16(words, values);
    expect([...values].findIndex((value, i) => !Number.isNaN(value) && toF16(value) !== i)).toBe(-1);
    expect([...values].filter((value) => Number.isNaN(value)).length).toBe(2 * 1023);
    decodeBf16(words, values);
    expect([...values].findIndex((value, i) => !Number.isNaN(value) && toBf16(value) !== i)).toBe(-1);
    expect(fromBf16(0x3f80)).toBe(1);
    expect([fromF16(0x3555), fromF16(0x7bff), fromF16(1), fromF16(0xfc00)]).toEqual([
      0.333251953125,
      65504,
      2 ** -24,
      Number.NEGATIVE_INFINITY,
    ]);
  });

  it('gives no other word that is nearer', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -65000, max: 65000 }), (value) => {
        for (const [to, from] of [
          [toF16, fromF16],
          [toBf16, fromBf16],
        ] as const) {
          const word = to(value);
          const distance = Math.abs(from(word) - value);
          for (const neighbour of [word - 1, word + 1]) {
            if (neighbour < 0) continue;
            const other = Math.abs(from(neighbour) - value);
            expect(other < distance).toBe(false);
            if (other === distance && distance > 0) expect(word & 1).toBe(0);
          }
        }
      }),
    );
  });

  it('keeps NaN', () => {
    expect(fromF16(toF16(Number.NaN))).toBeNaN();
    expect(fromBf16(toBf16(Number.NaN))).toBeNaN();
  });
});
