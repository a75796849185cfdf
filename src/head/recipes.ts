/**
 * Training recipes for which a head is judged: what decides whether a start is too steep, too flat or right. Constants from
 * the papers and repositories named, until recipes are files of their own.
 */
import { LexrayError } from '../util/errors.ts';

/** A recipe, as far as a head's start matters to it. */
export interface JudgedRecipe {
  readonly name: string;
  readonly title: string;
  readonly loss: 'info-nce' | 'margin-mse';
  /** Temperature of InfoNCE. */
  readonly temperature: number;
  /** Peak learning rate of AdamW. */
  readonly learningRate: number;
  /** Steps of a usual run. */
  readonly steps: number;
  readonly batchSize: number;
  /** λ_q and λ_d of FLOPS at the end of their ramp. */
  readonly queryRegularizerWeight: number;
  readonly documentRegularizerWeight: number;
  readonly source: string;
}

/** The recipes, the default first. */
export const judgedRecipes: readonly JudgedRecipe[] = [
  {
    name: 'lexray',
    title: 'the defaults of lexray finetune',
    loss: 'info-nce',
    temperature: 1,
    learningRate: 2e-5,
    steps: 5000,
    batchSize: 32,
    queryRegularizerWeight: 5e-5,
    documentRegularizerWeight: 1e-3,
    source: 'this program',
  },
  {
    name: 'st-mnrl',
    title: 'sentence-transformers example, MS MARCO with in-batch negatives',
    loss: 'info-nce',
    temperature: 1,
    learningRate: 2e-5,
    steps: 5600,
    batchSize: 16,
    queryRegularizerWeight: 5e-5,
    documentRegularizerWeight: 1e-3,
    source: 'sentence-transformers, train_splade_msmarco_mnrl.py; steps from 90,000 rows',
  },
  {
    name: '2606.18811',
    title: 'the short, steep recipe of arXiv 2606.18811',
    loss: 'info-nce',
    temperature: 1,
    learningRate: 1e-4,
    steps: 980,
    batchSize: 64,
    queryRegularizerWeight: 5e-2,
    documentRegularizerWeight: 3e-3,
    source: 'arXiv 2606.18811, in its digest; steps from an epoch of 500,000 triplets, which is inferred',
  },
  {
    name: 'splade-max',
    title: 'SPLADE-max of naver/splade',
    loss: 'info-nce',
    temperature: 1,
    learningRate: 2e-5,
    steps: 150_000,
    batchSize: 128,
    queryRegularizerWeight: 3e-4,
    documentRegularizerWeight: 1e-4,
    source: 'naver/splade, configuration of SPLADE++ max',
  },
  {
    name: 'splade-pp',
    title: 'SPLADE++ by MarginMSE of naver/splade',
    loss: 'margin-mse',
    temperature: 1,
    learningRate: 2e-5,
    steps: 150_000,
    batchSize: 128,
    queryRegularizerWeight: 0.1,
    documentRegularizerWeight: 0.08,
    source: 'naver/splade, configuration of SPLADE++ ensemble distillation',
  },
];

/** Their names. */
export const recipeNames: readonly [string, ...string[]] = [
  'lexray',
  'st-mnrl',
  '2606.18811',
  'splade-max',
  'splade-pp',
];

/**
 * A recipe by name.
 * @throws LexrayError USAGE naming those there are
 */
export function findRecipe(name: string): JudgedRecipe {
  const recipe = judgedRecipes.find((candidate) => candidate.name === name);
  if (recipe !== undefined) return recipe;
  throw new LexrayError('USAGE', `expected a recipe from ${recipeNames.join(', ')}, got ${JSON.stringify(name)}`);
}
