/**
 * Seeded dropout masks (Srivastava et al. 2014), computed from a counter: element i depends on the seed and i alone,
 * so that a resumed run makes the same masks. The integer hash is a multiply–xorshift mixer of 32 bits.
 */

/** Fills a mask: 0 with probability `rate`, else 1/(1 − rate). */
export function fillDropoutMask(mask: Float32Array, rate: number, seed: number): void {
  const threshold = Math.min(0xffffffff, Math.round(rate * 4294967296));
  const kept = 1 / (1 - rate);
  const start = mix(seed | 0);
  for (let i = 0; i < mask.length; i++) {
    mask[i] = mix((Math.imul(i, 0x9e3779b1) + start) | 0) >>> 0 < threshold ? 0 : kept;
  }
}

/** A seed for one of many masks of one step. */
export function dropoutSeed(seed: number, step: number, site: number): number {
  return mix((mix((mix(seed | 0) + step) | 0) + Math.imul(site, 0x632be5ab)) | 0) >>> 0;
}

function mix(x: number): number {
  let z = x ^ (x >>> 16);
  z = Math.imul(z, 0x21f0aaad);
  z ^= z >>> 15;
  z = Math.imul(z, 0x735a2d97);
  return z ^ (z >>> 15);
}
