/**
 * Texts in random order, in bounded memory: the files in the order of a seeded shuffle, and their texts in blocks, each
 * shuffled by itself. A block's order follows from the seed, the epoch and its number, so that a position is three numbers
 * and a place, and a stream that goes on from one gives the very texts that it would have given: the block is read again.
 */
import { LexrayError } from '../../util/errors.ts';
import { mixSeed } from '../../util/mix-seed.ts';
import { Random } from '../../util/random.ts';
import { type StreamedText, streamTexts, type TextPosition, type TextStreamOptions } from './stream-texts.ts';

/** A place in a shuffled stream. */
export interface ShuffledPosition {
  /** Where the block begins, in the order of the epoch. */
  readonly block: TextPosition;
  readonly blockNumber: number;
  /** Texts of the block that are done. */
  readonly done: number;
}

/** Options of {@link shuffleTexts}. */
export interface ShuffleTextsOptions extends Omit<TextStreamOptions, 'start'> {
  readonly seed: number;
  /** Pass over the texts; each has an order of its own. @default 0 */
  readonly epoch?: number | undefined;
  /** Texts of a block at most. @default 16384 */
  readonly blockTexts?: number | undefined;
  /** Characters of a block at most, the last text aside. @default 64 Mi */
  readonly blockCharacters?: number | undefined;
  /** @default the beginning */
  readonly start?: ShuffledPosition | undefined;
}

/** A text of a shuffled stream. */
export interface ShuffledText extends Omit<StreamedText, 'next'> {
  /** Where a stream must start to go on after this text. */
  readonly next: ShuffledPosition;
}

const firstBlock: ShuffledPosition = { block: { file: 0, line: 0, offset: 0 }, blockNumber: 0, done: 0 };

/**
 * Reads texts in random order.
 * @throws LexrayError as {@link streamTexts}
 */
export async function* shuffleTexts(
  files: readonly string[],
  options: ShuffleTextsOptions,
): AsyncGenerator<ShuffledText> {
  const { seed, epoch = 0, blockTexts = 1 << 14, blockCharacters = 1 << 26, start = firstBlock, ...rest } = options;
  if (!Number.isInteger(blockTexts) || blockTexts < 1 || !(blockCharacters >= 1)) {
    throw new LexrayError('USAGE', `a block needs at least one text, got ${blockTexts}`);
  }
  const order = shuffledFiles(files, seed, epoch);
  let { block: begin, blockNumber, done } = start;
  let texts: StreamedText[] = [];
  let characters = 0;
  const emit = function* (): Generator<ShuffledText> {
    new Random(mixSeed(seed, epoch, blockNumber)).shuffle(texts);
    for (let i = done; i < texts.length; i++) {
      const { text, file, line } = texts[i]!;
      yield { text, file, line, next: { block: begin, blockNumber, done: i + 1 } };
    }
  };
  for await (const text of streamTexts(order, { ...rest, start: begin })) {
    texts.push(text);
    characters += text.text.length;
    if (texts.length < blockTexts && characters < blockCharacters) continue;
    yield* emit();
    begin = text.next;
    blockNumber++;
    done = 0;
    texts = [];
    characters = 0;
  }
  yield* emit();
}

/** The files in the order of an epoch. */
function shuffledFiles(files: readonly string[], seed: number, epoch: number): string[] {
  return new Random(mixSeed(seed, epoch, -1)).shuffle([...files]);
}
