/**
 * A histogram of binary32 numbers over the upper 17 bits of their pattern (sign, exponent, 8 bits of fraction): every
 * number goes into a bin no wider than 1/256 of itself, whatever the scale of the numbers, and numbers scaled by a power
 * of two fall into bins scaled by it. Holds token-level logits, of which there are too many to keep.
 */

/** Fraction bits kept. */
const fractionBits = 8;
const dropped = 23 - fractionBits;
/** Bins on each side of zero. */
const half = 1 << (8 + fractionBits);

/** A bin of equal width, for plots. */
export interface LinearBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** Counts numbers. NaN must not come. */
export class LogitHistogram {
  /** Ascending: below `half` the negative numbers and −0, from `half` on 0 and the positive ones. */
  readonly #counts = new Float64Array(2 * half);
  #total = 0;

  /** Numbers counted. */
  get total(): number {
    return this.#total;
  }

  /** Counts every number of an array. */
  addAll(values: Float32Array): void {
    const counts = this.#counts;
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < words.length; i++) {
      const bits = words[i]! >>> dropped;
      counts[bits < half ? half + bits : 2 * half - 1 - bits]!++;
    }
    this.#total += values.length;
  }

  /** Share of the numbers above `x`, which is taken down to the edge of its bin. Numbers that are 0 are not above 0. */
  shareAbove(x: number): number {
    if (this.#total === 0) return 0;
    let above = 0;
    let first = x === 0 ? half + 1 : binOf(x);
    // A negative edge is the largest number of its bin.
    if (x < 0 && edgeOf(first + 1) === x) first++;
    for (let bin = first; bin < 2 * half; bin++) above += this.#counts[bin]!;
    return above / this.#total;
  }

  /**
   * The lower edge of a bin with about a share of the numbers above it: of all edges the one that comes nearest.
   * @param share between 0 and 1
   */
  thresholdFor(share: number): number {
    const wanted = share * this.#total;
    let above = 0;
    for (let bin = 2 * half - 1; bin >= 0; bin--) {
      const count = this.#counts[bin]!;
      if (count === 0) continue;
      if (above + count >= wanted) {
        const over = above + count - wanted;
        return over <= wanted - above ? edgeOf(bin) : edgeOf(Math.min(2 * half - 1, bin + 1));
      }
      above += count;
    }
    return 0;
  }

  /** The smallest and largest number, to the edges of their bins; undefined when there are none. */
  range(): readonly [number, number] | undefined {
    const first = this.#counts.findIndex((count) => count > 0);
    if (first === -1) return undefined;
    const last = this.#counts.findLastIndex((count) => count > 0);
    return [edgeOf(first), edgeOf(last + 1)];
  }

  /** The same counts in bins of equal width, a share of outliers on both sides gathered in the outermost. */
  linearBins(count: number, options: { readonly tails?: number } = {}): LinearBin[] {
    const range = this.range();
    if (range === undefined) return [];
    const tails = options.tails ?? 1e-4;
    const low = Math.max(range[0], this.thresholdFor(1 - tails));
    const high = Math.max(low + Number.MIN_VALUE, Math.min(range[1], this.thresholdFor(tails)));
    const bins = new Float64Array(count);
    this.#counts.forEach((n, bin) => {
      if (n === 0) return;
      const middle = (edgeOf(bin) + edgeOf(bin + 1)) / 2;
      const at = Math.floor(((middle - low) / (high - low)) * count);
      bins[Math.max(0, Math.min(count - 1, at))]! += n;
    });
    return Array.from(bins, (n, i) => ({
      from: low + ((high - low) * i) / count,
      to: low + ((high - low) * (i + 1)) / count,
      count: n,
    }));
  }
}

function binOf(x: number): number {
  float[0] = x;
  const bits = word[0]! >>> dropped;
  return bits < half ? half + bits : 2 * half - 1 - bits;
}

/** The lower edge of a bin. */
function edgeOf(bin: number): number {
  if (bin >= half) {
    word[0] = (bin - half) << dropped;
    return Math.min(float[0]!, 3.4e38);
  }
  word[0] = (half - bin) << dropped;
  return Math.max(-float[0]!, -3.4e38);
}
