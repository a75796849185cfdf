/** Fine-tuning a small model on onnxruntime, end to end in this process. */
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModelFolder } from '../../src/checkpoint/layouts/model-folder.ts';
import type { Document } from '../../src/data/document.ts';
import { SparseEncoder } from '../../src/model/sparse-encoder.ts';
import { evaluateOnDev } from '../../src/train/dev-evaluation.ts';
import { type FinetuneOptions, type FinetuneResult, finetune, forecastFinetune } from '../../src/train/finetune.ts';
import type { FinetuneSettings } from '../../src/train/finetune-config.ts';
import { type MetricsRow, readMetrics } from '../../src/train/metrics-log.ts';
import { copyTinyModel, tinyModel } from '../fixtures/model-folders.ts';
import { devCollection, examples, weightsHash } from './training-data.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray finetune '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const settings: FinetuneSettings = {
  epochs: 8,
  batchSize: 5,
  learningRate: 1e-3,
  temperature: 0.2,
  dropoutRate: 0,
  logEvery: 1,
  saveEvery: 6,
  seed: 1,
};

let runs = 0;
const freshOutput = (): string => join(folder, `run ${runs++}`, 'model');

function train(output: string, more: Partial<FinetuneOptions> = {}): Promise<FinetuneResult> {
  return finetune({
    model: tinyModel,
    output,
    examples,
    threads: 1,
    ...more,
    settings: { ...settings, ...more.settings },
  });
}

/** Everything of a log but the clock. */
function withoutClock(rows: readonly MetricsRow[]): Record<string, number>[] {
  return rows.map(({ seconds: _, tokens_per_second: __, ...row }) => row);
}

const metricsOf = (output: string): Promise<MetricsRow[]> => readMetrics(join(`${output}.training`, 'metrics.jsonl'));

describe('a training run', () => {
  const output = (): string => join(folder, 'plain', 'model');
  let result: FinetuneResult;
  beforeAll(async () => {
    result = await train(output());
  });

  it('lowers the loss', async () => {
    const losses = (await metricsOf(output())).map((row) => row.base_loss!);
    expect(result.steps).toBe(32);
    expect(losses).toHaveLength(32);
    const mean = (values: number[]): number => values.reduce((a, b) => a + b) / values.length;
    expect(mean(losses.slice(-4))).toBeLessThan(0.6 * mean(losses.slice(0, 4)));
    // Ten documents a batch: better than a guess.
    expect(mean(losses.slice(-4))).toBeLessThan(0.85 * Math.log(10));
  });

  it('logs what happens, step by step', async () => {
    const rows = await metricsOf(output());
    expect(rows.map(({ step }) => step)).toEqual(Array.from({ length: 32 }, (_, i) => i + 1));
    expect(rows.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 32 }, (_, i) => Math.floor(i / 4)));
    const rates = rows.map((row) => row.learning_rate!);
    expect(Math.max(...rates)).toBe(1e-3);
    expect(rates[0]).toBeCloseTo(1e-3 / 3, 12);
    const ramp = rows.map((row) => row.document_regularizer_loss!);
    expect(ramp[0]).toBeLessThan(ramp[10]! / 10);
    for (const row of rows) {
      expect(row.loss).toBeCloseTo(row.base_loss! + row.query_regularizer_loss! + row.document_regularizer_loss!, 4);
      expect(row.grad_norm).toBeGreaterThan(0);
      expect(row.query_active_dims).toBeGreaterThan(0);
      expect(row.document_active_dims).toBeGreaterThan(0);
      expect(row.tokens_per_second).toBeGreaterThan(0);
    }
  });

  it('leaves a model that encodes, and of its state settings and metrics only', async () => {
    await using encoder = await SparseEncoder.load(output(), { threads: 1 });
    const { indices, values } = await encoder.encodeOne('rain', { kind: 'query' });
    expect(indices.length).toBeGreaterThan(0);
    expect(values.every((value) => value > 0 && Number.isFinite(value))).toBe(true);
    const left = (await readdir(`${output()}.training`)).filter((name) => !name.startsWith('events.out.tfevents.'));
    expect(left.sort()).toEqual(['config.json', 'head.json', 'metrics.jsonl']);
    expect((await readdir(join(output(), '..'))).sort()).toEqual(['model', 'model.training']);
    const model = await openModelFolder(output());
    await model.close();
    expect(model.manifest).toMatchObject({ seed: 1, config: { batchSize: 5, steps: 32 } });
    expect(Object.keys(model.manifest!.parents)).toEqual(['model', 'data']);
  });

  it('is the same in every bit when it is repeated', async () => {
    const again = freshOutput();
    await train(again);
    expect(await weightsHash(again)).toBe(await weightsHash(output()));
    expect(withoutClock(await metricsOf(again))).toEqual(withoutClock(await metricsOf(output())));
    const other = freshOutput();
    await train(other, { settings: { seed: 2 } });
    expect(await weightsHash(other)).not.toBe(await weightsHash(output()));
  });
});

describe('what the model records', () => {
  it('is kept: prompts, special tokens, titles, casing; and the longer of the lengths of the run', async () => {
    const policy = {
      format: 'lexray-policy',
      version: 1,
      specialTokens: 'drop',
      prompts: { query: 'find ', document: 'read ' },
      titleSeparator: ' - ',
      casing: 'lower',
      maxLength: { query: 20, document: 30 },
    };
    const model = await copyTinyModel(join(folder, 'with policy'), { files: { 'lexray.json': policy } });
    const output = freshOutput();
    await train(output, { model, settings: { maxSteps: 2, queryMaxLength: 8, documentMaxLength: 12 } });
    const trained = await openModelFolder(output);
    await trained.close();
    const { format: _, version: __, ...recorded } = policy;
    expect(trained.policy).toEqual({ ...recorded, maxLength: { query: 12, document: 12 } });
    expect(trained.maxSequenceLength).toBe(12);
    expect(trained.pooling).toEqual({ strategy: 'max', activation: 'relu' });
  });

  it('limits the lengths of the run', async () => {
    await expect(train(freshOutput(), { settings: { queryMaxLength: 65 } })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('at most 64'),
    });
  });
});

describe('with dev queries', () => {
  it('keeps the step that is best on them', async () => {
    const output = freshOutput();
    const dev = devCollection();
    const { best } = await train(output, { dev, settings: { evaluateEvery: 4, devMeasure: 'mrr@5' } });
    const rows = (await metricsOf(output)).filter((row) => row['eval_dot_mrr@5'] !== undefined);
    expect(rows.map(({ step }) => step)).toEqual([4, 8, 12, 16, 20, 24, 28, 32]);
    const values = rows.map((row) => row['eval_dot_mrr@5']!);
    const highest = Math.max(...values);
    expect(best).toEqual({ step: rows[values.indexOf(highest)]!.step, value: highest });
    expect(highest).toBeGreaterThan(values[0]!);
    await using encoder = await SparseEncoder.load(output, { threads: 1 });
    const { measures, documentActiveDims } = await evaluateOnDev(encoder, dev, ['RR@5']);
    expect(measures.get('RR@5')).toBeCloseTo(highest, 12);
    expect(documentActiveDims).toBeCloseTo(rows[values.indexOf(highest)]!.eval_corpus_active_dims!, 6);
  });

  it('keeps an early step where training does harm', async () => {
    const good = freshOutput();
    await train(good);
    const output = freshOutput();
    const wrong = examples.map(({ query }, i) => ({
      query,
      positive: examples[(i + 3) % 20]!.positive,
      negatives: [],
    }));
    const dev = devCollection();
    const { best } = await train(output, { model: good, examples: wrong, dev, settings: { evaluateEvery: 2 } });
    expect(best!.step).toBeLessThan(16);
    const rows = (await metricsOf(output)).filter((row) => row['eval_dot_ndcg@10'] !== undefined);
    expect(rows.at(-1)!['eval_dot_ndcg@10']).toBeLessThan(best!.value);
    await using encoder = await SparseEncoder.load(output, { threads: 1 });
    const { measures } = await evaluateOnDev(encoder, dev, ['nDCG@10']);
    expect(measures.get('nDCG@10')).toBeCloseTo(best!.value, 12);
  });

  it('refuses a measure that there is not, before it trains', async () => {
    const output = freshOutput();
    await expect(train(output, { dev: devCollection(), settings: { devMeasure: 'bpref' } })).rejects.toMatchObject({
      code: 'USAGE',
    });
    expect(existsSync(`${output}.training`)).toBe(false);
  });
});

describe('an interrupted run', () => {
  const more = { dev: devCollection(), settings: { evaluateEvery: 5, saveEvery: 4, maxSteps: 16, dropoutRate: 0.1 } };
  let wanted: { weights: string; metrics: unknown };
  beforeAll(async () => {
    const output = freshOutput();
    await train(output, more);
    wanted = { weights: await weightsHash(output), metrics: withoutClock(await metricsOf(output)) };
  });

  /** Trains until `abort` says so at a step. */
  async function interrupt(output: string, stop: number, resume = false): Promise<void> {
    const controller = new AbortController();
    const attempt = train(output, {
      ...more,
      resume,
      signal: controller.signal,
      onProgress: ({ phase, done }) => {
        if (phase === 'train' && done === stop) controller.abort();
      },
    });
    await expect(attempt).rejects.toMatchObject({
      code: 'INTERRUPTED',
      message: `interrupted after step ${stop} of 16, which is saved`,
      cure: expect.stringContaining('--resume'),
    });
    expect(existsSync(output)).toBe(false);
  }

  it.each([1, 4, 5, 7, 16])('goes on after step %i as if nothing had been', async (stop) => {
    const output = freshOutput();
    await interrupt(output, stop);
    await train(output, { ...more, resume: true });
    expect(await weightsHash(output)).toBe(wanted.weights);
    expect(withoutClock(await metricsOf(output))).toEqual(wanted.metrics);
  });

  it('may be interrupted again and again', async () => {
    const output = freshOutput();
    await interrupt(output, 3);
    await interrupt(output, 6, true);
    await interrupt(output, 10, true);
    await train(output, { ...more, resume: true });
    expect(await weightsHash(output)).toBe(wanted.weights);
    expect(withoutClock(await metricsOf(output))).toEqual(wanted.metrics);
  });

  it('makes up for an evaluation in which it was interrupted', async () => {
    const output = freshOutput();
    const controller = new AbortController();
    let evaluations = 0;
    const dev = devCollection(async function* (): AsyncGenerator<Document> {
      if (++evaluations === 2) controller.abort();
      yield* devCollection().documents();
    });
    await expect(train(output, { ...more, dev, signal: controller.signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
      message: 'interrupted after step 10 of 16, which is saved',
    });
    await train(output, { ...more, resume: true });
    expect(await weightsHash(output)).toBe(wanted.weights);
    expect(withoutClock(await metricsOf(output))).toEqual(wanted.metrics);
  });

  it('keeps its work when an evaluation fails', async () => {
    const output = freshOutput();
    const dev = devCollection(async function* (): AsyncGenerator<Document> {
      yield { docid: 'd0', title: '', text: 'rain' };
      throw new Error('the corpus broke');
    });
    await expect(train(output, { ...more, dev })).rejects.toThrow('the corpus broke');
    await train(output, { ...more, resume: true });
    expect(await weightsHash(output)).toBe(wanted.weights);
    expect(withoutClock(await metricsOf(output))).toEqual(wanted.metrics);
  });

  it('goes on from the checkpoint before a damaged one, when that is removed', async () => {
    const output = freshOutput();
    await interrupt(output, 7);
    const checkpoints = (await readdir(`${output}.training`)).filter((name) => name.startsWith('checkpoint')).sort();
    expect(checkpoints).toEqual(['checkpoint-00000005', 'checkpoint-00000007']);
    const newest = join(`${output}.training`, checkpoints[1]!);
    await writeFile(join(newest, 'state.json'), '{');
    await expect(train(output, { ...more, resume: true })).rejects.toMatchObject({ code: 'BAD_INPUT', where: newest });
    await rm(newest, { recursive: true });
    await train(output, { ...more, resume: true });
    expect(await weightsHash(output)).toBe(wanted.weights);
  });

  it('does not go on with anything else', async () => {
    const output = freshOutput();
    await interrupt(output, 2);
    const attempt = (changed: Partial<FinetuneOptions>): Promise<FinetuneResult> =>
      train(output, { ...more, resume: true, ...changed, settings: { ...more.settings, ...changed.settings } });
    await expect(attempt({ settings: { learningRate: 1e-4, batchSize: 4 } })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: 'the run to resume had other settings: batchSize (was 5, is 4), learningRate (was 0.001, is 0.0001)',
    });
    await expect(attempt({ examples: examples.slice(1) })).rejects.toThrow(/other settings: data \(/);
    await expect(attempt({ dev: { ...more.dev, queries: more.dev.queries.slice(1) } })).rejects.toThrow(/: dev \(/);
    await expect(attempt({ dev: undefined })).rejects.toThrow(/: dev \(was .*, is undefined/);
    const model = await copyTinyModel(join(folder, 'other weights'), {
      tensors: ([first, ...rest]) => [{ ...first!, data: first!.data.map((x) => x + 1e-3) }, ...rest],
    });
    await expect(attempt({ model })).rejects.toThrow(/: model \(/);
    await writeFile(join(`${output}.training`, 'config.json'), '{"batchSize"');
    await expect(attempt({})).rejects.toMatchObject({ code: 'BAD_INPUT', message: /are not JSON/ });
  });

  it('starts anew where there is no checkpoint yet, and says so', async () => {
    const output = freshOutput();
    const warnings: string[] = [];
    await train(output, { ...more, resume: true, onWarning: (message) => warnings.push(message) });
    expect(warnings).toEqual(['there is no checkpoint yet: the run starts at step 1']);
    expect(await weightsHash(output)).toBe(wanted.weights);
  });

  it('before its first step leaves nothing', async () => {
    const output = freshOutput();
    await expect(train(output, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(existsSync(join(output, '..'))).toBe(false);
  });
});

describe('what is in the way', () => {
  const short = { settings: { maxSteps: 2 } };

  it('is left alone: an output', async () => {
    const output = freshOutput();
    await mkdir(output, { recursive: true });
    await writeFile(join(output, 'mine.txt'), 'mine');
    await expect(train(output, short)).rejects.toMatchObject({
      code: 'USAGE',
      cure: expect.stringContaining('--force'),
    });
    expect(await readdir(output)).toEqual(['mine.txt']);
    expect(existsSync(`${output}.training`)).toBe(false);
    await expect(train(output, { ...short, force: true })).rejects.toMatchObject({ code: 'USAGE' });
    expect(await readdir(output)).toEqual(['mine.txt']);
    await writeFile(join(output, 'manifest.json'), JSON.stringify({ format: 'lexray-model', version: 1 }));
    await train(output, { ...short, force: true });
    expect(await readdir(output)).toContain('model.safetensors');
    expect(await readdir(output)).not.toContain('mine.txt');
  });

  it('is left alone: a file of that name', async () => {
    const output = freshOutput();
    await mkdir(join(output, '..'), { recursive: true });
    await writeFile(output, 'mine');
    await expect(train(output, short)).rejects.toMatchObject({ code: 'USAGE' });
    expect(await readFile(output, 'utf8')).toBe('mine');
  });

  it('is left alone: the state of an earlier run', async () => {
    const output = freshOutput();
    await mkdir(`${output}.training`, { recursive: true });
    await writeFile(join(`${output}.training`, 'config.json'), '{}');
    await expect(train(output, short)).rejects.toMatchObject({ code: 'USAGE', cure: /--resume .* --force/ });
    expect(await readFile(join(`${output}.training`, 'config.json'), 'utf8')).toBe('{}');
    const absent = join(folder, 'absent model');
    await expect(train(output, { ...short, force: true, model: absent })).rejects.toMatchObject({ code: 'BAD_INPUT' });
    expect(await readFile(join(`${output}.training`, 'config.json'), 'utf8')).toBe('{}');
    await train(output, { ...short, force: true });
    expect(JSON.parse(await readFile(join(`${output}.training`, 'config.json'), 'utf8'))).toMatchObject({
      maxSteps: 2,
    });
  });

  it('may be the model itself, when it is to be replaced', async () => {
    const model = await copyTinyModel(join(folder, 'in place'));
    const before = await weightsHash(model);
    await writeFile(join(model, 'manifest.json'), JSON.stringify({ format: 'lexray-model', version: 1 }));
    await train(model, { ...short, model, force: true });
    expect(await weightsHash(model)).not.toBe(before);
    await using encoder = await SparseEncoder.load(model, { threads: 1 });
    expect(encoder.dimensions).toBe(118);
  });
});

describe('a run that fails', () => {
  it('stops at the step whose loss is not finite, and leaves no model', async () => {
    const output = freshOutput();
    await expect(train(output, { settings: { learningRate: 1e30 } })).rejects.toMatchObject({
      code: 'GATE',
      message: expect.stringMatching(/^step \d+: not finite: .*grad_norm \((NaN|Infinity)\)/),
      cure: expect.stringContaining('lower the learning rate'),
    });
    expect(existsSync(output)).toBe(false);
    expect((await readdir(join(output, '..'))).sort()).toEqual(['model.training']);
  });

  it('says so where an evaluation finds weights that are not finite', async () => {
    const output = freshOutput();
    const failed = train(output, { dev: devCollection(), settings: { learningRate: 1e30, evaluateEvery: 1 } });
    await expect(failed).rejects.toMatchObject({
      code: 'FAILED',
      message: expect.stringMatching(/^the model gives the weight (NaN|Infinity)/),
    });
    expect(existsSync(output)).toBe(false);
  });

  it('writes no model that cannot encode, as the last step may leave one', async () => {
    const output = freshOutput();
    const failed = train(output, { settings: { learningRate: 1e39, maxSteps: 1, warmupRatio: 1 } });
    await expect(failed).rejects.toMatchObject({
      code: 'FAILED',
      message: expect.stringMatching(/^the trained model cannot encode: the model gives the weight/),
    });
    expect((await readdir(join(output, '..'))).sort()).toEqual(['model.training']);
  });

  it('leaves no half model when it cannot be written, and can be resumed', async () => {
    const wanted = freshOutput();
    await train(wanted);
    const model = await copyTinyModel(join(folder, 'vanishing'));
    const output = freshOutput();
    let gone: Promise<void> | undefined;
    const failed = train(output, {
      model,
      onProgress: ({ phase, done }) => {
        if (phase === 'train' && done === 20)
          gone = rm(join(model, 'tokenizer.json')).then(() => rm(join(model, 'vocab.txt')));
      },
    });
    await expect(failed).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await gone;
    expect((await readdir(join(output, '..'))).sort()).toEqual(['model.training']);
    for (const name of ['tokenizer.json', 'vocab.txt']) await cp(join(tinyModel, name), join(model, name));
    await train(output, { model, resume: true });
    expect(await weightsHash(output)).toBe(await weightsHash(wanted));
  });
});

describe('models that do not fit', () => {
  const head = /^cls\./;
  it.each([
    ['no folder', undefined, /there is no folder/],
    [
      'no MLM head',
      { tensors: (tensors: { name: string }[]) => tensors.filter(({ name }) => !head.test(name)) },
      /cls\.predictions/,
    ],
    ['an unknown family', { config: { model_type: 'abacus' } }, /abacus/],
    ['a head of another width', { config: { vocab_size: 100 } }, /100/],
    ['no tokenizer', { files: { 'tokenizer.json': undefined, 'vocab.txt': undefined } }, /tokenizer/],
    ['sum pooling', { files: { '1_SpladePooling/config.json': { pooling_strategy: 'sum' } } }, /max pooling/],
  ])('%s: refused, and nothing written', async (title, changes, message) => {
    const model = join(folder, title);
    if (changes) await copyTinyModel(model, changes as Parameters<typeof copyTinyModel>[1]);
    const output = freshOutput();
    await expect(train(output, { model })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message),
    });
    expect(existsSync(join(output, '..'))).toBe(false);
  });

  it('a tokenizer wider than the head: refused', async () => {
    const tokenizer = JSON.parse(await readFile(join(tinyModel, 'tokenizer.json'), 'utf8')) as {
      model: { vocab: Record<string, number> };
    };
    tokenizer.model.vocab.umbrella = 118;
    const model = await copyTinyModel(join(folder, 'wide'), { files: { 'tokenizer.json': tokenizer } });
    await expect(train(freshOutput(), { model })).rejects.toThrow(/tokenizer and head of different width/);
  });

  it('too few queries: refused', async () => {
    await expect(train(freshOutput(), { examples: examples.slice(0, 1) })).rejects.toThrow(/at least two/);
  });
});

describe('forecastFinetune', () => {
  it('tells steps and time, and changes nothing', async () => {
    const before = await readdir(folder);
    const forecast = await forecastFinetune({ model: tinyModel, examples, settings, threads: 1 });
    expect(forecast.steps).toBe(32);
    expect(forecast.parameters).toBe(24_278);
    expect(forecast.secondsPerStep).toBeGreaterThan(0);
    expect(forecast.seconds).toBeCloseTo(32 * forecast.secondsPerStep, 9);
    expect(forecast.memoryBytes).toBeGreaterThan(1e7);
    expect(await readdir(folder)).toEqual(before);
  });
});
