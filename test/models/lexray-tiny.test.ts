/** The backbone that is in the repository: what was promised of it, and that its folder is whole. */
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openModelFolder } from '../../src/checkpoint/layouts/model-folder.ts';
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
