/**
 * Sorted runs of counted words on disk, and their merging: how a table that does not fit into memory is counted exactly.
 * A run is a text file, `COUNT WORD` a line, each word once, in the order of {@link orderOf} and of words of one number by their
 * UTF-16 units; line breaks and backslashes in
 * a word are written as `\\n`, `\\r` and `\\\\`.
 */
import { open, rm } from 'node:fs/promises';
import { byteLines } from '../../data/text-stream/byte-lines.ts';
import { openBytes } from '../../data/text-stream/byte-reader.ts';

/** A word and how often it occurs. */
export type WordCount = readonly [word: string, count: number];

const bufferedCharacters = 1 << 18;
const longestLine = 1 << 28;

/** What stands between the part of a word that decides the order and the rest of it. */
export const separator = '\u0001';

/**
 * A number from 0 to 2³⁰ − 1 by which words are sorted, faster than by their letters: a hash (FNV-1a) of the word up to the
 * separator, so that words with one beginning stand together.
 */
export function orderOf(word: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < word.length; i++) {
    const unit = word.charCodeAt(i);
    if (unit === 1) break;
    hash = Math.imul(hash ^ unit, 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 15)) >>> 2;
}

/** Writes a run from sorted words. */
export async function writeRun(path: string, words: Iterable<WordCount> | AsyncIterable<WordCount>): Promise<void> {
  const file = await open(path, 'wx');
  try {
    let lines: string[] = [];
    let characters = 0;
    /** Whether it is time to write. */
    const add = ([word, count]: WordCount): boolean => {
      const line = `${count} ${escaped(word)}\n`;
      lines.push(line);
      characters += line.length;
      return characters >= bufferedCharacters;
    };
    const write = async (): Promise<void> => {
      await file.writeFile(lines.join(''));
      lines = [];
      characters = 0;
    };
    // `for await` over what is in memory would take a promise a word.
    if (Symbol.iterator in words) {
      for (const word of words) if (add(word)) await write();
    } else {
      for await (const word of words) if (add(word)) await write();
    }
    await write();
  } finally {
    await file.close();
  }
}

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\\': '\\\\' };
const characters: Readonly<Record<string, string>> = { n: '\n', r: '\r', '\\': '\\' };

function escaped(word: string): string {
  return /[\n\r\\]/.test(word) ? word.replace(/[\n\r\\]/g, (character) => escapes[character]!) : word;
}

function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/g, (_, letter: string) => characters[letter]!) : text;
}

/** Merges runs: their words in the same order, each once, with the sum of its counts. */
export async function* mergeRuns(paths: readonly string[]): AsyncGenerator<WordCount> {
  const readers: RunReader[] = [];
  try {
    for (const path of paths) {
      const reader = new RunReader(path);
      if (await reader.next()) readers.push(reader);
      else await reader.close();
    }
    buildHeap(readers);
    while (readers.length > 0) {
      const top = readers[0]!;
      const { word } = top;
      let count = 0;
      while (readers.length > 0 && readers[0]!.word === word) {
        const reader = readers[0]!;
        count += reader.count;
        // Most words are in the batch that was read already: no promise for those.
        if (!reader.advance() && !(await reader.next())) {
          const last = readers.pop()!;
          if (readers.length > 0) readers[0] = last;
        }
        siftDown(readers, 0);
      }
      yield [word, count];
    }
  } finally {
    for (const reader of readers) await reader.close();
  }
}

/** Removes runs. */
export async function removeRuns(paths: readonly string[]): Promise<void> {
  await Promise.all(paths.map((path) => rm(path, { force: true })));
}

/** Reads a run word by word. */
class RunReader {
  word = '';
  count = 0;
  order = 0;
  readonly #batches: AsyncGenerator<readonly { readonly text: string | undefined }[]>;
  #batch: readonly { readonly text: string | undefined }[] = [];
  #at = 0;

  constructor(path: string) {
    this.#batches = (async function* () {
      const { chunks } = await openBytes(path);
      yield* byteLines(chunks, { maxLineBytes: longestLine, where: path });
    })();
  }

  /** Goes to the next word of the batch; false at its end. */
  advance(): boolean {
    if (this.#at === this.#batch.length) return false;
    const line = this.#batch[this.#at++]!.text!;
    const space = line.indexOf(' ');
    this.count = Number(line.slice(0, space));
    this.word = unescaped(line.slice(space + 1));
    this.order = orderOf(this.word);
    return true;
  }

  /** Goes to the next word; false at the end of the run. */
  async next(): Promise<boolean> {
    while (!this.advance()) {
      const { done, value } = await this.#batches.next();
      if (done) return false;
      this.#batch = value;
      this.#at = 0;
    }
    return true;
  }

  async close(): Promise<void> {
    await this.#batches.return(undefined);
  }
}

function buildHeap(readers: RunReader[]): void {
  for (let at = readers.length >> 1; at >= 0; at--) siftDown(readers, at);
}

function isBefore(a: RunReader, b: RunReader): boolean {
  return a.order !== b.order ? a.order < b.order : a.word < b.word;
}

/** Moves a reader down a heap whose first word is on top. */
function siftDown(heap: RunReader[], from: number): void {
  const moved = heap[from];
  if (moved === undefined) return;
  let at = from;
  for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, moved)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = moved;
}
