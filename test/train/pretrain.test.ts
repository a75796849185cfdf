/** Pre-training a small model on onnxruntime, end to end in this process. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModelFolder } from '../../src/checkpoint/layouts/model-folder.ts';
import { SparseEncoder } from '../../src/model/sparse-encoder.ts';
import { type MetricsRow, readMetrics } from '../../src/train/metrics-log.ts';
import {
  forecastPretrain,
  type PretrainOptions,
  type PretrainResult,
  pretrain,
} from '../../src/train/pretrain/pretrain.ts';
import type { PretrainSettings } from '../../src/train/pretrain/pretrain-config.ts';
import { Random } from '../../src/util/random.ts';
import { tinyModel } from '../fixtures/model-folders.ts';
import { weightsHash } from './training-data.ts';

let folder = '';
let texts: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray pretrain '));
  texts = [await writeTexts('a.txt', 150, 1), await writeTexts('b.txt', 60, 2)];
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Sentences in which a word tells the next one, so that there is something to learn. */
async function writeTexts(name: string, lines: number, seed: number): Promise<string> {
  const words = 'weather rain sunny snow warm cold city river stone house garden red blue dog cat bird'.split(' ');
  const random = new Random(seed);
  const path = join(folder, name);
  const line = (): string => {
    const start = random.integer(words.length);
    return Array.from({ length: 6 + random.integer(6) }, (_, i) => words[(start + 3 * i) % words.length]).join(' ');
  };
  await writeFile(path, Array.from({ length: lines }, () => `${line()}\n`).join(''));
  return path;
}

const settings: PretrainSettings = {
  steps: 24,
  length: 16,
  arrangement: 'cut',
  batchSize: 8,
  learningRate: 5e-3,
  heldOutShare: 0.1,
  heldOutSequences: 24,
  statisticsTexts: 3,
  evaluateEvery: 12,
  logEvery: 1,
  saveEvery: 7,
  seed: 3,
};

let runs = 0;
const freshOutput = (): string => join(folder, `run ${runs++}`, 'model');

function train(output: string, more: Partial<PretrainOptions> = {}): Promise<PretrainResult> {
  return pretrain({
    start: { model: tinyModel },
    texts,
    output,
    threads: 1,
    ...more,
    settings: { ...settings, ...more.settings },
  });
}

const metricsOf = (output: string): Promise<MetricsRow[]> => readMetrics(join(`${output}.training`, 'metrics.jsonl'));
const withoutClock = (rows: readonly MetricsRow[]): Record<string, number>[] =>
  rows.map(({ seconds: _, tokens_per_second: __, ...row }) => row);

describe('a pre-training run', () => {
  const output = (): string => join(folder, 'plain', 'model');
  let result: PretrainResult;
  beforeAll(async () => {
    result = await train(output());
  });

  it('learns to predict what is held out', async () => {
    const rows = await metricsOf(output());
    const evaluations = rows.filter((row) => row.eval_loss !== undefined);
    expect(evaluations[0]!.step).toBe(0);
    expect(evaluations).toHaveLength(3);
    expect(evaluations.at(-1)!.eval_loss).toBeLessThan(0.75 * evaluations[0]!.eval_loss!);
    expect(evaluations.at(-1)!.eval_accuracy).toBeGreaterThan(evaluations[0]!.eval_accuracy! + 0.05);
    expect(result.evaluation.accuracy).toBe(evaluations.at(-1)!.eval_accuracy);
    for (const name of [
      'doc_score_avg_10',
      'doc_score_std_all',
      'logit_score_std',
      'non_neg_terms_avg',
      'score_entropy',
    ])
      expect(evaluations.at(-1)![`eval_${name}`], name).toBeTypeOf('number');
  });

  it('logs what happens, step by step', async () => {
    const rows = (await metricsOf(output())).filter((row) => row.loss !== undefined);
    expect(rows.map(({ step }) => step)).toEqual(Array.from({ length: 24 }, (_, i) => i + 1));
    expect(rows.at(-1)!.tokens).toBe(result.tokens);
    for (const row of rows) {
      expect(row.grad_norm).toBeGreaterThan(0);
      expect(row.tokens_per_second).toBeGreaterThan(0);
      expect(row.masked_share).toBeGreaterThan(0.08);
      expect(row.masked_share).toBeLessThan(0.25);
    }
    const rates = rows.map((row) => row.learning_rate!);
    expect(Math.max(...rates)).toBeLessThanOrEqual(5e-3);
    expect(rates.indexOf(Math.max(...rates))).toBeLessThan(3);
    expect(rates.at(-1)).toBeGreaterThan(0);
    expect(rates.at(-1)).toBeLessThan(2e-4);
  });

  it('leaves a model that encodes, with a card, and of its state settings and metrics only', async () => {
    await using encoder = await SparseEncoder.load(output(), { threads: 1 });
    const { values } = await encoder.encodeOne('rain', { kind: 'query' });
    expect(values.every((value) => Number.isFinite(value))).toBe(true);
    const left = (await readdir(`${output()}.training`)).filter((name) => !name.startsWith('events.out.tfevents.'));
    expect(left.sort()).toEqual(['config.json', 'metrics.jsonl']);
    const model = await openModelFolder(output());
    await model.close();
    expect(model.manifest).toMatchObject({ seed: 3, config: { batchSize: 8, steps: 24 } });
    const card = await readFile(join(output(), 'README.md'), 'utf8');
    for (const said of ['a.txt', `${result.tokens} tokens`, '24 steps', 'accuracy at masks'])
      expect(card).toContain(said);
  });

  it('is the same in every bit when it is repeated', async () => {
    const again = freshOutput();
    await train(again);
    expect(await weightsHash(again)).toBe(await weightsHash(output()));
    expect(withoutClock(await metricsOf(again))).toEqual(withoutClock(await metricsOf(output())));
    const other = freshOutput();
    await train(other, { settings: { seed: 4, steps: 2 } });
    const [mine, theirs] = [await metricsOf(other), await metricsOf(output())];
    expect(mine[1]!.loss).not.toBe(theirs[1]!.loss);
    // What is held out does not depend on the seed.
    expect(mine[0]!.eval_loss).toBe(theirs[0]!.eval_loss);
  });

  it.each([1, 7, 20])('goes on after step %i as if nothing had been', async (last) => {
    const resumed = freshOutput();
    const stop = new AbortController();
    const onMetrics = ({ step, loss }: MetricsRow): void => {
      if (step === last && loss !== undefined) stop.abort();
    };
    await expect(train(resumed, { signal: stop.signal, onMetrics })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await train(resumed, { resume: true });
    expect(withoutClock(await metricsOf(resumed))).toEqual(withoutClock(await metricsOf(output())));
    expect(await weightsHash(resumed)).toBe(await weightsHash(output()));
  });
});

describe('tokens', () => {
  it('end the run where there are enough of them, repeated as asked for', async () => {
    const output = freshOutput();
    const { tokens, passes } = await train(output, { settings: { steps: undefined, tokens: 3000, repeat: 3 } });
    expect(tokens).toBeGreaterThanOrEqual(3000);
    expect(tokens).toBeLessThan(3000 + 8 * 16);
    expect(passes).toBe(3);
  });

  it('must be there in the texts when they are to be different', async () => {
    await expect(
      train(freshOutput(), { settings: { steps: undefined, tokens: 10_000, repeat: 2 } }),
    ).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringMatching(/have \d+ tokens, 5000 different/) });
  });
});

describe('a run from scratch', () => {
  it.each(['bert', 'modernbert'] as const)('makes a %s for a tokenizer', async (type) => {
    const output = freshOutput();
    const { parameters } = await train(output, {
      start: { create: { type, tokenizer: tinyModel, layers: 1, hidden: 16, heads: 2, positions: 32 } },
      settings: { steps: 3, arrangement: 'pack', units: 'words', replacement: 'mask', accumulationSteps: 2 },
    });
    const model = await openModelFolder(output);
    expect(model.checkpoint.config).toMatchObject({ model_type: type, hidden_size: 16, num_hidden_layers: 1 });
    await model.close();
    expect(parameters).toBeGreaterThan(1000);
  });
});

describe('what is refused', () => {
  it.each<[string, Partial<PretrainOptions>, string]>([
    ['neither tokens nor steps', { settings: { steps: undefined } }, 'either tokens or steps'],
    ['longer sequences than the model takes', { settings: { length: 65 } }, 'at most 64'],
    ['unigrams for a model of pieces', { settings: { units: 'unigrams' } }, 'no output vocabulary'],
  ])('%s', async (_title, options, message) => {
    await expect(train(freshOutput(), options)).rejects.toThrow(message);
  });

  it('texts that are too short', async () => {
    const path = join(folder, 'short.txt');
    await writeFile(path, 'a\nb\nc\n');
    await expect(train(freshOutput(), { texts: [path] })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});

it('tells what a run would take, and changes nothing', async () => {
  const before = await readdir(folder);
  const forecast = await forecastPretrain({ start: { model: tinyModel }, texts, threads: 1, settings });
  expect(forecast.seconds).toBeGreaterThan(0);
  expect(forecast.tokensPerSecond).toBeGreaterThan(0);
  expect(await readdir(folder)).toEqual(before);
});
