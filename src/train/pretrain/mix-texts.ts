/**
 * Texts of several files mixed, in bounded memory: some files are open at a time, and the next text comes from the one of
 * which the smallest share has been read, so that small files are spread over large ones. Within a file texts are shuffled
 * in blocks (`shuffle-texts.ts`). The order follows from seed and epoch, and can go on from any place.
 */
import { stat } from 'node:fs/promises';
import { type ShuffledPosition, type ShuffledText, shuffleTexts } from '../../data/text-stream/shuffle-texts.ts';
import type { TextStreamOptions } from '../../data/text-stream/stream-texts.ts';
import { badInput } from '../../util/errors.ts';
import { mixSeed } from '../../util/mix-seed.ts';
import { Random } from '../../util/random.ts';

/** A file that is being read. */
export interface OpenFile {
  /** Its place in the order of the epoch. */
  readonly file: number;
  /** Where to go on; undefined: at the beginning. */
  readonly position?: ShuffledPosition | undefined;
  /** Characters of the texts that it gave. */
  readonly characters: number;
}

/** A place in a mixed stream. */
export interface MixedPosition {
  readonly open: readonly OpenFile[];
  /** The next file to be opened, in the order of the epoch. */
  readonly next: number;
}

/** Options of {@link mixTexts}. */
export interface MixTextsOptions extends Omit<TextStreamOptions, 'start' | 'onProgress'> {
  readonly seed: number;
  /** Pass over the texts; each has an order of its own. */
  readonly epoch: number;
  /** Files that are read at the same time. @default 8 */
  readonly openFiles?: number | undefined;
  /** @default the beginning */
  readonly start?: MixedPosition | undefined;
}

/** Characters of a shuffled block: several are in memory. */
const blockCharacters = 1 << 23;

interface Reading {
  readonly file: number;
  readonly size: number;
  readonly texts: AsyncGenerator<ShuffledText>;
  position: ShuffledPosition | undefined;
  characters: number;
}

/**
 * Reads texts of all files.
 * @throws LexrayError as `streamTexts`
 */
export class MixedTexts {
  readonly #files: readonly string[];
  readonly #options: MixTextsOptions;
  readonly #open: Reading[] = [];
  #waiting: readonly OpenFile[];
  #next: number;

  constructor(files: readonly string[], options: MixTextsOptions) {
    const { seed, epoch, start = { open: [], next: 0 } } = options;
    this.#files = new Random(mixSeed(seed, epoch, -1)).shuffle([...files]);
    this.#options = options;
    this.#waiting = start.open;
    this.#next = start.next;
  }

  /** Where to go on after the texts that were given. */
  get position(): MixedPosition {
    const open = this.#open.map(({ file, position, characters }) => ({ file, position, characters }));
    return { open: [...open, ...this.#waiting], next: this.#next };
  }

  /** The next text; undefined at the end. */
  async next(): Promise<string | undefined> {
    await this.#fill();
    while (this.#open.length > 0) {
      const reading = this.#open.reduce((least, one) => (share(one) < share(least) ? one : least));
      const result = await reading.texts.next();
      if (!result.done) {
        reading.position = result.value.next;
        reading.characters += result.value.text.length;
        return result.value.text;
      }
      this.#open.splice(this.#open.indexOf(reading), 1);
      await this.#fill();
    }
    return undefined;
  }

  /** Closes the files. */
  async close(): Promise<void> {
    for (const { texts } of this.#open.splice(0)) await texts.return(undefined);
  }

  async #fill(): Promise<void> {
    const { openFiles = 8 } = this.#options;
    for (const one of this.#waiting) this.#open.push(await this.#read(one));
    this.#waiting = [];
    while (this.#open.length < openFiles && this.#next < this.#files.length) {
      this.#open.push(await this.#read({ file: this.#next++, characters: 0 }));
    }
  }

  async #read({ file, position, characters }: OpenFile): Promise<Reading> {
    const { seed, epoch, start: _, openFiles: __, ...rest } = this.#options;
    const path = this.#files[file];
    if (path === undefined) throw badInput(`there is no file ${file + 1} to go on with: the data have changed`);
    const options = { ...rest, seed: mixSeed(seed, file), epoch, blockCharacters, start: position };
    const { size } = await stat(path);
    return { file, size: Math.max(1, size), texts: shuffleTexts([path], options), position, characters };
  }
}

function share({ characters, size }: Reading): number {
  return characters / size;
}
