/** The sparsity regularizers by the names that recipes and flags use. */
import { z } from 'zod';
import { checkedMaker, type MakePart, makeByName } from '../make-by-name.ts';
import { type AntiZeroOptions, AntiZeroRegularizer } from './anti-zero.ts';
import { type DfFlopsOptions, DfFlopsRegularizer } from './df-flops.ts';
import { FlopsRegularizer } from './flops.ts';
import { type JointFlopsOptions, JointFlopsRegularizer } from './joint-flops.ts';
import { L1Regularizer } from './l1.ts';
import type { Regularizer } from './regularizer.ts';
import { type ThresholdFlopsOptions, ThresholdFlopsRegularizer } from './threshold-flops.ts';

const none = z.strictObject({});

const makers: Readonly<Record<string, MakePart<Regularizer>>> = {
  flops: checkedMaker(none, () => new FlopsRegularizer()),
  'threshold-flops': checkedMaker<ThresholdFlopsOptions, Regularizer>(
    z.strictObject({ threshold: z.number().min(0).max(1e9).optional() }),
    (options) => new ThresholdFlopsRegularizer(options),
  ),
  'df-flops': checkedMaker<DfFlopsOptions, Regularizer>(
    z.strictObject({
      alpha: z.number().min(1e-6).max(0.99).optional(),
      beta: z.number().min(0.1).max(100).optional(),
      refreshEvery: z.int().min(1).max(100_000).optional(),
    }),
    (options) => new DfFlopsRegularizer(options),
  ),
  'joint-flops': checkedMaker<JointFlopsOptions, Regularizer>(
    z.strictObject({ pairs: z.enum(['all', 'positives']).optional() }),
    (options) => new JointFlopsRegularizer(options),
  ),
  l1: checkedMaker(none, () => new L1Regularizer()),
  'anti-zero': checkedMaker<AntiZeroOptions, Regularizer>(
    z.strictObject({ epsilon: z.number().min(1e-12).max(1).optional() }),
    (options) => new AntiZeroRegularizer(options),
  ),
};

/** Names that {@link findRegularizer} knows. */
export const regularizerNames: readonly string[] = Object.keys(makers);

/**
 * A regularizer by name, for one side of a run.
 * @param options those of the regularizer's class, as a recipe gives them
 * @throws LexrayError CONFIG when there is no such regularizer, or the options are not such as it has
 */
export function findRegularizer(name: string, options: unknown = {}): Regularizer {
  return makeByName('regularizer', makers, name, options);
}
