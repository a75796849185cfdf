/**
 * A statistic that says how far a head must be scaled. One file a statistic; each says in its opening when it fails. The default
 * and its target are what the calibration study found (docs/findings/calibration.md).
 */
import type { Correction, CorrectionArm } from '../correction.ts';
import type { EncodingCache } from '../encoding-cache.ts';
import type { HeadKind } from '../head-kind.ts';
import type { HeadStatistics } from '../head-statistics.ts';
import type { SeenScores } from '../seen-scores.ts';
import type { StatisticName } from './statistic-names.ts';

/** What a statistic may look at. */
export interface CalibrationInputs {
  readonly head: Pick<HeadStatistics, 'norm' | 'closedFormDeviation'>;
  /** Undefined when no text was encoded. */
  readonly cache: EncodingCache | undefined;
}

/** How a statistic finds k. */
export type StatisticGoal =
  /** The statistic of the vectors must have a value; it falls or rises with k. */
  | {
      readonly kind: 'value';
      target(kind: HeadKind): number;
      readonly direction: 'falls' | 'rises';
      measure(cache: EncodingCache, correction: Correction, seen: SeenScores): number;
    }
  /** The statistic must be least. */
  | { readonly kind: 'least'; measure(cache: EncodingCache, correction: Correction, seen: SeenScores): number }
  /** k follows from a value of the head as it is, and the target. */
  | {
      readonly kind: 'direct';
      readonly target: number;
      value(inputs: CalibrationInputs): number;
      factor(value: number, target: number): number;
    }
  /** Chooses the shift c of arm D only; k stays 1. */
  | { readonly kind: 'shift'; readonly target: number };

/** A statistic. */
export interface TargetStatistic {
  readonly name: StatisticName;
  /** What it is, in a few words. */
  readonly title: string;
  readonly goal: StatisticGoal;
  /** Where the target comes from. */
  readonly origin: string;
  /** What it cannot see, in a sentence. */
  readonly failsWhen: string;
  /** Texts it needs: none, texts, or texts long enough to be halved. */
  readonly needs: 'checkpoint' | 'texts' | 'pairs';
  /** Arms whose k it can find. */
  readonly arms: readonly CorrectionArm[];
}

/** Every arm whose vectors follow from one pass. */
export const onePassArms: readonly CorrectionArm[] = ['B', 'C', 'D', 'E'];
/** Arms that divide all terms alike, so that a mean over terms is divided by k. */
export const directArms: readonly CorrectionArm[] = ['B', 'C', 'D'];

/** The factor that divides a value to its target. */
export function divide(value: number, target: number): number {
  return value / target;
}
