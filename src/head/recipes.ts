/**
 * A training recipe as far as a head's start matters to it: what decides whether the start is too steep, too flat or right.
 * What a recipe does not say is as in the default one.
 */
import { z } from 'zod';
import { loadRecipe } from '../recipes/load-recipe.ts';
import type { Recipe } from '../recipes/recipe.ts';
import { badInput } from '../util/errors.ts';
import { schemaComplaint } from '../util/schema-complaint.ts';

/** A recipe, as a head is judged for it. */
export interface JudgedRecipe {
  readonly name: string;
  readonly title: string;
  /** Whether scores are compared with each other, or brought to a teacher's: margins, or a distribution. */
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
  /** Sides whose regularizer is L1 instead. @default none */
  readonly l1?: readonly ('queries' | 'documents')[] | undefined;
  readonly source: string;
}

const positive = z.number().positive();
const weight = z.number().min(0);
const named = z.looseObject({ name: z.string() });
const judgedSettings = z.looseObject({
  losses: z.array(z.looseObject({ name: z.string(), temperature: positive.optional() })).optional(),
  temperature: positive.optional(),
  learningRate: weight,
  batchSize: positive,
  maxSteps: positive.optional(),
  queryRegularizer: named.optional(),
  documentRegularizer: named.optional(),
  queryRegularizerWeight: weight,
  documentRegularizerWeight: weight,
});

/** Losses that compare scores with each other. */
const comparing: readonly (string | undefined)[] = [undefined, 'info-nce', 'pairwise-cross-entropy'];

/**
 * A recipe by name or path, as a head is judged for it.
 * @throws LexrayError USAGE when there is no such recipe; BAD_INPUT when a file is none
 */
export function findRecipe(nameOrPath: string): JudgedRecipe {
  return judgedRecipe(loadRecipe(nameOrPath));
}

/**
 * What of a recipe matters to a head's start.
 * @throws LexrayError BAD_INPUT when a setting does not fit
 */
export function judgedRecipe({ name, title, source, settings, usualSteps }: Recipe): JudgedRecipe {
  const defaults = loadRecipe('lexray');
  const complete = { ...defaults.settings, ...settings };
  const parsed = judgedSettings.safeParse(complete);
  if (!parsed.success) {
    throw badInput(`recipe ${name}: ${schemaComplaint(parsed.error, complete)}`, { cure: 'mend the setting' });
  }
  const { losses, temperature = 1, maxSteps, queryRegularizer, documentRegularizer, ...rest } = parsed.data;
  const loss = losses?.[0];
  const sides = { queries: queryRegularizer, documents: documentRegularizer };
  return {
    name,
    title,
    loss: comparing.includes(loss?.name) ? 'info-nce' : 'margin-mse',
    temperature: loss?.temperature ?? temperature,
    learningRate: rest.learningRate,
    steps: usualSteps ?? maxSteps ?? defaults.usualSteps!,
    batchSize: rest.batchSize,
    queryRegularizerWeight: rest.queryRegularizerWeight,
    documentRegularizerWeight: rest.documentRegularizerWeight,
    l1: (['queries', 'documents'] as const).filter((side) => sides[side]?.name === 'l1'),
    source,
  };
}
