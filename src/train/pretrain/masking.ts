/**
 * Masks a sequence: units are drawn until a share of the tokens is masked. Of the drawn units 80 % become [MASK], 10 % random
 * tokens, and 10 % stay as they are (Devlin et al., arXiv 1810.04805), or all become [MASK]; a unit of several pieces shares
 * one fate. What is drawn follows from the sequence's seed.
 */
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { badInput } from '../../util/errors.ts';
import { Random } from '../../util/random.ts';
import type { MaskedSequence } from './masked-step.ts';
import type { UnitTokens } from './masking-units.ts';

/** Options of {@link Masker}. */
export interface MaskingOptions {
  /** Share of the tokens that can be masked. */
  readonly rate: number;
  /** What stands in the place of a drawn unit. */
  readonly replacement: 'bert' | 'mask';
}

/** Masks sequences of one tokenizer. */
export class Masker {
  readonly #mask: number;
  /** Tokens that may stand in the place of others. */
  readonly #ordinary: Int32Array;
  readonly #options: MaskingOptions;

  /** @throws LexrayError BAD_INPUT when the tokenizer has no mask token */
  constructor(tokenizer: Pick<Tokenizer, 'size' | 'specialIds' | 'specialTokens' | 'token'>, options: MaskingOptions) {
    const { mask } = tokenizer.specialTokens;
    if (mask === undefined) {
      throw badInput('the tokenizer has no mask token', { cure: 'use the tokenizer of a masked language model' });
    }
    this.#mask = mask;
    this.#options = options;
    const ids = Array.from({ length: tokenizer.size }, (_, id) => id);
    this.#ordinary = Int32Array.from(
      ids.filter((id) => !tokenizer.specialIds.has(id) && tokenizer.token(id) !== undefined),
    );
  }

  /** A masked copy; one unit at least is masked, if there is one. */
  apply({ ids, units, labels }: UnitTokens, seed: number): MaskedSequence {
    const random = new Random(seed);
    const masked = ids.slice();
    const [positions, right]: [number[], number[]] = [[], []];
    for (const [start, end] of this.#draw(units, random)) {
      const fate = this.#options.replacement === 'mask' ? 0 : random.uniform();
      for (let i = start; i < end; i++) {
        if (fate < 0.8) masked[i] = this.#mask;
        else if (fate < 0.9) masked[i] = this.#ordinary[random.integer(this.#ordinary.length)]!;
        if (labels[i]! < 0) continue;
        positions.push(i);
        right.push(labels[i]!);
      }
    }
    return { ids: masked, positions: Int32Array.from(positions), labels: Int32Array.from(right) };
  }

  /** First and last (exclusive) token of each unit to be masked, ascending. */
  #draw(units: Int32Array, random: Random): [number, number][] {
    const spans: [number, number][] = [];
    let maskable = 0;
    for (let i = 0; i < units.length; i++) {
      if (units[i]! < 0) continue;
      maskable++;
      if (i > 0 && units[i - 1] === units[i]) spans.at(-1)![1] = i + 1;
      else spans.push([i, i + 1]);
    }
    const budget = Math.max(1, Math.round(this.#options.rate * maskable));
    random.shuffle(spans);
    let count = 0;
    const drawn: [number, number][] = [];
    for (const span of spans) {
      const length = span[1] - span[0];
      if (count > 0 && count + length > budget) continue;
      drawn.push(span);
      count += length;
      if (count >= budget) break;
    }
    return drawn.sort((a, b) => a[0] - b[0]);
  }
}
