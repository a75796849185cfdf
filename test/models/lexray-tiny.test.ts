/** The backbone that is in the repository: what was promised of it, and that its folder is whole. */
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openModelFolder } from '../../src/checkpoint/layouts/model-folder.ts';
import { type Diagnosis, diagnose } from '../../src/head/diagnose.ts';
import { findRecipe } from '../../src/head/recipes.ts';
import { parameterCount } from '../../src/train/pretrain/start-model.ts';

const folder = fileURLToPath(new URL('../../models/lexray-tiny', import.meta.url));

it('is a BERT of at most 5 million parameters in at most 10 MB of bf16, with all its weights', async () => {
  const model = await openModelFolder(folder);
  try {
    const { config } = model.checkpoint;
    expect(config.model_type).toBe('bert');
    expect(parameterCount(config)).toBeLessThanOrEqual(5e6);
    expect(statSync(`${folder}/model.safetensors`).size).toBeLessThanOrEqual(10e6);
    let count = 0;
    for await (const { name, data } of model.checkpoint.loadWeights()) {
      expect(data.every(Number.isFinite), name).toBe(true);
      count += data.length;
    }
    expect(count).toBe(parameterCount(config));
  } finally {
    await model.close();
  }
});

it('has a card with its data, their licences, its curve and its cost', () => {
  const card = readFileSync(`${folder}/README.md`, 'utf8');
  expect(card).toMatch(/^license: cc-by-sa-4\.0$/m);
  for (const heading of ['## Data', '### Curve, on texts that are held out', '### Cost']) {
    expect(card).toContain(heading);
  }
  expect(readFileSync(`${folder}/DATA-LICENSES.md`, 'utf8')).toContain('WordNet 3.0');
});

it('is judged as the head of a language model: a long run bears it, a short one does not, and both get a proposal', async () => {
  const model = await openModelFolder(folder);
  const recipe = findRecipe('rescaling-2606.18811');
  const diagnosed = (steps: number): Promise<Diagnosis> =>
    diagnose(model, { recipe: { ...recipe, steps }, threads: 2 });
  try {
    const [long, short] = [await diagnosed(980), await diagnosed(50)];
    expect([long, short].map(({ verdicts }) => verdicts[0]!.kind)).toEqual(['healthy', 'overscaled']);
    for (const { proposal } of [long, short]) {
      const { correction, target } = proposal!.calibration;
      expect(correction.arm).toBe('C');
      expect(target).toBe(0.5);
      // Between the 2 and the 8 that the dev sweep of the calibration study likes.
      expect(correction.factor).toBeGreaterThan(2);
      expect(correction.factor).toBeLessThan(8);
    }
  } finally {
    await model.close();
  }
});
