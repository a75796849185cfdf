/**
 * When the guard of a training run speaks up. Thresholds are shares, so that they fit any vocabulary, top-k mask and length of
 * run; a recipe may have its own. The definition of a collapse is that of the calibration study: a median vector with less
 * than one active dimension, or more than half of the vocabulary.
 */
import { z } from 'zod';

/** What the guard does: stop the run, warn and go on, or nothing. */
export type GuardMode = 'stop' | 'warn' | 'off';

/** The words for `--guard`. */
export const guardModes: readonly [GuardMode, ...GuardMode[]] = ['stop', 'warn', 'off'];

/** Settings of the guard. */
export interface GuardSettings {
  /** @default 'stop' */
  readonly mode: GuardMode;
  /** Steps over which figures are smoothed. @default 20 */
  readonly window: number;
  /** A collapse must last for so large a share of the steps without getting better. @default 0.05 */
  readonly patienceRatio: number;
  /** … and for so many steps at least. @default 50 */
  readonly minPatience: number;
  /**
   * Share of the steps in which dense vectors are let be: masked language models start dense, and it is the regularizer that
   * thins them out. @default the ramp of the regularizer weights
   */
  readonly graceRatio?: number | undefined;
  /**
   * Vectors are dense when the median one has a larger share of the dimensions it can have. 1 switches it off.
   * @default 0.5 of the vocabulary, 0.95 of q_K or d_K
   */
  readonly denseShare?: number | undefined;
  /** Vectors are dead when more than this share of them is all zero. @default 0.5 */
  readonly zeroShare: number;
  /**
   * Vectors are alike when scores differ by less than this share of their mean. Single precision alone makes about 1e-6.
   * @default 1e-3
   */
  readonly constantSpread: number;
  /**
   * Share of the steps from which on a ranking loss above chance counts. 1 switches it off.
   * @default 0.6 where the loss is InfoNCE, off otherwise
   */
  readonly chanceRatio?: number | undefined;
}

/** Settings as a user gives them; what is absent has its default. */
export type GivenGuardSettings = { readonly [Key in keyof GuardSettings]?: GuardSettings[Key] | undefined };

const share = z.number().min(0).max(1);

/** The schema of {@link GuardSettings}. */
export const guardSettingsSchema: z.ZodType<GuardSettings, GivenGuardSettings> = z.strictObject({
  mode: z.enum(guardModes).default('stop'),
  window: z.int().min(1).max(10_000).default(20),
  patienceRatio: share.default(0.05),
  minPatience: z
    .int()
    .min(1)
    .max(2 ** 31)
    .default(50),
  graceRatio: share.optional(),
  denseShare: share.optional(),
  zeroShare: share.default(0.5),
  constantSpread: share.default(1e-3),
  chanceRatio: share.optional(),
});
