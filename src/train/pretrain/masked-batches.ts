/** Batches of masked sequences for training, one after another without end, and those of the texts that are held out. */
import type { TextShard } from '../../data/text-stream/stream-texts.ts';
import { badInput } from '../../util/errors.ts';
import { mixSeed } from '../../util/mix-seed.ts';
import type { MaskedSequence } from './masked-step.ts';
import type { Masker } from './masking.ts';
import { type Sequence, type SequenceOptions, type SequencePosition, sequences } from './sequences.ts';

/** A batch, and where to go on after it. */
export interface MaskedBatch {
  readonly sequences: readonly MaskedSequence[];
  readonly tokenCount: number;
  readonly next: SequencePosition;
}

/** Batches of training, in the order of the run. */
export class MaskedBatches {
  readonly #sequences: AsyncGenerator<Sequence>;
  readonly #masker: Masker;
  readonly #size: number;
  /** Begun before it is asked for, so that texts are tokenized while a step is computed. */
  #coming: Promise<MaskedBatch> | undefined;

  /** @param size sequences of a batch */
  constructor(files: readonly string[], options: SequenceOptions, masker: Masker, size: number) {
    this.#sequences = sequences(files, options);
    this.#masker = masker;
    this.#size = size;
  }

  async next(): Promise<MaskedBatch> {
    const batch = await (this.#coming ?? this.#read());
    this.#coming = this.#read();
    // Who does not ask for it must not be told of its failure either.
    this.#coming.catch(() => {});
    return batch;
  }

  async close(): Promise<void> {
    await this.#coming?.catch(() => {});
    await this.#sequences.return(undefined);
  }

  async #read(): Promise<MaskedBatch> {
    const masked: MaskedSequence[] = [];
    let next: SequencePosition | undefined;
    while (masked.length < this.#size) {
      const { value, done } = await this.#sequences.next();
      if (done) break;
      const one = this.#masker.apply(value, value.seed);
      // A text without anything to predict teaches nothing.
      if (one.positions.length > 0) masked.push(one);
      next = value.next;
    }
    return { sequences: masked, tokenCount: masked.reduce((sum, { ids }) => sum + ids.length, 0), next: next! };
  }
}

/** Which texts are trained on, and which are held out. */
export function shardsOf(heldOutShare: number, heldOutSeed: number): { train: TextShard; heldOut: TextShard } {
  const count = Math.max(2, Math.round(1 / heldOutShare));
  const chosen = heldOutSeed % count;
  const others = Array.from({ length: count }, (_, i) => i).filter((i) => i !== chosen);
  return { train: { count, include: others }, heldOut: { count, include: [chosen] } };
}

/** Held-out sequences, masked once and for all, and the same without masks. */
export interface HeldOut {
  readonly masked: readonly MaskedSequence[];
  /** Token ids of one sequence a text at most, not masked. */
  readonly texts: readonly Int32Array[];
}

/**
 * Reads what is held out.
 * @param counts most sequences of each kind
 * @throws LexrayError BAD_INPUT when there is nothing
 */
export async function readHeldOut(
  files: readonly string[],
  options: SequenceOptions,
  masker: Masker,
  counts: { readonly masked: number; readonly texts: number },
): Promise<HeldOut> {
  const masked: MaskedSequence[] = [];
  const texts: Int32Array[] = [];
  if (counts.masked > 0) {
    for await (const sequence of sequences(files, { ...options, passes: 1 })) {
      const one = masker.apply(sequence, mixSeed(sequence.seed, 1));
      if (one.positions.length > 0 && masked.push(one) === counts.masked) break;
    }
  }
  if (counts.texts > 0) {
    for await (const { ids } of sequences(files, { ...options, arrangement: 'cut', passes: 1 })) {
      if (texts.push(ids) === counts.texts) break;
    }
  }
  if ((counts.masked > 0 && masked.length === 0) || (counts.texts > 0 && texts.length === 0)) {
    throw badInput('no text is held out on which anything could be measured', {
      cure: 'hold out a larger share (--held-out-share), or give texts for it (--held-out)',
    });
  }
  return { masked, texts };
}
