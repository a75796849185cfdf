/** The ranking losses by the names that recipes and flags use. */
import { z } from 'zod';
import { checkedMaker, type MakePart, makeByName } from '../make-by-name.ts';
import { InfoNceLoss, type InfoNceOptions } from './info-nce.ts';
import { KlDivergenceLoss, type KlDivergenceOptions } from './kl-divergence.ts';
import type { Loss, WeightedLoss } from './loss.ts';
import { MarginMseLoss, type MarginMseOptions } from './margin-mse.ts';
import { PairwiseCrossEntropyLoss, type PairwiseCrossEntropyOptions } from './pairwise-cross-entropy.ts';
import { type SpladeV3Options, spladeV3Losses } from './splade-v3.ts';

const temperature = z.number().min(1e-3).max(1e6).optional();
const weight = z.number().min(0).max(1e6).optional();

function one<Options>(schema: z.ZodType<Options>, make: (options: Options) => Loss): MakePart<readonly WeightedLoss[]> {
  return checkedMaker(schema, (options) => [{ loss: make(options), weight: 1 }]);
}

const makers: Readonly<Record<string, MakePart<readonly WeightedLoss[]>>> = {
  'info-nce': one<InfoNceOptions>(z.strictObject({ temperature }), (options) => new InfoNceLoss(options)),
  'pairwise-cross-entropy': one<PairwiseCrossEntropyOptions>(
    z.strictObject({ temperature, inBatchPositives: z.boolean().optional() }),
    (options) => new PairwiseCrossEntropyLoss(options),
  ),
  'margin-mse': one<MarginMseOptions>(
    z.strictObject({ margins: z.enum(['positive', 'all']).optional() }),
    (options) => new MarginMseLoss(options),
  ),
  kl: one<KlDivergenceOptions>(
    z.strictObject({
      temperature,
      studentTemperature: temperature,
      teacherTemperature: temperature,
      scaleByTemperature: z.boolean().optional(),
    }),
    (options) => new KlDivergenceLoss(options),
  ),
  'splade-v3': checkedMaker<SpladeV3Options, readonly WeightedLoss[]>(
    z.strictObject({ klWeight: weight, marginMseWeight: weight, temperature }),
    spladeV3Losses,
  ),
};

/** Names that {@link findLoss} knows. */
export const lossNames: readonly string[] = Object.keys(makers);

/**
 * A loss, or a mix of losses, by name: one entry with the weight 1 unless it is a mix.
 * @param options those of the loss's class, as a recipe gives them
 * @throws LexrayError CONFIG when there is no such loss, or the options are not such as it has
 */
export function findLoss(name: string, options: unknown = {}): readonly WeightedLoss[] {
  return makeByName('loss', makers, name, options);
}
