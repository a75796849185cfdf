/** `study` with cells that pre-train, as a user runs it: a small model, made-up texts, the collection of the example design. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { openCells } from '../../src/study/cells/registry.ts';
import type { ResultLine } from '../../src/study/result-line.ts';
import { Random } from '../../src/util/random.ts';
import { runInProcess } from './run-in-process.ts';
import { temporaryFolder } from './run-lexray.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);
const study = (...args: readonly string[]): ReturnType<typeof runInProcess> =>
  runInProcess('study', ...args, '--root', root, '--quiet');

async function writeTexts(name: string, lines: number, seed: number): Promise<string> {
  const words = 'weather rain sunny snow warm cold city river stone house garden red blue dog cat bird'.split(' ');
  const random = new Random(seed);
  const line = (): string => Array.from({ length: 12 }, () => words[random.integer(words.length)]).join(' ');
  await writeFile(at(name), Array.from({ length: lines }, () => `${line()}\n`).join(''));
  return at(name);
}

/** A design of pre-training: learning rates of both phases, on texts and held-out texts of the test. */
async function writeDesign(name: string, changes: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const data = 'studies/example-data';
  const fixed = {
    cell: 'pretrain',
    'pretrain.model': 'test/fixtures/tiny-model',
    'pretrain.texts': [at('texts.txt')],
    'pretrain.heldOut': { first: [at('held-out.txt')], second: [at('others.txt')] },
    'pretrain.tokens': 1200,
    'pretrain.length': 16,
    'pretrain.batchSize': 8,
    'pretrain.logEvery': 1,
    'pretrain.statisticsTexts': 8,
    'pretrain.heldOutSequences': 16,
    recipe: 'lexray',
    data,
    dev: { folder: data, split: 'dev' },
    evaluate: [{ name: 'eval', folder: data, split: 'test' }],
    prunings: ['0/0', '5/10'],
    measures: ['RR@10'],
    maxSteps: 3,
    batchSize: 4,
  };
  const design = {
    name: 'pretraining',
    fixed: { ...fixed, ...changes },
    factors: {
      rate: { levels: { none: { 'pretrain.learningRate': 0 }, high: { 'pretrain.learningRate': 0.003 } } },
      learningRate: [0.001, 0.0001],
    },
    seeds: [1, 2],
    runs: [{ rate: 'high' }, { rate: 'none', learningRate: 0.001 }],
  };
  await writeFile(at(name), stringify(design));
  return at(name);
}

async function readLines(path: string): Promise<ResultLine[]> {
  const text = await readFile(path, 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ResultLine);
}

let design = '';
let results = '';
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTexts('texts.txt', 200, 1);
  await writeTexts('held-out.txt', 20, 2);
  await writeTexts('others.txt', 20, 3);
  design = await writeDesign('design.yaml');
  results = at('results.jsonl');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('study of pre-training', () => {
  it('says what a cell takes', async () => {
    const { code, stdout, stderr } = await study(design, '-o', at('none.jsonl'), '--dry-run', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((JSON.parse(stdout) as { basis: string }).basis).toMatch(
      /^6 cells, 0 done, 6 to run; .* s of pre-training at \d+ tokens\/s, and three steps of training/,
    );
  });

  it('pre-trains once for all cells that share it, and records what came of it', async () => {
    expect(await study(design, '-o', results)).toMatchObject({ code: 0, stderr: '' });
    const lines = await readLines(results);
    expect(lines).toHaveLength(6);
    // Two seeds of the high rate, and the checkpoint as it is under two seeds.
    const shared = group(lines);
    expect(shared.size).toBe(4);
    for (const members of shared.values()) {
      expect(new Set(members.map(({ levels, seed }) => `${levels.rate} ${seed}`)).size).toBe(1);
      if (members[0]!.levels.rate === 'none') continue;
      expect(members.map(({ levels }) => levels.learningRate).sort()).toEqual(['0.0001', '0.001']);
      expect(figuresOf(members[0]!)).toEqual(figuresOf(members[1]!));
    }
    for (const { metrics, levels, pretrainingCurves, resolved } of lines) {
      expect(metrics).toMatchObject({
        'leaked documents': 0,
        'leaked queries': 0,
        'leaked language model': 0,
        'mlm first accuracy': expect.any(Number),
        'mlm second logit_score_std': expect.any(Number),
        'mlm second non_neg_terms_avg': expect.any(Number),
        'eval 5/10 flops': expect.any(Number),
        'eval 5/10 postings cv2': expect.any(Number),
        'eval 5/10 postings p99': expect.any(Number),
        'eval 5/10 postings p99WithEmpty': expect.any(Number),
        'eval 5/10 maxDF': expect.any(Number),
      });
      expect(resolved.pretrain).toMatchObject({ tokens: 1200, repeat: 1, model: { path: 'test/fixtures/tiny-model' } });
      expect(resolved.backbone).toBeUndefined();
      if (levels.rate === 'none') {
        expect(pretrainingCurves).toBeUndefined();
        continue;
      }
      expect(metrics['pretrain tokens']).toBeGreaterThanOrEqual(1200);
      expect(pretrainingCurves!.loss!.filter((loss) => loss !== null)).toHaveLength(metrics['pretrain steps']!);
      expect(pretrainingCurves!.eval_accuracy!.findLast((value) => value !== null)).toBeCloseTo(
        metrics['mlm first accuracy']!,
        5,
      );
    }
    const loss = (rate: string): number => lines.find(({ levels }) => levels.rate === rate)!.metrics['mlm first loss']!;
    expect(loss('high')).toBeLessThan(loss('none'));
    // The checkpoint has the same figures whatever the seed.
    const [first, ...others] = lines.filter(({ levels }) => levels.rate === 'none').map(figuresOf);
    for (const other of others) expect(other).toEqual(first);
    const models = (await readdir(`${results}.pretrained`)).filter((name) => !name.startsWith('leakage-'));
    expect(models.sort()).toEqual([...shared.keys()].sort());
  });

  it('runs a cell again from its line, pre-training and all, and says that it is the same', async () => {
    const { id } = (await readLines(results)).find(({ levels }) => levels.rate === 'high')!;
    const { code, stdout, stderr } = await study('--rerun', id, '-o', results, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ rerun: { same: true, changed: [] } });
  });

  it('keeps apart the seeds of both phases', async () => {
    const path = await writeDesign('seeds.yaml', { 'pretrain.seed': 1 });
    const output = at('seeds.jsonl');
    expect(await study(path, '-o', output, '--only', 'rate=high, learningRate=0.001')).toMatchObject({ code: 0 });
    const own = await readLines(output);
    expect(new Set(own.map(({ facts }) => facts!.pretrained)).size).toBe(1);
    const before = (await readLines(results)).find(
      ({ levels, seed }) => levels.rate === 'high' && levels.learningRate === '0.001' && seed === 1,
    )!;
    expect(own[0]!.scores).toEqual(before.scores);
    expect(own[1]!.curves!.loss).not.toEqual(own[0]!.curves!.loss);
  });

  it('goes on with a pre-training that was interrupted', async () => {
    const whole = (await readLines(results)).find(({ levels }) => levels.rate === 'high')!;
    const options = { root, workFolder: at('work'), cacheFolder: at('cache'), threads: 1 };
    const { id, levels, seed } = whole;
    const open = await openCells([whole.settings], options);
    const controller = new AbortController();
    const interrupted = open.run(whole.settings, {
      ...{ id, levels, seed },
      signal: controller.signal,
      onProgress: ({ phase, done }) => {
        if (phase === 'pretrain' && done > 400) controller.abort();
      },
    });
    await expect(interrupted).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const phases = new Map<string, number>();
    const { metrics, scores } = await open.run(whole.settings, {
      ...{ id, levels, seed },
      onProgress: ({ phase, done }) => {
        if (!phases.has(phase)) phases.set(phase, done);
      },
    });
    expect(phases.get('pretrain')).toBeGreaterThan(400);
    expect(scores).toEqual(whole.scores);
    expect(metrics).toEqual(whole.metrics);
  });

  it('counts 0 where the loss is no number any more', async () => {
    const path = await writeDesign('broken.yaml', { 'pretrain.maxGradientNorm': 1e30, 'pretrain.epsilon': 1e-30 });
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('pretrain.learningRate: 0.003', 'pretrain.learningRate: 1e+38'));
    const output = at('broken.jsonl');
    const only = 'rate=high, learningRate=0.001, seed=1';
    expect(await study(path, '-o', output, '--only', only)).toMatchObject({ code: 0 });
    const [line] = await readLines(output);
    expect(line!.metrics).toMatchObject({ broken: 1, collapsed: 1, 'eval 0/0 RR@10': 0 });
    expect(line!.facts!.guard).toMatch(/^pre-training: loss or gradients are not finite/);
  });

  it('refuses texts that hold what is held out, unless that is declared', async () => {
    const corpus = join(root, 'studies/example-data/corpus.jsonl');
    const texts = { 'pretrain.texts': [at('texts.txt'), corpus, at('others.txt')] };
    const only = 'rate=high, learningRate=0.001, seed=1';
    const refused = await study(await writeDesign('leak.yaml', texts), '-o', at('leak.jsonl'), '--only', only);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(/documents: (\d+) of \1 are texts of pre-training/);
    expect(refused.stderr).toMatch(/language model: 20 of 40/);
    const declared = await writeDesign('declared.yaml', { ...texts, 'pretrain.leakage': 'report' });
    expect(await study(declared, '-o', at('declared.jsonl'), '--only', only)).toMatchObject({ code: 0 });
    const [line] = await readLines(at('declared.jsonl'));
    expect(line!.metrics['leaked documents']).toBeGreaterThan(0);
    expect(line!.facts!.leakage).toMatch(/^documents: /);
  });

  it.each([
    ['a setting that there is not', { 'pretrain.learninRate': 1 }, /setting pretrain\..*learninRate/],
    ['a backbone', { backbone: 'test/fixtures/tiny-model' }, /the backbone of this cell is what it pre-trains/],
    ['a run without an end', { 'pretrain.tokens': null }, /pretrain\.tokens/],
    ['no texts', { 'pretrain.texts': [] }, /pretrain\.texts/],
    ['a factor that sets what is fixed', { 'pretrain.learningRate': 1 }, /set by the fixed settings too/],
  ])('refuses %s before any run', async (_, changes: Record<string, unknown>, message) => {
    const { code, stderr } = await study(await writeDesign('bad.yaml', changes), '-o', at('bad.jsonl'));
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

function figuresOf({ metrics }: ResultLine): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).filter(([name]) => /^(mlm|pretrain) /.test(name)));
}

function group(lines: readonly ResultLine[]): Map<string, ResultLine[]> {
  const groups = new Map<string, ResultLine[]>();
  for (const line of lines) {
    const key = line.facts!.pretrained!;
    groups.set(key, [...(groups.get(key) ?? []), line]);
  }
  return groups;
}
