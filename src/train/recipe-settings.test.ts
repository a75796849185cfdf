import { describe, expect, it } from 'vitest';
import { loadRecipe } from '../recipes/load-recipe.ts';
import { recipeNames } from '../recipes/recipe-names.ts';
import { finetuneConfigSchema } from './finetune-config.ts';
import { makeObjective } from './make-objective.ts';
import { recipeSettings } from './recipe-settings.ts';

const splade = loadRecipe('splade-v3');

describe('recipeSettings', () => {
  it.each(recipeNames)('%s is a run that there can be', (name) => {
    const settings = recipeSettings(loadRecipe(name));
    expect(() => makeObjective(finetuneConfigSchema.parse(settings))).not.toThrow();
  });

  it('has the defaults of fine-tuning as the recipe lexray', () => {
    expect(finetuneConfigSchema.parse(recipeSettings(loadRecipe('lexray')))).toEqual(finetuneConfigSchema.parse({}));
  });

  it('takes what the command line sets', () => {
    const settings = recipeSettings(splade, ['learningRate=1e-4', 'guard.mode=warn', 'losses.0.marginMseWeight=0.1']);
    expect(settings).toMatchObject({
      learningRate: 1e-4,
      guard: { mode: 'warn' },
      losses: [{ name: 'splade-v3', klWeight: 1, marginMseWeight: 0.1 }],
      batchSize: 16,
    });
    expect(recipeSettings(splade)).toEqual(splade.settings);
  });

  it.each<[string, RegExp, RegExp]>([
    ['learningrate=1', /no setting learningrate/, /did you mean learningRate\?/],
    ['guard.patience=3', /no setting guard\.patience/, /./],
    ['guard.patienceratio=3', /no setting guard\.patienceratio/, /did you mean guard\.patienceRatio\?/],
    ['batchSize=1', /recipe splade-v3: setting batchSize: .*, got 1$/, /--set/],
    ['queryEncoder=none', /setting queryEncoder: .*shared/, /--set/],
    ['losses.0.weight=-1', /setting losses\.0\.weight: .*, got -1$/, /--set/],
    ['losses.0.name=null', /setting losses\.0\.name: expected text, but nothing is there$/, /--set/],
  ])('refuses %s', (text, message, cure) => {
    expect(() => recipeSettings(splade, [text])).toThrow(
      expect.objectContaining({
        code: 'CONFIG',
        message: expect.stringMatching(message),
        cure: expect.stringMatching(cure),
      }),
    );
  });
});
