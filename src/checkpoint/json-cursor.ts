/**
 * Reads JSON from outside value by value, where `JSON.parse` would be too trusting: it refuses duplicate keys
 * (`JSON.parse` keeps the last one silently), fractional or unsafe integers, over-long lists and deep nesting, and it
 * builds nothing that the caller did not ask for. Used for safetensors headers and shard indexes.
 */
import { badInput } from '../util/errors.ts';

const maxEntries = 1 << 18;
const maxDepth = 32;

/** A reading position in a JSON text. Each method consumes one value or throws BAD_INPUT. */
export class JsonCursor {
  readonly #text: string;
  readonly #where: string;
  #at = 0;

  /** @param where the file that the messages name */
  constructor(text: string, where: string) {
    this.#text = text;
    this.#where = where;
  }

  /** Reads an object; `visit` must consume the value of each key. */
  object(visit: (key: string) => void): void {
    this.#expect('{');
    const keys = new Set<string>();
    if (this.#take('}')) return;
    do {
      const key = this.string();
      if (keys.has(key)) this.fail(`the name ${quote(key)} occurs twice`);
      if (keys.size >= maxEntries) this.fail(`an object has more than ${maxEntries} entries`);
      keys.add(key);
      this.#expect(':');
      visit(key);
    } while (this.#take(','));
    this.#expect('}');
  }

  /** Reads a list of at most `limit` items; `visit` must consume each item. */
  list(limit: number, visit: () => void): void {
    this.#expect('[');
    if (this.#take(']')) return;
    let count = 0;
    do {
      if (++count > limit) this.fail(`a list has more than ${limit} items`);
      visit();
    } while (this.#take(','));
    this.#expect(']');
  }

  string(): string {
    this.#expect('"');
    const start = this.#at - 1;
    let escaped = false;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at++);
      if (code === 0x22) break;
      if (Number.isNaN(code)) this.fail('a string does not end');
      if (code < 0x20) this.fail('a string has a control character');
      if (code === 0x5c) {
        escaped = true;
        this.#at++;
      }
    }
    if (!escaped) return this.#text.slice(start + 1, this.#at - 1);
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch {
      return this.fail('a string has a wrong escape');
    }
  }

  /** Reads a whole number of at most 2^53 − 1 in magnitude. */
  integer(): number {
    this.#space();
    const literal = this.#number();
    if (!/^-?(0|[1-9][0-9]*)$/.test(literal)) return this.fail(`expected an integer, got ${quote(literal)}`);
    const value = Number(literal);
    if (!Number.isSafeInteger(value)) return this.fail(`the integer ${quote(literal)} is out of range`);
    return value;
  }

  /** Reads any value and forgets it. */
  skip(depth = 0): void {
    this.#space();
    if (depth > maxDepth) this.fail(`values are nested deeper than ${maxDepth}`);
    const next = this.#text[this.#at];
    if (next === '{') this.object(() => this.skip(depth + 1));
    else if (next === '[') this.list(maxEntries, () => this.skip(depth + 1));
    else if (next === '"') this.string();
    else {
      const literal = ['true', 'false', 'null'].find((value) => this.#text.startsWith(value, this.#at));
      if (literal !== undefined) this.#at += literal.length;
      else if (!/^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$/.test(this.#number())) this.fail('expected a value');
    }
  }

  /** Checks that nothing but white space is left. */
  end(): void {
    this.#space();
    if (this.#at < this.#text.length) this.fail('expected the end of the JSON text');
  }

  fail(message: string): never {
    throw badInput(`the JSON in ${this.#where} is wrong at character ${this.#at}: ${message}`, {
      where: this.#where,
      cure: 'the file is damaged or not what its name says: fetch or write it again',
    });
  }

  #number(): string {
    const start = this.#at;
    while (/[-+.0-9eE]/.test(this.#text[this.#at] ?? '') && this.#at - start < 64) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  #expect(character: string): void {
    if (!this.#take(character)) this.fail(`expected ${character}, got ${quote(this.#text[this.#at] ?? 'the end')}`);
  }

  #take(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }
}

/** A name from outside as it may stand in a message: quoted, cut after 100 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
