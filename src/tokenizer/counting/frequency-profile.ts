/**
 * How many words occur how often, exactly and in small memory: what share of all occurrences the n most frequent words
 * have, for any n, without keeping the words.
 */

const flatLimit = 1 << 16;

/** Frequencies of words. */
export class FrequencyProfile {
  /** Different words. */
  words = 0;
  /** Occurrences of all words. */
  occurrences = 0;
  /** Words by count, below the limit. */
  readonly #flat = new Float64Array(flatLimit);
  /** Counts from the limit on: at most occurrences ÷ limit of them. */
  readonly #large: number[] = [];
  #sorted = true;

  /** Adds a word with its count. */
  add(count: number): void {
    this.words++;
    this.occurrences += count;
    if (count < flatLimit) this.#flat[count]!++;
    else {
      this.#large.push(count);
      this.#sorted = false;
    }
  }

  /** Words that occur `count` times or more. */
  atLeast(count: number): number {
    let words = this.#large.filter((one) => one >= count).length;
    for (let c = Math.max(0, count); c < flatLimit; c++) words += this.#flat[c]!;
    return words;
  }

  /** Share of the occurrences that the n most frequent words have; 0 without words. */
  coverage(n: number): number {
    if (this.occurrences === 0) return 0;
    if (!this.#sorted) this.#large.sort((a, b) => b - a);
    this.#sorted = true;
    let rest = n;
    let covered = 0;
    for (const count of this.#large.slice(0, n)) {
      covered += count;
      rest--;
    }
    for (let count = flatLimit - 1; count > 0 && rest > 0; count--) {
      const taken = Math.min(rest, this.#flat[count]!);
      covered += taken * count;
      rest -= taken;
    }
    return covered / this.occurrences;
  }
}
