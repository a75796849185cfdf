/**
 * The mix of SPLADE-v3 (Lassance et al., arXiv 2403.06789): KL with temperature 1, and a little MarginMSE,
 *
 *     L = 1·KL + 0.05·MarginMSE
 *
 * MarginMSE alone fixes the scale of the scores, KL their order; the small weight is for squares of margins of about ten
 * beside a KL of about one. The paper's teacher is an ensemble whose scores are brought to the mean and the deviation of one
 * cross-encoder's: with another scale of scores the weights mean something else. Its regularizers: L1 on queries, FLOPS on
 * documents, anti-zero.
 */
import { KlDivergenceLoss } from './kl-divergence.ts';
import type { WeightedLoss } from './loss.ts';
import { MarginMseLoss } from './margin-mse.ts';

/** Options of {@link spladeV3Losses}. */
export interface SpladeV3Options {
  /** Weight of KL. @default 1 */
  readonly klWeight?: number | undefined;
  /** Weight of MarginMSE. @default 0.05 */
  readonly marginMseWeight?: number | undefined;
  /** Temperature of KL, student's and teacher's. @default 1 */
  readonly temperature?: number | undefined;
}

/** KL and MarginMSE, weighted. Where a teacher has scored several negatives of each query (eight in the paper). */
export function spladeV3Losses(options: SpladeV3Options = {}): readonly WeightedLoss[] {
  const { klWeight = 1, marginMseWeight = 0.05, temperature = 1 } = options;
  return [
    { loss: new KlDivergenceLoss({ temperature }), weight: klWeight },
    { loss: new MarginMseLoss(), weight: marginMseWeight },
  ];
}
