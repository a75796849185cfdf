/**
 * Held-out texts among texts of pre-training. Two ways to find one, both after NFKC, lower case and single blanks:
 *
 * * *equal*: a whole text of pre-training is the held-out text (by its hash);
 * * *contained*: a held-out text of at least eight words stands within a text of pre-training, word by word. Its first eight
 *   words are looked up by a rolling hash at every word, and what is found is compared in full.
 *
 * A shorter text is looked for as a whole only: a title of two words stands in many texts and gives nothing away.
 */
import { normalizeText } from '../../data/find-leakage.ts';

/** Words by which a held-out text is looked up within others. */
const windowWords = 8;

/** What was found of one kind of held-out text. */
export interface TextLeakage {
  /** Different held-out texts. */
  readonly heldOut: number;
  /** Those that are texts of pre-training. */
  readonly equal: number;
  /** Those that stand within one, and are none themselves. */
  readonly contained: number;
  /** The first that were found. */
  readonly examples: readonly string[];
}

interface Entry {
  readonly text: string;
  found: 'equal' | 'contained' | undefined;
}

/** Looks for held-out texts, by kind (`documents`, `queries`), in texts that are given one by one. */
export class LeakageFinder {
  readonly #kinds: ReadonlyMap<string, readonly Entry[]>;
  readonly #whole = new Map<string, Entry[]>();
  readonly #starts = new Map<number, Entry[]>();

  constructor(heldOut: Readonly<Record<string, Iterable<string>>>) {
    this.#kinds = new Map(
      Object.entries(heldOut).map(([kind, texts]) => {
        const different = new Set(Array.from(texts, normalizeText));
        different.delete('');
        return [kind, Array.from(different, (text): Entry => ({ text, found: undefined }))];
      }),
    );
    for (const entry of [...this.#kinds.values()].flat()) {
      add(this.#whole, entry.text, entry);
      const words = entry.text.split(' ');
      if (words.length >= windowWords) add(this.#starts, hashOf(words.slice(0, windowWords).map(hashWord)), entry);
    }
  }

  /** Looks at a text of pre-training. */
  look(raw: string): void {
    const text = normalizeText(raw);
    for (const entry of this.#whole.get(text) ?? []) entry.found = 'equal';
    if (this.#starts.size === 0) return;
    const words = text.split(' ');
    const hashes = words.map(hashWord);
    let place = 0;
    let hash = hashOf(hashes.slice(0, windowWords));
    for (let i = 0; i + windowWords <= words.length; i++) {
      for (const entry of this.#starts.get(hash) ?? []) {
        if (entry.found === undefined && text.startsWith(entry.text, place)) entry.found = 'contained';
      }
      place += words[i]!.length + 1;
      hash = (Math.imul(hash - Math.imul(hashes[i]!, highest), base) + (hashes[i + windowWords] ?? 0)) | 0;
    }
  }

  /** What was found so far, by kind. */
  get found(): Record<string, TextLeakage> {
    return Object.fromEntries(
      [...this.#kinds].map(([kind, entries]) => {
        const count = (how: Entry['found']): number => entries.filter(({ found }) => found === how).length;
        const examples = entries.filter(({ found }) => found !== undefined).slice(0, 3);
        return [
          kind,
          {
            heldOut: entries.length,
            equal: count('equal'),
            contained: count('contained'),
            examples: examples.map(({ text }) => text),
          },
        ];
      }),
    );
  }
}

const base = 0x01000193;
/** base^(windowWords − 1), modulo 2³². */
const highest = Array.from({ length: windowWords - 1 }).reduce<number>((power) => Math.imul(power, base), 1);

/** Σ h_i · base^(n−1−i), modulo 2³². */
function hashOf(hashes: readonly number[]): number {
  return hashes.reduce((sum, hash) => (Math.imul(sum, base) + hash) | 0, 0);
}

/** FNV-1a over UTF-16 units. */
function hashWord(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash | 0;
}

function add<Key>(map: Map<Key, Entry[]>, key: Key, entry: Entry): void {
  const members = map.get(key);
  if (members === undefined) map.set(key, [entry]);
  else members.push(entry);
}
