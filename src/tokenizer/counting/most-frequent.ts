/** Keeps the n most frequent of many counted items; of equally frequent ones those whose key is smaller (UTF-16 units). */

/** Something with a key and a count. */
export interface Counted {
  readonly key: string;
  readonly count: number;
}

/** The most frequent items seen so far, in memory for twice as many. */
export class MostFrequent<T extends Counted> {
  readonly #limit: number;
  #items: T[] = [];
  #least: T | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether an item with this key and count would be among them now. */
  accepts(key: string, count: number): boolean {
    return this.#least === undefined || before({ key, count }, this.#least) < 0;
  }

  add(item: T): void {
    if (!this.accepts(item.key, item.count)) return;
    this.#items.push(item);
    if (this.#items.length >= 2 * this.#limit) this.#cut();
  }

  /** The items, most frequent first. */
  items(): readonly T[] {
    this.#cut();
    return this.#items;
  }

  #cut(): void {
    this.#items.sort(before);
    this.#items = this.#items.slice(0, this.#limit);
    if (this.#items.length === this.#limit) this.#least = this.#items.at(-1);
  }
}

function before(a: Counted, b: Counted): number {
  return b.count - a.count || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}
