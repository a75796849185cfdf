/** Steps of a run, and a head's sample of its data. */
import { describe, expect, it } from 'vitest';
import { loadRecipe } from '../recipes/load-recipe.ts';
import { type FinetuneConfig, finetuneConfigSchema } from './finetune-config.ts';
import { headSample, mostTexts, settingsRecipe } from './head-sample.ts';
import { recipeSettings } from './recipe-settings.ts';
import { runSteps } from './run-steps.ts';

const settings = { batchSize: 4, accumulationSteps: 1, epochs: 1 } as FinetuneConfig;

describe('runSteps', () => {
  it.each([
    [100, {}, 25],
    [103, {}, 25],
    [3, {}, 1],
    [100, { epochs: 2.5 }, 63],
    [100, { accumulationSteps: 2 }, 13],
    [100, { maxSteps: 7 }, 7],
  ])('of %i queries with %o', (queries, changes, steps) => {
    expect(runSteps({ ...settings, ...changes }, queries)).toBe(steps);
  });
});

describe('what a head is judged by', () => {
  it('counts different queries, not examples: several positives of a query are one', () => {
    const examples = Array.from({ length: 80 }, (_, i) => ({ query: `q${i % 8}`, positive: `d${i}`, negatives: [] }));
    const config = finetuneConfigSchema.parse({ ...recipeSettings(loadRecipe('lexray')), batchSize: 4, epochs: 1 });
    expect(settingsRecipe(config, examples, 'this run')).toMatchObject({ steps: 2, name: 'this run' });
  });

  it('is a sample by the seed, without blank texts or repetitions', () => {
    const examples = Array.from({ length: 600 }, (_, i) => ({
      query: `q${i % 9}`,
      positive: i % 5 ? `d${i}` : ' ',
      negatives: [],
    }));
    const texts = headSample(examples, 1);
    expect(texts.length).toBeGreaterThanOrEqual(mostTexts);
    expect(texts.length).toBeLessThanOrEqual(mostTexts + 1);
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts).not.toContain(' ');
    expect(headSample(examples, 1)).toEqual(texts);
    expect(headSample(examples, 2)).not.toEqual(texts);
  });
});
