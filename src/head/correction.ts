/**
 * Corrections of an MLM head, from bias-free pooled logits u_v = max over tokens of w_v·h:
 *
 *     arm   logits              from u                   active set when k changes
 *     A     (W/k)h + b, inputs /k   not from u: the encoder changes, a pass for each k
 *     B     (W/k)h + b          u/k + b                  changes: terms with u < 0 < b grow with k
 *     C     (Wh + b)/k          (u + b)/k                stays
 *     D     (Wh + b − c)/k      (u + b − c)/k            stays, for a given c
 *     E     (Wh + b)_v / k_v    (u_v + b_v)/k_v          stays
 *     F     exp(−g)(Wh + b)     a trained scalar g, started from C or D: an option of training
 *     G     scores/τ            a temperature, the head untouched: an option of training
 *
 * A is the fix of arXiv 2606.18811, which scales the shared matrix of tied models; C to E are ours. In E,
 * k_v = k·‖w_v‖/mean‖w‖, which gives every row the same norm.
 */
import { LexrayError } from '../util/errors.ts';

/** How a head is corrected. */
export type CorrectionArm = 'A' | 'B' | 'C' | 'D' | 'E';

/** Every arm there is; F and G belong to training. */
export const correctionArms: readonly CorrectionArm[] = ['A', 'B', 'C', 'D', 'E'];

/** A correction of a head. */
export interface Correction {
  readonly arm: CorrectionArm;
  /** k: what logits or weights are divided by; 1 changes nothing. */
  readonly factor: number;
  /** c of arm D, in units of the uncorrected logits; 0 for the others. */
  readonly shift: number;
}

/** The correction that changes nothing. */
export const noCorrection: Correction = { arm: 'C', factor: 1, shift: 0 };

/**
 * Checks a correction that came from outside.
 * @throws LexrayError USAGE when k is not from 1e-12 to 1e12, or c is given for an arm without it
 */
export function checkCorrection({ arm, factor, shift }: Correction): void {
  if (!correctionArms.includes(arm)) {
    throw new LexrayError('USAGE', `expected an arm from ${correctionArms.join(', ')}, got ${JSON.stringify(arm)}`, {
      cure: 'F (a trained scalar) and G (a temperature) are no corrections of the weights but options of training',
    });
  }
  if (!(factor >= 1e-12 && factor <= 1e12)) {
    throw new LexrayError('USAGE', `expected a factor from 1e-12 to 1e12, got ${factor}`, {
      cure: 'k divides the logits: 8 makes them 8 times smaller, 0.5 twice as large',
    });
  }
  if (!Number.isFinite(shift)) throw new LexrayError('USAGE', `expected a finite shift, got ${shift}`);
  if (shift !== 0 && arm !== 'D') {
    throw new LexrayError('USAGE', `arm ${arm} has no shift, got ${shift}`, { cure: 'use arm D for a shift' });
  }
}

/** What {@link correctLogits} needs of the head. */
export interface CorrectedHead {
  /** b of each term. */
  readonly bias: Float32Array;
  /** ‖w_v‖/mean‖w‖ of each term, for arm E; 1 where the row is zero. */
  readonly relativeNorms: Float32Array;
}

/**
 * Pooled logits z after a correction.
 * @param pooled bias-free pooled logits u of one text, one a term
 * @param target gets the logits; may be `pooled`
 * @throws LexrayError FAILED for arm A, whose logits do not follow from u
 */
export function correctLogits(
  pooled: Float32Array,
  { bias, relativeNorms }: CorrectedHead,
  { arm, factor, shift }: Correction,
  target: Float32Array | Float64Array,
): void {
  switch (arm) {
    case 'A':
      throw new LexrayError('FAILED', 'arm A changes the encoder: its logits need a pass of their own');
    case 'B':
      for (let v = 0; v < pooled.length; v++) target[v] = pooled[v]! / factor + bias[v]!;
      return;
    case 'C':
    case 'D':
      for (let v = 0; v < pooled.length; v++) target[v] = (pooled[v]! + (bias[v]! - shift)) / factor;
      return;
    case 'E':
      for (let v = 0; v < pooled.length; v++) target[v] = (pooled[v]! + bias[v]!) / (factor * relativeNorms[v]!);
      return;
  }
}

/** ‖w_v‖/mean‖w‖ of each term; 1 where the row is zero, so that it stays as it is. */
export function relativeNormsOf(rowNorms: Float64Array): Float32Array {
  let sum = 0;
  let used = 0;
  for (const norm of rowNorms) {
    if (norm === 0) continue;
    sum += norm;
    used++;
  }
  return Float32Array.from(rowNorms, (norm) => (norm === 0 ? 1 : (norm * used) / sum));
}
