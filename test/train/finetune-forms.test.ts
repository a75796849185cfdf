/** Forms of fine-tuning beside the plain one: encoders for each side, corrected heads, cached gradients, several batches a step. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModelFolder } from '../../src/checkpoint/layouts/model-folder.ts';
import { SparseEncoder } from '../../src/model/sparse-encoder.ts';
import { type FinetuneOptions, type FinetuneResult, finetune } from '../../src/train/finetune.ts';
import type { FinetuneSettings } from '../../src/train/finetune-config.ts';
import { readMetrics } from '../../src/train/metrics-log.ts';
import { tinyModel } from '../fixtures/model-folders.ts';
import { examples } from './training-data.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray forms '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const settings: FinetuneSettings = {
  batchSize: 5,
  maxSteps: 4,
  epochs: 8,
  learningRate: 1e-3,
  dropoutRate: 0,
  logEvery: 1,
};

function train(name: string, more: FinetuneSettings, options: Partial<FinetuneOptions> = {}): Promise<FinetuneResult> {
  const output = join(folder, name);
  return finetune({ model: tinyModel, output, examples, threads: 1, ...options, settings: { ...settings, ...more } });
}

async function weightsIn(path: string): Promise<Map<string, Float32Array>> {
  const model = await openModelFolder(path);
  const weights = new Map<string, Float32Array>();
  for await (const { name, data } of model.checkpoint.loadWeights()) weights.set(name, data);
  await model.close();
  return weights;
}

function largestDifference(a: Map<string, Float32Array>, b: Map<string, Float32Array>): number {
  expect([...a.keys()]).toEqual([...b.keys()]);
  return Math.max(...[...a].flatMap(([name, x]) => [...x].map((value, i) => Math.abs(value - b.get(name)![i]!))));
}

describe('the queries of a run', () => {
  it('may have a table of token weights: idf at first, then trained, and no model', async () => {
    await train('static', { queryEncoder: 'static' });
    const model = await openModelFolder(join(folder, 'static'));
    expect(model.query.kind).toBe('static');
    await model.close();
    await train('static still', { queryEncoder: 'static', learningRate: 0 });
    const weightOf = async (name: string): Promise<number> => {
      await using encoder = await SparseEncoder.load(join(folder, name), { threads: 1 });
      const { indices, values } = await encoder.encodeOne('rain rain', { kind: 'query' });
      expect(indices.length).toBe(1);
      return values[0]!;
    };
    const idf = await weightOf('static still');
    const trained = await weightOf('static');
    expect(idf).toBeGreaterThan(0);
    expect(Math.abs(trained - idf)).toBeGreaterThan(1e-4);
    expect(Math.abs(trained - idf)).toBeLessThan(0.1);
    // A model that has such a table keeps it, without being told.
    await train('static again', {}, { model: join(folder, 'static') });
    expect(await weightOf('static again')).not.toBe(trained);
  });

  it('may have an encoder of their own, which starts as a copy', async () => {
    await train('separate', { queryEncoder: 'separate' });
    const model = await openModelFolder(join(folder, 'separate'));
    expect(model.query.kind).toBe('encoder');
    await model.close();
    await train('separate still', { queryEncoder: 'separate', learningRate: 0 });
    const vectors = async (name: string, kind: 'query' | 'document'): Promise<string> => {
      await using encoder = await SparseEncoder.load(join(folder, name), { threads: 1 });
      const { indices, values } = await encoder.encodeOne('rain in the city', { kind });
      return [...indices].map((term, i) => `${term}:${values[i]!.toFixed(4)}`).join(' ');
    };
    expect(await vectors('separate still', 'query')).toBe(await vectors('separate still', 'document'));
    expect(await vectors('separate', 'query')).not.toBe(await vectors('separate', 'document'));
    expect(await vectors('separate', 'query')).not.toBe(await vectors('separate still', 'query'));
  });
});

describe('the head of a run', () => {
  it('may be divided by a number before the first step, which the manifest tells', async () => {
    const warnings: string[] = [];
    await train('divided', { calibrate: 4, learningRate: 0 }, { onWarning: (message) => warnings.push(message) });
    expect(warnings.join()).toContain('the head is corrected: arm C factor 4');
    const [before, after] = [await weightsIn(tinyModel), await weightsIn(join(folder, 'divided'))];
    const name = 'cls.predictions.transform.LayerNorm.weight';
    expect([...after.get(name)!]).toEqual([...before.get(name)!].map((x) => x / 4));
    const manifest = JSON.parse(await readFile(join(folder, 'divided', 'manifest.json'), 'utf8'));
    expect(manifest.config.head.corrections).toMatchObject([{ arm: 'C', factor: 4, found: { by: 'user' } }]);
    const kept = JSON.parse(await readFile(join(folder, 'divided.training', 'head.json'), 'utf8'));
    expect(kept.correction).toMatchObject({ factor: 4, regularizerFactor: 1 });
  });

  it('is left alone by default, with a warning that names the command where it would collapse', async () => {
    const warnings: string[] = [];
    await train('inflated', { calibrate: 1 / 4096, learningRate: 0, maxSteps: 1, guard: { mode: 'off' } });
    const inflated = join(folder, 'inflated');
    const onWarning = (message: string): void => void warnings.push(message);
    await train('warned', { learningRate: 0, maxSteps: 1 }, { model: inflated, onWarning });
    expect(warnings.join('\n')).toMatch(
      /the head will die: .*\npass --calibrate auto, or run: lexray rescale .* --factor/,
    );
    expect(largestDifference(await weightsIn(inflated), await weightsIn(join(folder, 'warned')))).toBe(0);
    await train('repaired', { calibrate: 'auto', learningRate: 0, maxSteps: 1 }, { model: inflated, onWarning });
    const { correction } = JSON.parse(await readFile(join(folder, 'repaired.training', 'head.json'), 'utf8'));
    expect(correction.factor).toBeGreaterThan(10);
    expect(correction.after.scoreSpread).toBeLessThan(correction.before.scoreSpread);
    const manifest = JSON.parse(await readFile(join(folder, 'repaired', 'manifest.json'), 'utf8'));
    expect(manifest.config.head.corrections).toHaveLength(2);
  });

  it('may have a learned scale, which is folded into the folder', async () => {
    const oneStep = { maxSteps: 1, warmupRatio: 0, learningRateFloor: 1 };
    await train('learned', { ...oneStep, headScaleLearningRate: 0.1, learningRate: 1e-6 });
    const [before, after] = [await weightsIn(tinyModel), await weightsIn(join(folder, 'learned'))];
    const name = 'cls.predictions.transform.LayerNorm.weight';
    const ratios = [...after.get(name)!].map((x, i) => x / before.get(name)![i]!);
    expect(Math.max(...ratios) - Math.min(...ratios)).toBeLessThan(1e-3);
    // The first step of Adam has the size of the learning rate.
    expect(Math.abs(Math.log(ratios[0]!))).toBeCloseTo(0.1, 3);
  });
});

describe('controls of the scale of a head', () => {
  const norm = 'cls.predictions.transform.LayerNorm';
  const oneStep = { maxSteps: 1, warmupRatio: 0, learningRateFloor: 1, weightDecay: 0 };

  it('divide the logits while training, and the weights when they are written', async () => {
    // No step: the same model as one that was corrected before.
    await train('kept apart', { headDivisor: 4, learningRate: 0 });
    await train('corrected', { calibrate: 4, learningRate: 0 });
    const [apart, corrected] = [
      await weightsIn(join(folder, 'kept apart')),
      await weightsIn(join(folder, 'corrected')),
    ];
    expect(largestDifference(apart, corrected)).toBeLessThan(1e-6);
    const losses = async (name: string): Promise<number[]> =>
      (await readMetrics(join(folder, `${name}.training`, 'metrics.jsonl'))).map(({ base_loss }) => base_loss!);
    const wanted = await losses('corrected');
    (await losses('kept apart')).forEach((loss, i) => {
      expect(loss).toBeCloseTo(wanted[i]!, 5);
    });
  });

  it('leave the weights their size for Adam: a step moves them as far as without a divisor', async () => {
    const factor = 4;
    const stepOf = async (name: string, more: FinetuneSettings, size: number): Promise<Record<string, number>> => {
      await train(name, { ...oneStep, learningRate: 1e-4, ...more });
      const [before, after] = [await weightsIn(tinyModel), await weightsIn(join(folder, name))];
      const moved = (tensor: string): number => {
        const start = before.get(tensor)!;
        return Math.max(...[...after.get(tensor)!].map((x, i) => Math.abs(x * size - start[i]!)));
      };
      return {
        norm: moved(`${norm}.weight`),
        bias: moved('cls.predictions.bias'),
        body: moved('bert.embeddings.LayerNorm.weight'),
      };
    };
    // The first step of Adam is the learning rate, in the units of the variable as it is trained.
    const apart = await stepOf('apart', { headDivisor: factor }, factor);
    expect(apart.norm).toBeCloseTo(1e-4, 6);
    expect(apart.bias).toBeCloseTo(1e-4, 6);
    const corrected = await stepOf('before', { calibrate: factor }, factor);
    expect(corrected.norm).toBeCloseTo(factor * 1e-4, 6);
    // So does a head at k = 1 whose learning rate is multiplied by k.
    const faster = await stepOf('faster', { headLearningRateFactor: factor }, 1);
    expect(faster.norm).toBeCloseTo(factor * 1e-4, 6);
    expect(faster.bias).toBeCloseTo(factor * 1e-4, 6);
    const unscaled = await stepOf('unscaled', {}, 1);
    expect(faster.body).toBeCloseTo(unscaled.body!, 6);
  });

  it('count the norm of the gradient without the divisor, which has none', async () => {
    const gradients = async (name: string, more: FinetuneSettings): Promise<Record<string, number>> => {
      await train(name, { ...oneStep, learningRate: 0, ...more });
      return (await readMetrics(join(folder, `${name}.training`, 'metrics.jsonl')))[0]!;
    };
    const [constant, learned] = [
      await gradients('constant', { headDivisor: 4 }),
      await gradients('from there', { headDivisor: 4, headScaleLearningRate: 0 }),
    ];
    expect(constant.base_loss).toBe(learned.base_loss);
    expect(constant.grad_norm).toBeLessThan(learned.grad_norm!);
  });

  it('can be resumed', async () => {
    const controller = new AbortController();
    const more = { headDivisor: 4, dropoutRate: 0.1 };
    await train('whole run', more);
    const stopped = train('two parts', more, {
      signal: controller.signal,
      onProgress: ({ phase, done }) => phase === 'train' && done === 2 && controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await train('two parts', more, { resume: true });
    const [whole, parts] = [await weightsIn(join(folder, 'whole run')), await weightsIn(join(folder, 'two parts'))];
    expect(largestDifference(whole, parts)).toBe(0);
  });

  it('divide the heads of both encoders', async () => {
    const more = { headDivisor: 4, learningRate: 0, queryEncoder: 'separate' as const };
    await train('both', more);
    const vector = async (kind: 'query' | 'document'): Promise<number[]> => {
      await using encoder = await SparseEncoder.load(join(folder, 'both'), { threads: 1 });
      return [...(await encoder.encodeOne('rain in the city', { kind })).values];
    };
    expect(await vector('query')).toEqual(await vector('document'));
    await train('plain', { learningRate: 0 });
    await using plain = await SparseEncoder.load(join(folder, 'plain'), { threads: 1 });
    const { values } = await plain.encodeOne('rain in the city', { kind: 'query' });
    const quarter = [...values].map((x) => Math.log1p(Math.expm1(x) / 4));
    (await vector('query')).forEach((x, i) => {
      expect(x).toBeCloseTo(quarter[i]!, 5);
    });
  });

  it('match λ to the scale, as for a head that is corrected before', async () => {
    const matched = { matchRegularizers: true, learningRate: 0 };
    const kept = async (
      name: string,
    ): Promise<{ regularizerFactor?: number; correction?: { regularizerFactor: number } }> =>
      JSON.parse(await readFile(join(folder, `${name}.training`, 'head.json'), 'utf8'));
    // Halves of texts are compared, so that they need some words.
    const long = examples.map(({ query, positive, negatives }, i) => {
      const next = examples[(i + 1) % examples.length]!;
      return { query, positive: `${positive} ${query} ${next.positive} ${next.query}`, negatives };
    });
    await train('matched apart', { ...matched, headDivisor: 4 }, { examples: long });
    await train('matched before', { ...matched, calibrate: 4 }, { examples: long });
    const [apart, before] = [await kept('matched apart'), await kept('matched before')];
    expect(apart.regularizerFactor).toBeGreaterThan(1.5);
    expect(apart.regularizerFactor).toBeCloseTo(before.correction!.regularizerFactor, 6);
    const weight = async (name: string): Promise<number> =>
      (await readMetrics(join(folder, `${name}.training`, 'metrics.jsonl'))).at(-1)!.document_regularizer_weight!;
    expect(await weight('matched apart')).toBeCloseTo(1e-3 * apart.regularizerFactor!, 6);
  });

  it('are refused where they cannot be', async () => {
    await expect(train('two ways', { headDivisor: 4, calibrate: 4 })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('not both'),
    });
    await expect(train('too short', { headDivisor: 4, matchRegularizers: true })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('six words'),
    });
    await expect(train('tied', { headLearningRateFactor: 4, headLearningRateOf: 'decoder' })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('word embeddings'),
    });
  });
});

describe('the gradient of a step', () => {
  it('is the same from chunks as from the whole batch', async () => {
    await train('whole', {});
    await train('chunks', { gradientCacheChunk: 2 });
    const difference = largestDifference(
      await weightsIn(join(folder, 'whole')),
      await weightsIn(join(folder, 'chunks')),
    );
    // Adam turns rounding of gradients near 0 into steps of up to the learning rate.
    expect(difference).toBeLessThan(4e-3);
    const loss = async (name: string): Promise<number[]> =>
      (await readMetrics(join(folder, `${name}.training`, 'metrics.jsonl'))).map((row) => row.loss!);
    const [whole, chunks] = [await loss('whole'), await loss('chunks')];
    whole.forEach((value, i) => {
      expect(chunks[i]).toBeCloseTo(value, 4);
    });
  });

  it('may be the mean of several batches', async () => {
    const { steps } = await train('accumulated', { accumulationSteps: 3, maxSteps: 1, learningRate: 0 });
    expect(steps).toBe(1);
    await train('one by one', { maxSteps: 3, learningRate: 0 });
    const rows = async (name: string) => readMetrics(join(folder, `${name}.training`, 'metrics.jsonl'));
    const single = (await rows('one by one')).map((row) => row.base_loss!);
    const [together] = await rows('accumulated');
    expect(together!.base_loss).toBeCloseTo(single.reduce((sum, x) => sum + x, 0) / 3, 5);
    expect(together!.grad_norm).toBeLessThanOrEqual(
      Math.max(...(await rows('one by one')).map((row) => row.grad_norm!)) + 1e-6,
    );
  });
});

it('steers λ towards a number of active dimensions', async () => {
  await train('steered', { maxSteps: 30, epochs: 60, targetDocumentActiveDims: 1, documentRegularizerWeight: 1e-3 });
  const rows = await readMetrics(join(folder, 'steered.training', 'metrics.jsonl'));
  const weights = rows.map((row) => row.document_regularizer_weight!);
  expect(weights[0]).toBeCloseTo(1e-3, 5);
  expect(weights.at(-1)!).toBeGreaterThan(1.2e-3);
});

it('stops a run that is dead, with exit code 5 in mind, and can go on from there', async () => {
  const dead: FinetuneSettings = { calibrate: 1e6, learningRate: 0, maxSteps: 200, epochs: 1000, headCheck: true };
  const failed = train('dead', {
    ...dead,
    queryTopTerms: 1,
    documentRegularizerWeight: 0,
    guard: { minPatience: 3, constantSpread: 1 },
  });
  await expect(failed).rejects.toMatchObject({ code: 'GATE', message: expect.stringMatching(/^step \d+: /) });
});
