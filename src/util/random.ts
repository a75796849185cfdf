/**
 * Seeded random numbers: xoshiro128** seeded by splitmix32 (Blackman and Vigna, "Scrambled linear pseudorandom
 * number generators", 2018). The whole state is four 32-bit words, so that a training run can save and restore it.
 */

/** The state of a {@link Random}: four unsigned 32-bit words. */
export type RandomState = readonly [number, number, number, number];

/** A deterministic random generator. */
export class Random {
  #state: [number, number, number, number];
  #spareNormal: number | undefined;

  constructor(seed: number | RandomState) {
    if (typeof seed !== 'number') {
      this.#state = [...seed];
      return;
    }
    let x = seed >>> 0;
    const next = (): number => {
      x = (x + 0x9e3779b9) >>> 0;
      let z = x;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return (z ^ (z >>> 16)) >>> 0;
    };
    this.#state = [next(), next(), next(), next()];
  }

  /** A copy of the state. A spare normal deviate is not part of it. */
  get state(): RandomState {
    return [...this.#state];
  }

  /** A uniform unsigned 32-bit integer. */
  uint32(): number {
    const s = this.#state;
    const rotate = (v: number, k: number): number => ((v << k) | (v >>> (32 - k))) >>> 0;
    const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = (s[1] << 9) >>> 0;
    s[2] = (s[2] ^ s[0]) >>> 0;
    s[3] = (s[3] ^ s[1]) >>> 0;
    s[1] = (s[1] ^ s[2]) >>> 0;
    s[0] = (s[0] ^ s[3]) >>> 0;
    s[2] = (s[2] ^ t) >>> 0;
    s[3] = rotate(s[3], 11);
    return result;
  }

  /** A uniform number in [0, 1). */
  uniform(): number {
    return this.uint32() / 4294967296;
  }

  /** A uniform integer in [0, bound). */
  integer(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** A standard normal deviate (Box and Muller). */
  normal(): number {
    const spare = this.#spareNormal;
    if (spare !== undefined) {
      this.#spareNormal = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Shuffles in place (Fisher and Yates). */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = items[i];
      items[i] = items[j];
      items[j] = kept;
    }
    return items;
  }
}
