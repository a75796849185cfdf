/**
 * Counts words in flat memory: an open-addressing hash table over one array that holds the UTF-16 units of all words. A
 * word is a part of a text and is looked up without being made a string; about 40 bytes a word, and nothing that keeps
 * the texts alive, as the parts of strings in a Map would.
 */

/** A table of words and how often each was added. */
export class WordTable {
  #units = new Uint16Array(1 << 16);
  #unitCount = 0;
  /** Where each word begins in the units; one more than there are words. */
  #starts = new Uint32Array((1 << 12) + 1);
  #hashes = new Int32Array(1 << 12);
  #counts = new Float64Array(1 << 12);
  #slots = new Int32Array(1 << 13).fill(-1);
  #size = 0;

  /** Different words. */
  get size(): number {
    return this.#size;
  }

  /** UTF-16 units of all different words. */
  get units(): number {
    return this.#unitCount;
  }

  /** Adds the word `text.slice(start, end)`. */
  add(text: string, start = 0, end: number = text.length, count = 1): void {
    let hash = 0x811c9dc5 | 0;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const word = this.#slots[at]!;
      if (word === -1) {
        this.#insert(text, start, end, hash, at, count);
        return;
      }
      if (this.#hashes[word] === hash && this.#equals(word, text, start, end)) {
        this.#counts[word]! += count;
        return;
      }
    }
  }

  /** Every word and its count, in the order of first addition. */
  *entries(): Generator<readonly [string, number]> {
    for (let word = 0; word < this.#size; word++) {
      yield [this.#text(this.#starts[word]!, this.#starts[word + 1]!), this.#counts[word]!];
    }
  }

  /** Forgets all words; the memory is kept. */
  clear(): void {
    this.#size = 0;
    this.#unitCount = 0;
    this.#slots.fill(-1);
  }

  #equals(word: number, text: string, start: number, end: number): boolean {
    const from = this.#starts[word]!;
    if (this.#starts[word + 1]! - from !== end - start) return false;
    for (let i = start, at = from; i < end; i++, at++) if (this.#units[at] !== text.charCodeAt(i)) return false;
    return true;
  }

  #insert(text: string, start: number, end: number, hash: number, slot: number, count: number): void {
    const needed = this.#unitCount + end - start;
    if (needed > this.#units.length) {
      const wider = new Uint16Array(Math.max(needed, 2 * this.#units.length));
      wider.set(this.#units);
      this.#units = wider;
    }
    if (this.#size === this.#counts.length) this.#grow();
    for (let i = start; i < end; i++) this.#units[this.#unitCount++] = text.charCodeAt(i);
    const word = this.#size++;
    this.#starts[word + 1] = this.#unitCount;
    this.#hashes[word] = hash;
    this.#counts[word] = count;
    this.#slots[slot] = word;
    if (2 * this.#size > this.#slots.length) this.#rehash();
  }

  #grow(): void {
    const capacity = 2 * this.#counts.length;
    const starts = new Uint32Array(capacity + 1);
    starts.set(this.#starts);
    this.#starts = starts;
    const hashes = new Int32Array(capacity);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    const counts = new Float64Array(capacity);
    counts.set(this.#counts);
    this.#counts = counts;
  }

  #rehash(): void {
    const slots = new Int32Array(2 * this.#slots.length).fill(-1);
    const mask = slots.length - 1;
    for (let word = 0; word < this.#size; word++) {
      let at = this.#hashes[word]! & mask;
      while (slots[at] !== -1) at = (at + 1) & mask;
      slots[at] = word;
    }
    this.#slots = slots;
  }

  #text(from: number, to: number): string {
    const units = this.#units.subarray(from, to);
    if (units.length <= 256) return String.fromCharCode(...units);
    let text = '';
    for (let at = 0; at < units.length; at += 4096) text += String.fromCharCode(...units.subarray(at, at + 4096));
    return text;
  }
}
