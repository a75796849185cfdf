/**
 * Texts as sequences of a length, for masked language modelling. Texts are taken in groups of about half a million tokens;
 * a group is cut into sequences, and these are shuffled, so that a place in the stream is the group's beginning and a number.
 *
 * - `pack`: texts one after another with the separator between them, cut without regard to where they end (RoBERTa's
 *   "full sentences", arXiv 1907.11692)
 * - `cut`: each text by itself, long ones in pieces
 *
 * Repetition at a fixed number of tokens: with a limit of unique tokens, each pass ends after so many, and the next pass
 * takes the same sequences in another order, with other masks.
 */
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { badInput, type LexrayError, throwIfAborted } from '../../util/errors.ts';
import { mixSeed } from '../../util/mix-seed.ts';
import { Random } from '../../util/random.ts';
import type { UnitTokenizer, UnitTokens } from './masking-units.ts';
import { type MixedPosition, MixedTexts, type MixTextsOptions } from './mix-texts.ts';

/** A place in the stream of sequences. */
export interface SequencePosition {
  /** Pass over the texts, from 0. */
  readonly pass: number;
  /** Number of the group in the pass. */
  readonly group: number;
  /** Where the group's texts begin. */
  readonly texts: MixedPosition;
  /** Sequences of the group that are done. */
  readonly done: number;
  /** Tokens of the pass before the group. */
  readonly tokens: number;
}

/** A sequence with special tokens around it. */
export interface Sequence extends UnitTokens {
  /** A seed that no other sequence of the run has. */
  readonly seed: number;
  /** Where to go on after it. */
  readonly next: SequencePosition;
}

/** Options of {@link sequences}. */
export interface SequenceOptions extends Omit<MixTextsOptions, 'start' | 'epoch'> {
  readonly tokenizer: Tokenizer;
  readonly units: UnitTokenizer;
  /** Tokens of a sequence at most, special tokens included. */
  readonly length: number;
  readonly arrangement: 'pack' | 'cut';
  /** Tokens after which a pass begins anew. @default all there are */
  readonly uniqueTokens?: number | undefined;
  /** Passes at most. @default without end */
  readonly passes?: number | undefined;
  /** @default the beginning */
  readonly start?: SequencePosition | undefined;
}

/** Tokens of a group. */
const groupTokens = 1 << 19;
/** Shorter texts and remainders are left out: nothing could be learnt from what is around a mask. */
const fewestTokens = 4;

const beginning: SequencePosition = { pass: 0, group: 0, texts: { open: [], next: 0 }, done: 0, tokens: 0 };

/**
 * Reads sequences, pass after pass.
 * @throws LexrayError as `streamTexts`; BAD_INPUT when a pass without end has no sequence, or there are fewer
 * tokens than are to be repeated; INTERRUPTED when the signal fires
 */
export async function* sequences(files: readonly string[], options: SequenceOptions): AsyncGenerator<Sequence> {
  const { seed, uniqueTokens, passes = Number.POSITIVE_INFINITY, start = beginning } = options;
  const cutter = new SequenceCutter(options);
  let { pass, group, texts: begin, done, tokens } = start;
  while (pass < passes) {
    // What is repeated must be the same texts: in the order of the first pass.
    const epoch = uniqueTokens === undefined ? pass : 0;
    const texts = new MixedTexts(files, { ...options, epoch, start: begin });
    try {
      while (uniqueTokens === undefined || tokens < uniqueTokens) {
        const cut = await cutter.nextGroup(texts, (uniqueTokens ?? Number.POSITIVE_INFINITY) - tokens);
        if (cut.length === 0) break;
        const order = Array.from(cut, (_, i) => i);
        new Random(mixSeed(seed, pass, group)).shuffle(order);
        for (let i = done; i < cut.length; i++) {
          const next = { pass, group, texts: begin, done: i + 1, tokens };
          yield { ...cut[order[i]!]!, seed: mixSeed(seed, pass, group, i), next };
        }
        tokens += cut.reduce((sum, { ids }) => sum + ids.length, 0);
        group++;
        begin = texts.position;
        done = 0;
      }
    } finally {
      await texts.close();
    }
    if (tokens === 0) {
      if (passes !== Number.POSITIVE_INFINITY) return;
      throw badInput(`no text has ${fewestTokens} tokens`, {
        cure: 'check the files, and the field or column of the text',
      });
    }
    if (uniqueTokens !== undefined && tokens < uniqueTokens) throw tooFewTokens(tokens, uniqueTokens);
    ({ group, texts: begin, done, tokens } = beginning);
    pass++;
  }
}

/** The error for texts that do not have as many tokens as are to be repeated. */
export function tooFewTokens(found: number, wanted: number): LexrayError {
  return badInput(`the texts have ${found} tokens, ${wanted} different ones are asked for`, {
    cure: 'train on fewer tokens, or repeat them more often',
  });
}

/** Cuts texts into sequences, group by group. */
class SequenceCutter {
  readonly #options: SequenceOptions;
  readonly #frame: { readonly before: Int32Array; readonly after: Int32Array };

  constructor(options: SequenceOptions) {
    this.#options = options;
    this.#frame = frameOf(options.tokenizer);
    const { before, after } = this.#frame;
    if (options.length < before.length + after.length + fewestTokens) {
      throw badInput(`sequences of ${options.length} tokens have no room for a text`, { cure: 'make them longer' });
    }
  }

  /** The next group; empty at the end of the texts. */
  async nextGroup(texts: MixedTexts, mostTokens: number): Promise<UnitTokens[]> {
    const { arrangement, units, signal } = this.#options;
    const cut: UnitTokens[] = [];
    const held: UnitTokens[] = [];
    let total = 0;
    while (total < Math.min(groupTokens, mostTokens)) {
      throwIfAborted(signal);
      const text = await texts.next();
      if (text === undefined) break;
      const tokens = units(text);
      if (tokens.ids.length < fewestTokens) continue;
      total += tokens.ids.length;
      if (arrangement === 'cut') this.#cut(tokens, cut);
      else held.push(tokens);
    }
    if (held.length > 0) this.#cut(joined(held, this.#frame.after), cut);
    return upTo(cut, mostTokens);
  }

  #cut({ ids, units, labels }: UnitTokens, into: UnitTokens[]): void {
    const { before, after } = this.#frame;
    const room = this.#options.length - before.length - after.length;
    for (let start = 0; start < ids.length; start += room) {
      const end = Math.min(ids.length, start + room);
      if (end - start < fewestTokens) break;
      const length = end - start + before.length + after.length;
      const sequence = {
        ids: new Int32Array(length),
        units: new Int32Array(length).fill(-1),
        labels: new Int32Array(length).fill(-1),
      };
      sequence.ids.set(before);
      sequence.ids.set(ids.subarray(start, end), before.length);
      sequence.ids.set(after, length - after.length);
      // A unit that is cut here is not whole: it is not masked.
      const broken = [units[start - 1] ?? -1, units[end] ?? -1];
      for (let i = start; i < end; i++) {
        if (broken.includes(units[i]!)) continue;
        sequence.units[before.length + i - start] = units[i]!;
        sequence.labels[before.length + i - start] = labels[i]!;
      }
      into.push(sequence);
    }
  }
}

/** The first sequences that together have `most` tokens or just more. */
function upTo(all: UnitTokens[], most: number): UnitTokens[] {
  let total = 0;
  for (const [i, { ids }] of all.entries()) {
    total += ids.length;
    if (total >= most) return all.slice(0, i + 1);
  }
  return all;
}

/** Texts one after another, with tokens between them. */
function joined(texts: readonly UnitTokens[], between: Int32Array): UnitTokens {
  const length = texts.reduce((sum, { ids }) => sum + ids.length + between.length, -between.length);
  const whole = {
    ids: new Int32Array(length),
    units: new Int32Array(length).fill(-1),
    labels: new Int32Array(length).fill(-1),
  };
  let at = 0;
  let firstUnit = 0;
  for (const { ids, units, labels } of texts) {
    if (at > 0) {
      whole.ids.set(between, at);
      at += between.length;
    }
    whole.ids.set(ids, at);
    whole.labels.set(labels, at);
    let last = -1;
    for (let i = 0; i < units.length; i++) {
      if (units[i]! < 0) continue;
      whole.units[at + i] = firstUnit + units[i]!;
      last = units[i]!;
    }
    firstUnit += last + 1;
    at += ids.length;
  }
  return whole;
}

/** The special tokens that the tokenizer puts around a text. */
function frameOf(tokenizer: Tokenizer): { before: Int32Array; after: Int32Array } {
  const [framed, plain] = [true, false].map((addSpecialTokens) => tokenizer.encode('a', { addSpecialTokens }));
  const added = framed!.length - plain!.length;
  for (let before = 0; before <= added; before++) {
    if (plain!.every((id, i) => framed![before + i] === id)) {
      return { before: framed!.slice(0, before), after: framed!.slice(before + plain!.length) };
    }
  }
  throw badInput('the tokenizer changes a text when it puts special tokens around it');
}
