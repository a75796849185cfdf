/**
 * Exact counts of any number of different words in bounded memory. Words are counted in a table; when it is full its words
 * go to a sorted run on disk and it begins anew; at the end the runs are merged. Runs are merged on the way as well,
 * 32 of a size into one, so that few files are open and each word is written a few times at most.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mergeRuns, orderOf, removeRuns, type WordCount, writeRun } from './count-runs.ts';
import { WordTable } from './word-table.ts';

/** Options of {@link SpillingCounter}. */
export interface SpillingCounterOptions {
  /** Different words in memory at most, one text's words aside; no more than 4194304. @default 2097152 */
  readonly mostWords?: number | undefined;
  /** UTF-16 units of the words in memory at most. @default 67108864 */
  readonly mostUnits?: number | undefined;
  /** Where a folder for the runs is made. @default the folder for temporary files of the system */
  readonly temporaryFolder?: string | undefined;
  /**
   * Makes of a word the key that it is sorted and given by, perhaps with a separator (see `count-runs.ts`); different words must
   * have different keys, and a word without one is left out. Called once for each word of a run. @default the word
   */
  readonly keyOf?: ((word: string) => string | undefined) | undefined;
}

const runsOfLevel = 32;
/** More than there are words in memory; with 30 bits of order, whole numbers that a double holds. */
const places = 2 ** 23;

/** Counts words; {@link SpillingCounter.dispose} removes its files. */
export class SpillingCounter {
  /** Words in memory. Whoever adds to it asks {@link isFull} from time to time. */
  readonly table: WordTable = new WordTable();
  readonly #mostWords: number;
  readonly #mostUnits: number;
  readonly #temporaryFolder: string;
  readonly #keyOf: (word: string) => string | undefined;
  /** Runs by how often they were merged. */
  readonly #levels: string[][] = [];
  #folder: string | undefined;
  #runs = 0;
  #spills = 0;

  constructor(options: SpillingCounterOptions = {}) {
    this.#mostWords = Math.min(options.mostWords ?? 1 << 21, 1 << 22);
    this.#mostUnits = options.mostUnits ?? 1 << 26;
    this.#temporaryFolder = options.temporaryFolder ?? tmpdir();
    this.#keyOf = options.keyOf ?? ((word) => word);
  }

  /** Whether {@link spill} is due. */
  get isFull(): boolean {
    return this.table.size >= this.#mostWords || this.table.units >= this.#mostUnits;
  }

  /** How often the table was written to disk. */
  get spills(): number {
    return this.#spills;
  }

  /** Writes the table to disk and empties it. */
  async spill(): Promise<void> {
    if (this.table.size === 0) return;
    this.#spills++;
    const path = await this.#newRun();
    await writeRun(path, this.#sorted());
    this.table.clear();
    await this.#addRun(path, 0);
  }

  /** All keys, each once, with their counts; those with one beginning before the separator stand together. Empties the counter. */
  async *merged(): AsyncGenerator<WordCount> {
    if (this.#spills === 0) {
      yield* this.#sorted();
      this.table.clear();
      return;
    }
    await this.spill();
    yield* mergeRuns(this.#levels.flat());
    await this.dispose();
  }

  async dispose(): Promise<void> {
    this.#levels.length = 0;
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  /** The words of the table in the order of runs. Their numbers are sorted, with the place of each in the lower digits. */
  *#sorted(): Generator<WordCount> {
    const { size } = this.table;
    const keys: string[] = [];
    const counts = new Float64Array(size);
    const order = new Float64Array(size);
    for (const [word, count] of this.table.entries()) {
      const key = this.#keyOf(word);
      if (key === undefined) continue;
      counts[keys.length] = count;
      order[keys.length] = orderOf(key) * places + keys.length;
      keys.push(key);
    }
    const sorted = order.subarray(0, keys.length).sort();
    for (let from = 0; from < sorted.length; ) {
      const number = Math.floor(sorted[from]! / places);
      let to = from + 1;
      while (to < sorted.length && Math.floor(sorted[to]! / places) === number) to++;
      if (to === from + 1) {
        const place = sorted[from]! % places;
        yield [keys[place]!, counts[place]!];
      } else {
        const same = Array.from(sorted.subarray(from, to), (value) => value % places);
        same.sort((a, b) => (keys[a]! < keys[b]! ? -1 : 1));
        for (const place of same) yield [keys[place]!, counts[place]!];
      }
      from = to;
    }
  }

  async #addRun(path: string, level: number): Promise<void> {
    this.#levels[level] ??= [];
    const runs = this.#levels[level];
    runs.push(path);
    if (runs.length < runsOfLevel) return;
    const merged = await this.#newRun();
    await writeRun(merged, mergeRuns(runs));
    await removeRuns(runs.splice(0));
    await this.#addRun(merged, level + 1);
  }

  async #newRun(): Promise<string> {
    this.#folder ??= await mkdtemp(join(this.#temporaryFolder, 'lexray-counts-'));
    return join(this.#folder, `run-${this.#runs++}`);
  }
}
