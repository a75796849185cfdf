/** Which variables AdamW treats apart: those without weight decay, and those with a learning rate of their own. */
import type { AdamWStep, VariableSpec } from '../compute/runtime/engine.ts';
import { headScaleName } from '../model/splade-graph.ts';
import type { FinetuneConfig } from './finetune-config.ts';
import { isTokenTable } from './query-side.ts';

/** The groups of one run. */
export type OptimizerGroups = Required<Pick<AdamWStep, 'withoutDecay' | 'learningRateFactors'>>;

/**
 * Biases, LayerNorm, a learned scale and tables of token weights do not decay; a learned scale has its own learning rate, what
 * is frozen has none.
 * @param frozen names of variables that stay as they are
 */
export function optimizerGroups(
  variables: readonly VariableSpec[],
  frozen: readonly string[],
  { headScaleLearningRate = 0, learningRate }: Pick<FinetuneConfig, 'headScaleLearningRate' | 'learningRate'>,
): OptimizerGroups {
  const isScale = (name: string): boolean => name.endsWith(headScaleName);
  const scaleFactor = learningRate === 0 ? 0 : headScaleLearningRate / learningRate;
  const names = variables.map(({ name }) => name);
  const undecayed = variables.filter(({ name, dims }) => dims.length < 2 || isTokenTable(name));
  return {
    withoutDecay: new Set(undecayed.map(({ name }) => name)),
    learningRateFactors: new Map([
      ...names.filter(isScale).map((name) => [name, scaleFactor] as const),
      ...frozen.map((name) => [name, 0] as const),
    ]),
  };
}
