/** The backbone that is in the repository: what was promised of it, and that its folder is whole. */
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openModelFolder } from '../../src/checkpoint/layouts/model-folder.ts';
import { type Diagnosis, diagnose } from '../../src/head/diagnose.ts';
import { findRecipe } from '../../src/head/recipes.ts';
import { sampleSentences } from '../../src/head/sample-texts.ts';
import { type FinetuneSettings, finetuneConfigSchema } from '../../src/train/finetune-config.ts';
import { checkHead, type HeadCheck } from '../../src/train/head-check.ts';
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

it('is judged as the head of a language model, and proposed to be divided whatever the verdict', async () => {
  const model = await openModelFolder(folder);
  const recipe = { ...findRecipe('rescaling-2606.18811'), learningRate: 1e-4 };
  const texts = { texts: sampleSentences.en!, source: 'sentences' };
  const diagnosed = (steps: number): Promise<Diagnosis> =>
    diagnose(model, { recipe: { ...recipe, steps }, texts, threads: 2 });
  try {
    const [long, short] = [await diagnosed(200), await diagnosed(70)];
    expect([long, short].map(({ verdicts }) => verdicts[0]!.kind)).toEqual(['healthy', 'overscaled']);
    for (const { proposal } of [long, short]) {
      const { correction, target } = proposal!.calibration;
      expect(correction.arm).toBe('C');
      expect(target).toBe(0.5);
      expect(proposal!.remaining).toBeUndefined();
      // Between the 2 and the 8 that the dev sweep of the calibration study likes.
      expect(correction.factor).toBeGreaterThan(2);
      expect(correction.factor).toBeLessThan(8);
    }
  } finally {
    await model.close();
  }
});

it('is told of before training, and corrected where that is asked for', async () => {
  const model = await openModelFolder(folder);
  const examples = sampleSentences.en!.flatMap((positive) => {
    const words = positive.split(' ');
    return [0, 2].map((from) => ({ query: words.slice(from, from + 4).join(' '), positive, negatives: [] }));
  });
  const checked = (changes: FinetuneSettings): Promise<HeadCheck> =>
    checkHead(model, finetuneConfigSchema.parse({ learningRate: 1e-4, maxSteps: 200, ...changes }), {
      ...{ model: 'models/lexray-tiny', examples, threads: 2 },
    });
  try {
    const told = await checked({});
    expect(told.correction).toBeUndefined();
    expect(told.message).toMatch(/^the head is that of a masked language model, and its logits deviate by [12]\.\d+: /);
    expect(told.message).toMatch(
      /pass --calibrate auto, or run: lexray rescale models\/lexray-tiny -o CORRECTED --arm C/,
    );
    const mended = await checked({ calibrate: 'auto' });
    expect(mended.correction).toMatchObject({ arm: 'C', shift: 0 });
    expect(mended.correction!.factor).toBeGreaterThan(2);
    expect(mended.message).toContain('the head is corrected: arm C factor');
    expect(mended.message).not.toContain('even so');
    const large = await checked({ calibrate: 0.25 });
    expect(large.message).toContain('even so it is likely to collapse');
    expect((await checked({ headDivisor: 0.25 })).message).toContain('divided by 0.25, is likely to collapse');
    // Within a factor of 2 of the target nothing is said.
    expect((await checked({ headDivisor: 4 })).message).toBeUndefined();
  } finally {
    await model.close();
  }
});
