/** Which correction a diagnosis proposes, and what would still be wrong after it. */
import { LexrayError } from '../util/errors.ts';
import { type Calibration, calibrate, shiftFor } from './calibrate.ts';
import type { EncodingCache } from './encoding-cache.ts';
import { deadShare, denseShare, type ForeseenCollapse, foreseenCollapse } from './foreseen-collapse.ts';
import { correctedKind, headKind } from './head-kind.ts';
import { type ObservedFigures, observe } from './observed.ts';
import type { JudgedRecipe } from './recipes.ts';
import { shortFigure } from './short-figure.ts';
import { scoreSpread } from './targets/score-spread.ts';
import type { CalibrationInputs } from './targets/target-statistic.ts';
import type { Verdict } from './verdicts.ts';

/** A correction that is proposed, and what follows from it. */
export interface ProposedCorrection {
  readonly calibration: Calibration;
  /** Figures after it, from the same pass. */
  readonly after: ObservedFigures;
  /** A collapse that is foreseen all the same; undefined: none. */
  readonly remaining: ForeseenCollapse | undefined;
}

/** What a proposal is made from. */
export interface ProposalInputs {
  readonly head: CalibrationInputs['head'];
  readonly cache: EncodingCache;
  /** Figures of the head as it is. */
  readonly observed: ObservedFigures;
  readonly recipe: JudgedRecipe;
}

/**
 * The correction for a head that would collapse: C, or D where the shift is part of the trouble. A head of a masked language model
 * gets one too when it would be divided or multiplied by more than 2: calibrated heads were better than those that merely did
 * not collapse (docs/findings/calibration.md).
 * @returns undefined where nothing needs correcting; the reason, for people, where no correction can help
 */
export function proposeCorrection(
  { head, cache, observed, recipe }: ProposalInputs,
  verdicts: readonly Verdict[],
): ProposedCorrection | string | undefined {
  const collapse = verdicts.find((verdict) => verdict.collapse);
  if (collapse === undefined && headKind(observed.activeDims.mean) === 'sparse') return undefined;
  if (collapse?.kind === 'untrained') return 'no factor makes a head of one that was never trained';
  const everywhere = collapse?.kind === 'dense' && observed.activeShare > denseShare;
  const dead = observed.zeroTexts > deadShare * observed.texts;
  const arm = everywhere || dead || observed.tokenActivation > 0.5 ? 'D' : 'C';
  try {
    const calibration = calibrationFor({ head, cache }, arm, recipe);
    const { factor } = calibration.correction;
    if (collapse === undefined && Math.abs(Math.log2(factor)) <= 1) return undefined;
    if (collapse?.kind === 'overscaled' && factor <= 1) {
      return `logits deviate by ${shortFigure(cache.exactDeviation)} only: this recipe is too short or too slow for a head that a longer one takes as it is`;
    }
    const after = observe(cache, calibration.correction);
    const remaining = foreseenCollapse({ observed: after, vocabularySize: cache.vocabularySize, recipe });
    return { calibration, after, remaining };
  } catch (error) {
    // USAGE: a factor that no correction may have.
    if (error instanceof LexrayError && (error.code === 'BAD_INPUT' || error.code === 'USAGE')) return error.message;
    throw error;
  }
}

/** By the default statistic; a head that is sparse (after the shift) by the spread of its scores, in units of the temperature. */
function calibrationFor(
  inputs: CalibrationInputs & { readonly cache: EncodingCache },
  arm: 'C' | 'D',
  { temperature }: JudgedRecipe,
): Calibration {
  const shift = arm === 'D' ? shiftFor(inputs.cache) : 0;
  if (correctedKind(inputs.cache, { arm, factor: 1, shift }) === 'language-model') return calibrate(inputs, { arm });
  const calibration = calibrate(inputs, { arm, statistic: 'score-spread', target: temperature });
  return { ...calibration, origin: `the temperature; ${scoreSpread.origin}` };
}
