/** `lexray pretrain`: from texts to a model, what is said, exit codes, Ctrl-C. */
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModelFolder } from '../../src/checkpoint/layouts/model-folder.ts';
import { writeModelFolder } from '../../src/checkpoint/layouts/write-model-folder.ts';
import { unigramRule } from '../../src/tokenizer/unigrams/unigram-rule.ts';
import { runInProcess } from '../cli/run-in-process.ts';
import { lexray, temporaryFolder } from '../cli/run-lexray.ts';
import { tinyModel } from '../fixtures/model-folders.ts';

let folder = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);
const words = 'weather rain sunny snow warm cold city river stone house garden red blue dog cat bird'.split(' ');

beforeAll(async () => {
  folder = await temporaryFolder();
  // A word that comes again and again, so that a masked one can be told from the others.
  const lines = words.flatMap((a) =>
    words.flatMap((b, i) => words.filter((_, j) => (i + j) % 3 === 0).map((c) => [a, a, b, a, c, a, a, b].join(' '))),
  );
  await writeFile(at('texts.txt'), `${lines.join('\n')}\n`);
  await writeFile(at('texts.jsonl'), lines.map((text) => `${JSON.stringify({ body: text })}\n`).join(''));
  await writeFile(at('about.md'), 'Invented sentences, in the public domain.\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const small = [
  '--length',
  '16',
  '--held-out-share',
  '0.1',
  '--batch-size',
  '4',
  '--held-out-sequences',
  '8',
  '--statistics-texts',
  '4',
];
const train = (...args: readonly string[]) => runInProcess('pretrain', ...small, ...args, '--json');

describe('a model', () => {
  it('is made from random weights and trained, with a card', async () => {
    const made = ['--new', 'bert', '--tokenizer', tinyModel, '--hidden', '16', '--heads', '2', '--positions', '32'];
    const said = ['--title', 'A small one', '--license', 'cc0-1.0', '--about', at('about.md'), '--dtype', 'bf16'];
    const { code, stdout } = await train(at('texts.txt'), ...made, ...said, '--steps', '4', '-o', at('made'));
    expect(code).toBe(0);
    const result = JSON.parse(stdout) as Record<string, unknown>;
    expect(result).toMatchObject({ output: at('made'), steps: 4, passes: 1, evaluation: { loss: expect.any(Number) } });
    const card = await readFile(at('made', 'README.md'), 'utf8');
    for (const part of ['A small one', 'cc0-1.0', 'public domain', 'texts.txt']) expect(card).toContain(part);
    const config = JSON.parse(await readFile(at('made', 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(config).toMatchObject({ model_type: 'bert', hidden_size: 16, num_hidden_layers: 2, dtype: 'bfloat16' });
  });

  it('is trained on, by words, from a field of records, and said for people', async () => {
    const args = [
      '--model',
      tinyModel,
      '--field',
      'body',
      '--units',
      'words',
      '--arrangement',
      'cut',
      '--tokens',
      '400',
    ];
    const run = await runInProcess('pretrain', at('texts.jsonl'), ...args, ...small, '-o', at('adapted'));
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/steps, 4\d\d tokens/);
    expect(run.stdout).toMatch(/held out: loss \d/);
    expect(
      (await runInProcess('encode', at('adapted'), at('texts.txt'), '-o', at('v'), '--kind', 'document')).code,
    ).toBe(0);
  });

  it('of unigrams learns to predict them', async () => {
    const model = await openModelFolder(tinyModel);
    const { config } = model.checkpoint;
    const terms = [...words, 'another'];
    const weights = [];
    for await (const weight of model.checkpoint.loadWeights()) weights.push(weight);
    await model.close();
    const wide = { ...config, tie_word_embeddings: false, output_vocabulary_size: terms.length };
    const rows = { 'cls.predictions.decoder.weight': config.hidden_size as number, 'cls.predictions.bias': 1 };
    const kept = weights.filter(({ name }) => !(name in rows));
    const added = Object.entries(rows).map(([name, width]) => ({
      name,
      shape: width === 1 ? [terms.length] : [terms.length, width],
      data: Float32Array.from({ length: terms.length * width }, (_, i) => Math.sin(i) / 10),
    }));
    await writeModelFolder(at('expanded'), {
      config: wide,
      weights: [...kept, ...added],
      tokenizer: tinyModel,
      outputVocabulary: { unigrams: unigramRule(), terms, counts: terms.map(() => 1), occurrences: 100 },
    });
    const args = ['--model', at('expanded'), '--steps', '80', '--learning-rate', '3e-3', '--dropout', '0'];
    const apart = ['--arrangement', 'cut', '--batch-size', '16', '--held-out-sequences', '100'];
    const { code, stdout } = await train(at('texts.txt'), ...args, ...apart, '-o', at('learnt'));
    expect(code).toBe(0);
    const { evaluation } = JSON.parse(stdout) as { evaluation: { loss: number } };
    expect(evaluation.loss).toBeLessThan(0.8 * Math.log(terms.length));
    const learnt = await openModelFolder(at('learnt'));
    expect(learnt.outputVocabulary?.terms).toEqual(terms);
    await learnt.close();
    const pieces = await train(
      at('texts.txt'),
      '--model',
      at('expanded'),
      '--units',
      'pieces',
      '--steps',
      '1',
      '-o',
      at('x'),
    );
    expect(pieces).toMatchObject({ code: 3, stderr: expect.stringContaining('unigrams') });
  });
});

it('says so where too few texts are there to hold some out', async () => {
  await writeFile(at('few.txt'), 'red blue dog cat bird\nriver stone house garden\n');
  const run = await train(at('few.txt'), '--model', tinyModel, '--steps', '1', '-o', at('few'));
  expect(run).toMatchObject({ code: 3, stderr: expect.stringContaining('--held-out-share') });
});

describe('what is refused', () => {
  it.each([
    ['neither a model nor a new one', ['--steps', '1'], 2, '--new'],
    ['both', ['--model', tinyModel, '--new', 'bert', '--steps', '1'], 2, 'either'],
    ['a new model without a tokenizer', ['--new', 'bert', '--steps', '1'], 2, '--tokenizer'],
    ['no end', ['--model', tinyModel], 2, 'tokens or steps'],
    ['two ends', ['--model', tinyModel, '--steps', '1', '--tokens', '1'], 2, 'tokens or steps'],
    ['repeated steps', ['--model', tinyModel, '--steps', '9', '--repeat', '2'], 2, 'repetition'],
    [
      'unigrams of a model of pieces',
      ['--model', tinyModel, '--steps', '1', '--units', 'unigrams'],
      3,
      'lexray expand',
    ],
    ['a folder that is no model', ['--model', '/', '--steps', '1'], 3, 'config.json'],
    ['a note that is not there', ['--model', tinyModel, '--steps', '1', '--about', '/nowhere.md'], 3, '/nowhere.md'],
  ])('%s', async (_title, args, code, message) => {
    const before = await readdir(folder);
    const run = await runInProcess('pretrain', at('texts.txt'), ...args, ...small, '-o', at('refused'));
    expect(run).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) });
    expect(await readdir(folder)).toEqual(before);
  });

  it('an output that is there', async () => {
    const run = await train(at('texts.txt'), '--model', tinyModel, '--steps', '1', '-o', folder);
    expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining('already exists') });
  });
});

it('--dry-run tells what it would take, and writes nothing', async () => {
  const before = await readdir(folder);
  const run = await train(at('texts.txt'), '--model', tinyModel, '--steps', '50', '-o', at('dry'), '--dry-run');
  expect(run.code).toBe(0);
  expect(JSON.parse(run.stdout)).toMatchObject({ dryRun: true, basis: expect.stringContaining('tokens/s') });
  expect(await readdir(folder)).toEqual(before);
});

it('stops at Ctrl-C with a checkpoint, and goes on from it', async () => {
  const state = `${at('stopped')}.training`;
  const args = ['pretrain', at('texts.txt'), '--model', tinyModel, '--steps', '100000', ...small, '-o', at('stopped')];
  const log = join(state, 'metrics.jsonl');
  const hasBegun = (): boolean => existsSync(log) && readFileSync(log, 'utf8').includes('"loss"');
  const run = await lexray(args, { interruptWhen: hasBegun });
  expect(run).toMatchObject({ code: 130, stderr: expect.stringContaining('--resume') });
  expect((await readdir(state)).some((name) => name.startsWith('checkpoint-'))).toBe(true);
  expect(existsSync(at('stopped'))).toBe(false);
  const other = await lexray([...args, '--resume', '--learning-rate', '1e-5']);
  expect(other).toMatchObject({ code: 3, stderr: expect.stringContaining('learningRate') });
}, 120_000);
