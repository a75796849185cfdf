/**
 * Byte-pair encoding: the characters of a word are merged pair by pair, best rank first and of equal ranks the leftmost,
 * until no pair of neighbours is a merge. With a heap over linked pieces, so that a word of n characters takes
 * O(n log n), also where a text of 10⁶ characters is one word.
 * Source: Sennrich et al., "Neural machine translation of rare words with subword units" (2016).
 */
import type { TokenizerModelJson } from './tokenizer-json.ts';

const cacheLimit = 1 << 16;
const longestCached = 64;
const keyBase = 2 ** 24;
const positionBase = 2 ** 28;

/** A merge: its place in the list, and the id of the joined piece. */
interface Merge {
  readonly rank: number;
  readonly joined: number;
}

/**
 * A function from words to pieces; undefined for models with features it does not have (suffixes, prefixes, byte
 * fallback, dropout), which the library serves. A word with a character outside the vocabulary goes to `otherwise`.
 */
export function bytePairEncoder(
  model: TokenizerModelJson,
  vocabulary: ReadonlyMap<string, number>,
  otherwise: (words: readonly string[]) => readonly string[],
): ((words: readonly string[]) => readonly string[]) | undefined {
  const features = [model.continuing_subword_prefix, model.end_of_word_suffix, model.byte_fallback, model.dropout];
  if (model.type !== 'BPE' || features.some(Boolean)) return undefined;
  const merges = readMerges(model.merges as readonly (string | readonly string[])[], vocabulary);
  if (merges === undefined) return undefined;
  const tokens: string[] = [];
  for (const [token, id] of vocabulary) tokens[id] = token;
  const wholeFirst = model.ignore_merges === true;
  const cache = new Map<string, readonly string[]>();

  const split = (word: string): readonly string[] => {
    if (wholeFirst && vocabulary.has(word)) return [word];
    const pieces: number[] = [];
    for (const character of word) {
      const id = vocabulary.get(character);
      if (id === undefined) return otherwise([word]);
      pieces.push(id);
    }
    return mergeWord(pieces, merges).map((id) => tokens[id]!);
  };

  return (words) => {
    const result: string[] = [];
    for (const word of words) {
      let pieces = cache.get(word);
      if (pieces === undefined) {
        pieces = split(word);
        if (word.length <= longestCached) {
          if (cache.size >= cacheLimit) cache.clear();
          cache.set(word, pieces);
        }
      }
      for (const piece of pieces) result.push(piece);
    }
    return result;
  };
}

function readMerges(
  list: readonly (string | readonly string[])[],
  vocabulary: ReadonlyMap<string, number>,
): ReadonlyMap<number, Merge> | undefined {
  const merges = new Map<number, Merge>();
  for (const [rank, entry] of list.entries()) {
    const parts = typeof entry === 'string' ? entry.split(' ') : entry;
    const first = vocabulary.get(parts[0]!);
    const second = vocabulary.get(parts[1]!);
    const joined = vocabulary.get(parts.join(''));
    if (parts.length !== 2 || first === undefined || second === undefined || joined === undefined) return undefined;
    merges.set(first * keyBase + second, { rank, joined });
  }
  return merges;
}

/** Merges the pieces of a word in place, as far as possible. */
function mergeWord(pieces: number[], merges: ReadonlyMap<number, Merge>): readonly number[] {
  const count = pieces.length;
  const next = new Int32Array(count);
  const previous = new Int32Array(count);
  const queue = new KeyQueue();
  const mergeAt = (at: number): Merge | undefined => {
    const after = next[at]!;
    return after < count ? merges.get(pieces[at]! * keyBase + pieces[after]!) : undefined;
  };
  const enqueue = (at: number): void => {
    const merge = mergeAt(at);
    if (merge !== undefined) queue.push(merge.rank * positionBase + at);
  };
  for (let i = 0; i < count; i++) {
    next[i] = i + 1;
    previous[i] = i - 1;
  }
  for (let i = 0; i < count; i++) enqueue(i);
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    const at = key % positionBase;
    if (pieces[at] === -1) continue;
    const merge = mergeAt(at);
    if (merge === undefined || merge.rank !== Math.floor(key / positionBase)) continue;
    const after = next[at]!;
    pieces[at] = merge.joined;
    pieces[after] = -1;
    next[at] = next[after]!;
    if (next[at]! < count) previous[next[at]!] = at;
    if (previous[at]! >= 0) enqueue(previous[at]!);
    enqueue(at);
  }
  return pieces.filter((piece) => piece !== -1);
}

/** A binary heap of numbers, the smallest first. */
class KeyQueue {
  readonly #keys: number[] = [];

  push(key: number): void {
    const keys = this.#keys;
    let at = keys.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[at] = keys[parent]!;
      at = parent;
    }
    keys[at] = key;
  }

  pop(): number | undefined {
    const keys = this.#keys;
    const top = keys[0];
    const last = keys.pop();
    if (last === undefined || keys.length === 0) return top;
    let at = 0;
    for (let child = 1; child < keys.length; child = 2 * at + 1) {
      if (child + 1 < keys.length && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= last) break;
      keys[at] = keys[child]!;
      at = child;
    }
    keys[at] = last;
    return top;
  }
}
