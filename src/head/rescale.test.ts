/**
 * Models whose head is corrected on disk: their figures, measured by encoding again, are those predicted from one pass of
 * the source; and what the written folder says of its making.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyTinyModel, readTensors, shared, tinyModel } from '../../test/fixtures/model-folders.ts';
import { type ModelFolder, openModelFolder } from '../checkpoint/layouts/model-folder.ts';
import { writeSafetensors } from '../checkpoint/safetensors-writer.ts';
import { readManifest } from '../util/manifest.ts';
import type { Correction } from './correction.ts';
import { type HeadHistory, recordedFigures } from './correction-record.ts';
import { type EncodedModel, encodeForDiagnosis } from './diagnose.ts';
import { type ObservedFigures, observe } from './observed.ts';
import { rescale } from './rescale.ts';
import { wordTexts } from './word-texts.suite.ts';

let folder = '';
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-rescale-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const texts = { texts: wordTexts(70), source: 'words' };
const noCorrection: Correction = { arm: 'C', factor: 1, shift: 0 };

async function withModel<T>(path: string, use: (model: ModelFolder) => Promise<T>): Promise<T> {
  const model = await openModelFolder(path);
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

const encode = (path: string): Promise<EncodedModel> =>
  withModel(path, (model) => encodeForDiagnosis(model, { texts, threads: 2 }));

function expectNear(measured: ObservedFigures, predicted: ObservedFigures): void {
  const near = (a: number, b: number): void => {
    expect(Math.abs(a - b), `${a}, predicted ${b}`).toBeLessThanOrEqual(1e-4 * Math.abs(b) + 1e-12);
  };
  near(measured.activeDims.mean, predicted.activeDims.mean);
  near(measured.flops, predicted.flops);
  near(measured.retrievalFlops, predicted.retrievalFlops);
  near(measured.scores.std, predicted.scores.std);
  near(measured.scores.mean, predicted.scores.mean);
  near(measured.scores.entropy, predicted.scores.entropy);
  near(measured.meanWeight, predicted.meanWeight);
  near(measured.pairs!.infoNce, predicted.pairs!.infoNce);
  expect(Math.abs(measured.tokenActivation - predicted.tokenActivation)).toBeLessThan(2e-3);
}

/** With biases of both signs, so that arm B, which leaves them alone, has active terms at every k. */
const mixed = (): Promise<string> =>
  copyTinyModel(at('mixed'), {
    tensors: (tensors) => {
      const bias = tensors.find(({ name }) => name === 'cls.predictions.bias')!;
      for (let v = 0; v < bias.data.length; v++) bias.data[v] = (v % 5) / 4 - 0.5 + bias.data[v]! / 100;
      return tensors;
    },
  });

const checkpoint = join(shared, 'data/ckpt-splade-tiny');
const present = existsSync(checkpoint);
const arms = ['B', 'C', 'D', 'E'] as const;

describe.each([
  ['the tiny model', async () => tinyModel, true, [2, 4, 8, 16]],
  ['the tiny model with biases of both signs', mixed, true, [2, 4, 8, 16]],
  [`ckpt-splade-tiny${present ? '' : ' (skipped: ../shared is not there)'}`, async () => checkpoint, present, [2, 16]],
] as const)('figures predicted from one pass of %s', (title, folderOf, there, factors) => {
  let source = '';
  let encoded: EncodedModel;
  beforeAll(async () => {
    source = await folderOf();
    if (there) encoded = await encode(source);
  });

  it.skipIf(!there).each(arms.flatMap((arm) => factors.map((factor) => ({ arm, factor }))))(
    'arm $arm, k = $factor, are those of the rescaled model',
    async ({ arm, factor }) => {
      const shift = arm === 'D' ? encoded.cache.tokenLogits.logits.thresholdFor(0.3) : 0;
      const correction: Correction = { arm, factor, shift };
      const route = arm === 'E' || factor === 4 ? 'untied' : 'norm';
      const output = at(`${title} ${arm}${factor}`);
      await withModel(source, (model) => rescale(model, output, correction, { route, force: true }));
      const predicted = observe(encoded.cache, correction);
      expectNear(observe((await encode(output)).cache, noCorrection), predicted);
      // The biases of the tiny model are negative: arm B leaves nothing active from k = 4 on.
      if (arm !== 'B' || title !== 'the tiny model') expect(predicted.activeDims.mean).toBeGreaterThan(0);
    },
  );
});

describe('the written folder', () => {
  const history = async (path: string): Promise<HeadHistory> =>
    (await readManifest(path, 'lexray-model', 1)).config.head as HeadHistory;

  it('says what was done, on which texts, and what changed', async () => {
    const encoded = await encode(tinyModel);
    const [before, after] = [1, 8].map((factor) => observe(encoded.cache, { arm: 'C', factor, shift: 0 }));
    const { count, sha256, source } = encoded.texts;
    const provenance = {
      found: { by: 'score-spread', target: 1, targetOrigin: 'a constant' },
      texts: { count, sha256, source },
      before: recordedFigures(before!),
      after: recordedFigures(after!),
    };
    const written = await withModel(tinyModel, (model) =>
      rescale(model, at('card'), { arm: 'C', factor: 8, shift: 0 }, { provenance, baseModel: 'org/name' }),
    );
    expect(written).toMatchObject({ route: 'norm', dtype: 'F32' });
    expect(written.changed).toEqual([
      'cls.predictions.transform.LayerNorm.weight',
      'cls.predictions.transform.LayerNorm.bias',
      'cls.predictions.bias',
    ]);
    const { corrections, together } = await history(at('card'));
    expect(corrections).toEqual([{ arm: 'C', factor: 8, shift: 0, route: 'norm', ...provenance }]);
    expect(together).toEqual({ arm: 'C', factor: 8, shift: 0 });
    const card = await readFile(at('card/README.md'), 'utf8');
    expect(card).toContain('base_model: org/name');
    expect(card).toContain('arm C, k = 8; logits are (Wh + b)/k');
    expect(card).toContain(sha256);
    expect(card).toMatch(/\| Score spread \(B = 64\) \| [\d.]+ \| [\d.]+ \|/);
  });

  it('leaves everything but the head as it was', async () => {
    await withModel(tinyModel, (model) =>
      rescale(model, at('same'), { arm: 'D', factor: 3, shift: 1 }, { force: true }),
    );
    const [before, after] = [
      await readTensors(join(tinyModel, 'model.safetensors')),
      await readTensors(at('same/model.safetensors')),
    ];
    expect(after.map(({ name }) => name).sort()).toEqual(before.map(({ name }) => name).sort());
    const differing = after.filter(({ name, data }) => {
      const source = before.find((tensor) => tensor.name === name)!;
      return !Buffer.from(data.buffer).equals(Buffer.from(source.data.buffer));
    });
    expect(differing.map(({ name }) => name).sort()).toEqual([
      'cls.predictions.bias',
      'cls.predictions.transform.LayerNorm.bias',
      'cls.predictions.transform.LayerNorm.weight',
    ]);
  });

  it('notices an earlier correction and says what both are together', async () => {
    const warnings: string[] = [];
    const onWarning = (warning: string): void => void warnings.push(warning);
    await withModel(tinyModel, (model) =>
      rescale(model, at('one'), { arm: 'D', factor: 4, shift: 0.5 }, { onWarning }),
    );
    expect(warnings).toEqual([]);
    await withModel(at('one'), (model) =>
      rescale(model, at('two'), { arm: 'D', factor: 2, shift: 0.25 }, { onWarning }),
    );
    expect(warnings.join()).toContain('corrected before (arm D, k = 4, c = 0.5)');
    expect(warnings.join()).toContain('together arm D, k = 8, c = 1.5');
    const { corrections, together } = await history(at('two'));
    expect(corrections).toHaveLength(2);
    expect(together).toEqual({ arm: 'D', factor: 8, shift: 1.5 });
    const [twice, once] = [await encode(at('two')), await encode(tinyModel)];
    expectNear(observe(twice.cache, noCorrection), observe(once.cache, together!));
    await withModel(at('two'), (model) =>
      rescale(model, at('three'), { arm: 'B', factor: 2, shift: 0 }, { onWarning }),
    );
    expect(warnings.at(-1)).toContain('no single arm says both');
    expect((await history(at('three'))).together).toBeUndefined();
  });

  it('believes only what looks like a record', async () => {
    const path = await copyTinyModel(at('odd'), {});
    const manifest = {
      format: 'lexray-model',
      version: 1,
      config: { head: { corrections: [{ arm: 'X' }] } },
      parents: {},
    };
    await writeFile(join(path, 'manifest.json'), JSON.stringify(manifest));
    const { history: found } = await withModel(path, (model) =>
      rescale(model, at('odd out'), { arm: 'C', factor: 2, shift: 0 }),
    );
    expect(found.corrections).toHaveLength(1);
  });
});

describe('element types', () => {
  const half = async (name: string, dtype: 'F16' | 'BF16'): Promise<string> => {
    const path = await copyTinyModel(at(name), {});
    const tensors = await readTensors(join(path, 'model.safetensors'));
    await writeSafetensors(
      join(path, 'model.safetensors'),
      tensors.map((tensor) => ({ ...tensor, dtype })),
    );
    return path;
  };

  it.each([
    ['BF16', { arm: 'C', factor: 8, shift: 0 }, 'BF16'],
    ['BF16', { arm: 'C', factor: 3, shift: 0 }, 'F32'],
    ['BF16', { arm: 'D', factor: 8, shift: 0.3 }, 'F32'],
    ['F16', { arm: 'B', factor: 2, shift: 0 }, 'F16'],
    ['F16', { arm: 'C', factor: 2 ** 20, shift: 0 }, 'F32'],
    ['F16', { arm: 'E', factor: 2, shift: 0 }, 'F32'],
  ] as const)('%s corrected by %o is written as %s', async (stored, correction, written) => {
    const source = await half(`${stored}${correction.arm}${correction.factor}`, stored);
    const output = `${source} out`;
    const { dtype } = await withModel(source, (model) => rescale(model, output, correction));
    expect(dtype).toBe(written);
    const model = await openModelFolder(output);
    expect([...model.checkpoint.tensors.values()].every((tensor) => tensor.dtype === written)).toBe(true);
    await model.close();
  });
});

describe('corrections that are refused', () => {
  it.each([
    ['a factor of 0', { arm: 'C', factor: 0, shift: 0 }, {}, /a factor from 1e-12 to 1e12, got 0/],
    ['a negative factor', { arm: 'C', factor: -2, shift: 0 }, {}, /got -2/],
    ['a factor that is not a number', { arm: 'C', factor: Number.NaN, shift: 0 }, {}, /got NaN/],
    ['an infinite factor', { arm: 'C', factor: Number.POSITIVE_INFINITY, shift: 0 }, {}, /got Infinity/],
    ['a shift that is not a number', { arm: 'D', factor: 1, shift: Number.NaN }, {}, /a finite shift/],
    ['a shift without arm D', { arm: 'C', factor: 2, shift: 1 }, {}, /arm C has no shift/],
    ['an unknown arm', { arm: 'F' as 'E', factor: 2, shift: 0 }, {}, /an arm from A, B, C, D, E/],
    ['rows in a LayerNorm', { arm: 'E', factor: 2, shift: 0 }, { route: 'norm' }, /no LayerNorm can hold/],
    ['a route for arm A', { arm: 'A', factor: 2, shift: 0 }, { route: 'untied' }, /arm A scales the shared matrix/],
  ] as const)('%s', async (_title, correction, options, message) => {
    const attempt = withModel(tinyModel, (model) => rescale(model, at('never'), correction, options));
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toMatchObject({ code: 'USAGE' });
    expect(existsSync(at('never'))).toBe(false);
  });
});
