import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadRecipe } from '../recipes/load-recipe.ts';
import { recipeNames } from '../recipes/recipe-names.ts';
import { initialLoss } from './initial-loss.ts';
import { findRecipe, judgedRecipe } from './recipes.ts';

describe('recipes as a head is judged for them', () => {
  it('are the files', () => {
    expect(findRecipe('rescaling-2606.18811')).toEqual({
      name: 'rescaling-2606.18811',
      title: 'the short, steep recipe of arXiv 2606.18811',
      loss: 'info-nce',
      temperature: 1,
      learningRate: 1e-4,
      steps: 980,
      batchSize: 64,
      queryRegularizerWeight: 5e-2,
      documentRegularizerWeight: 3e-3,
      l1: [],
      source: expect.stringContaining('2606.18811'),
    });
    expect(findRecipe('splade-max')).toMatchObject({ loss: 'info-nce', steps: 150_000, batchSize: 128 });
    expect(findRecipe('splade-pp')).toMatchObject({ loss: 'margin-mse', queryRegularizerWeight: 0.1 });
    expect(findRecipe('splade-v3')).toMatchObject({ loss: 'margin-mse', l1: ['queries'] });
    for (const name of recipeNames) expect(findRecipe(name).steps).toBeGreaterThan(100);
    expect(() => findRecipe('luck')).toThrow(/expected a recipe from lexray/);
  });

  it('have the defaults where they say nothing', () => {
    const bare = { ...loadRecipe('lexray'), name: 'mine', settings: { temperature: 0.5 }, usualSteps: undefined };
    expect(judgedRecipe(bare)).toMatchObject({ temperature: 0.5, steps: 5000, batchSize: 32, learningRate: 2e-5 });
    const own = { ...bare, settings: { losses: [{ name: 'info-nce', temperature: 2 }], maxSteps: 70 } };
    expect(judgedRecipe(own)).toMatchObject({ temperature: 2, steps: 70 });
  });

  it('can be a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lexray recipe '));
    const path = join(folder, 'mine.yaml');
    await writeFile(path, 'name: mine\ntitle: mine\nsource: me\nsettings: { learningRate: 1.0e-3 }\n');
    expect(findRecipe(path)).toMatchObject({ name: 'mine', learningRate: 1e-3 });
    await writeFile(path, 'name: mine\ntitle: mine\nsource: me\nsettings: { learningRate: fast }\n');
    expect(() => findRecipe(path)).toThrow(/recipe mine: learningRate: /);
    await rm(folder, { recursive: true });
  });

  it('weigh L1 as the mean sum of weights', () => {
    const observed = { pairs: undefined, flops: 7, activeDims: { mean: 100, min: 0, max: 200 }, meanWeight: 0.5 };
    const recipe = { ...findRecipe('splade-v3'), queryRegularizerWeight: 2, documentRegularizerWeight: 3 };
    expect(initialLoss(observed, recipe).penalty).toBe(2 * 50 + 3 * 7);
    expect(initialLoss(observed, { ...recipe, l1: [] }).penalty).toBe(5 * 7);
  });
});
