/** The objective of a run from its settings: losses and regularizers by name. */
import { LexrayError } from '../util/errors.ts';
import type { FinetuneConfig, RegularizerSettings } from './finetune-config.ts';
import { findLoss } from './losses/registry.ts';
import { Objective, type SidedRegularizer } from './objective.ts';
import { findRegularizer } from './regularizers/registry.ts';
import type { RegularizedSide } from './regularizers/regularizer.ts';

/** Names of the regularizers' parts of the loss: those of sentence-transformers, and two of ours. */
export const regularizerParts = {
  queries: 'query_regularizer_loss',
  documents: 'document_regularizer_loss',
  joint: 'joint_regularizer_loss',
  antiZero: 'anti_zero_loss',
} as const;

/**
 * Builds the objective of a run.
 * @throws LexrayError CONFIG when a name is unknown or an option does not fit
 */
export function makeObjective(config: FinetuneConfig): Objective {
  const { losses = [{ name: 'info-nce' }], temperature } = config;
  const sided = (part: string, settings: RegularizerSettings, side: RegularizedSide): SidedRegularizer => {
    const { name, ...options } = settings;
    const regularizer = findRegularizer(name, options);
    if (side !== 'both' && regularizer.looksAt === 'both') {
      throw new LexrayError('CONFIG', `the regularizer ${name} looks at queries and documents together`, {
        cure: 'give it by jointRegularizerWeight or antiZeroWeight',
      });
    }
    return { part, regularizer, side };
  };
  return new Objective({
    losses: losses.flatMap(({ name, weight = 1, ...options }) => {
      const given = name === 'info-nce' ? { temperature, ...options } : options;
      return findLoss(name, given).map((part) => ({ ...part, weight: part.weight * weight }));
    }),
    regularizers: [
      sided(regularizerParts.queries, config.queryRegularizer, 'queries'),
      sided(regularizerParts.documents, config.documentRegularizer, 'documents'),
      ...(config.jointRegularizerWeight > 0 ? [sided(regularizerParts.joint, config.jointRegularizer, 'both')] : []),
      ...(config.antiZeroWeight > 0 ? [sided(regularizerParts.antiZero, { name: 'anti-zero' }, 'both')] : []),
    ],
    queryTopTerms: config.queryTopTerms,
    documentTopTerms: config.documentTopTerms,
  });
}
