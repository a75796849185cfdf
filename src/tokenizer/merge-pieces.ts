/**
 * Byte-pair merging over counted words, the core of the trainers of Hugging Face's tokenizers (WordPiece and BPE): again and again
 * the most frequent pair of neighbouring pieces becomes a piece. Of equally frequent pairs the one with the smaller ids
 * goes first. Counts and the words of each pair are kept up to date by differences, in a heap whose entries are
 * corrected when they surface.
 * Source: Sennrich et al., "Neural machine translation of rare words with subword units" (2016), as the native
 * library's BpeTrainer does it, its details included: the count of a merged pair is left as it is, which shows only
 * when the same piece is later made from another pair.
 */
import { throwIfAborted } from '../util/errors.ts';
import type { ProgressListener } from '../util/progress.ts';

/** A word as the ids of its pieces, and how often it occurs. */
export interface CountedWord {
  /** Shortened in place as pieces merge. */
  readonly pieces: number[];
  readonly count: number;
}

/** Options of {@link mergePieces}. */
export interface MergePiecesOptions {
  /** Stop when there are this many pieces. */
  readonly vocabularySize: number;
  /** Stop when the best pair occurs less often. */
  readonly minFrequency: number;
  /** The mark of pieces inside a word, dropped from the second part when two are joined; empty for none. */
  readonly continuingPrefix: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

interface PairEntry {
  readonly first: number;
  readonly second: number;
  count: number;
  /** Indices of words that held the pair when the entry was made. */
  readonly words: readonly number[];
}

const keyBase = 2 ** 24;
const reportEvery = 256;

/** A merge: the ids of two pieces that become one. */
export type PieceMerge = readonly [first: number, second: number];

/**
 * Merges until the vocabulary is full or no pair is frequent enough.
 * @param tokens the pieces so far, by id; new ones are appended
 * @returns the merges in their order
 */
export function mergePieces(
  words: readonly CountedWord[],
  tokens: string[],
  options: MergePiecesOptions,
): readonly PieceMerge[] {
  const { vocabularySize, minFrequency, continuingPrefix } = options;
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const counts = new Map<number, number>();
  const queue = new PairQueue();
  const merges: PieceMerge[] = [];
  let found = new Map<number, number[]>();

  const countPair = (first: number, second: number, count: number, word: number): void => {
    const key = first * keyBase + second;
    counts.set(key, (counts.get(key) ?? 0) + count);
    if (count < 0) return;
    const list = found.get(key);
    if (list === undefined) found.set(key, [word]);
    else if (list[list.length - 1] !== word) list.push(word);
  };
  const enqueueFound = (): void => {
    for (const [key, list] of found) {
      const count = counts.get(key)!;
      if (count > 0) queue.push({ first: Math.floor(key / keyBase), second: key % keyBase, count, words: list });
    }
    found = new Map();
  };

  words.forEach(({ pieces, count }, word) => {
    for (let i = 1; i < pieces.length; i++) countPair(pieces[i - 1]!, pieces[i]!, count, word);
  });
  enqueueFound();

  while (tokens.length < vocabularySize) {
    const top = queue.pop();
    if (top === undefined) break;
    const { first, second } = top;
    const count = counts.get(first * keyBase + second)!;
    if (top.count !== count) {
      top.count = count;
      queue.push(top);
      continue;
    }
    if (count < Math.max(1, minFrequency)) break;

    const rest = tokens[second]!;
    const joined = tokens[first]! + (rest.startsWith(continuingPrefix) ? rest.slice(continuingPrefix.length) : rest);
    let id = ids.get(joined);
    if (id === undefined) {
      id = tokens.length;
      tokens.push(joined);
      ids.set(joined, id);
      if (tokens.length % reportEvery === 0) {
        throwIfAborted(options.signal);
        options.onProgress?.({ phase: 'merge pieces', done: tokens.length, total: vocabularySize, unit: 'pieces' });
      }
    }
    merges.push([first, second]);
    for (const word of top.words) mergeInWord(words[word]!, word, first, second, id, countPair);
    enqueueFound();
  }
  options.onProgress?.({ phase: 'merge pieces', done: tokens.length, total: tokens.length, unit: 'pieces' });
  return merges;
}

/** Replaces each occurrence of a pair in a word, from the left, and counts the neighbouring pairs that go and come. */
function mergeInWord(
  { pieces, count }: CountedWord,
  word: number,
  first: number,
  second: number,
  merged: number,
  countPair: (first: number, second: number, count: number, word: number) => void,
): void {
  let length = 0;
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]!;
    if (piece !== first || pieces[i + 1] !== second) {
      pieces[length++] = piece;
      continue;
    }
    i++;
    if (length > 0) {
      const before = pieces[length - 1]!;
      countPair(before, first, -count, word);
      countPair(before, merged, count, word);
    }
    const after = pieces[i + 1];
    if (after !== undefined) {
      countPair(second, after, -count, word);
      countPair(merged, after, count, word);
    }
    pieces[length++] = merged;
  }
  pieces.length = length;
}

/** A binary heap of pairs: highest count first, then smaller ids. */
class PairQueue {
  readonly #entries: PairEntry[] = [];

  push(entry: PairEntry): void {
    const entries = this.#entries;
    let at = entries.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, entries[parent]!)) break;
      entries[at] = entries[parent]!;
      at = parent;
    }
    entries[at] = entry;
  }

  pop(): PairEntry | undefined {
    const entries = this.#entries;
    const top = entries[0];
    const last = entries.pop();
    if (last === undefined || entries.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && isBefore(entries[child + 1]!, entries[child]!)) child++;
      if (!isBefore(entries[child]!, last)) break;
      entries[at] = entries[child]!;
      at = child;
    }
    entries[at] = last;
    return top;
  }
}

function isBefore(a: PairEntry, b: PairEntry): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return a.first !== b.first ? a.first < b.first : a.second < b.second;
}
