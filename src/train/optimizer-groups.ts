/** Which variables AdamW treats apart: those without weight decay, and those with a learning rate of their own. */
import type { AdamWStep, VariableSpec } from '../compute/runtime/engine.ts';
import { headScaleName } from '../model/splade-graph.ts';
import type { FinetuneConfig } from './finetune-config.ts';
import { isTokenTable } from './query-side.ts';

/** The groups of one run. */
export type OptimizerGroups = Required<Pick<AdamWStep, 'withoutDecay' | 'learningRateFactors'>>;

/** Variables that are not treated as the others. */
export interface SpecialVariables {
  /** Names of those that stay as they are. */
  readonly frozen: readonly string[];
  /** Names of those of the head that have a learning rate of their own. */
  readonly head: readonly string[];
}

type RateSettings = Pick<FinetuneConfig, 'headScaleLearningRate' | 'headLearningRateFactor' | 'learningRate'>;

/**
 * Biases, LayerNorm, a learned scale and tables of token weights do not decay; a learned scale has its own learning rate, the
 * head may have a multiple of the model's (weight decay included, as groups of PyTorch's AdamW have it), what is frozen has none.
 */
export function optimizerGroups(
  variables: readonly VariableSpec[],
  { frozen, head }: SpecialVariables,
  { headScaleLearningRate = 0, headLearningRateFactor = 1, learningRate }: RateSettings,
): OptimizerGroups {
  const scaleFactor = learningRate === 0 ? 0 : headScaleLearningRate / learningRate;
  const names = variables.map(({ name }) => name);
  const undecayed = variables.filter(({ name, dims }) => dims.length < 2 || isTokenTable(name));
  return {
    withoutDecay: new Set(undecayed.map(({ name }) => name)),
    learningRateFactors: new Map([
      ...(headLearningRateFactor === 1 ? [] : head.map((name) => [name, headLearningRateFactor] as const)),
      ...names.filter(isHeadScale).map((name) => [name, scaleFactor] as const),
      ...frozen.map((name) => [name, 0] as const),
    ]),
  };
}

/** Whether a variable is the scale of a head, see `splade-graph.ts`. */
export function isHeadScale(name: string): boolean {
  return name.endsWith(headScaleName);
}
