import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyTinyModel, readTensors, tinyModel } from '../../test/fixtures/model-folders.ts';
import { writeTrainingFolder } from '../../test/train/training-data.ts';
import { openModelFolder } from '../checkpoint/layouts/model-folder.ts';
import { loadBeir } from '../data/load-beir.ts';
import { LexrayError } from '../util/errors.ts';
import { readManifest } from '../util/manifest.ts';
import { exportStTrain, type StTrainOptions, stTrainFormat } from './st-train.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;

let temporary = '';
let count = 0;
const at = (name: string): string => join(temporary, name);

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'lexray-st-train-'));
  await writeTrainingFolder(at('beir'));
  await writeFile(at('triples.tsv'), 'rain\tsunny house\tred dog\tcat\nsnow\tcold river\tblue bird\tfish\n');
  await writeFile(at('uneven.tsv'), 'rain\tsunny house\tred dog\tcat\nsnow\tcold river\tblue bird\n');
  await writeFile(at('one.tsv'), 'rain\tsunny house\n');
});
afterAll(() => rm(temporary, { recursive: true, force: true }));

interface Exported {
  readonly output: string;
  readonly warnings: readonly string[];
  readonly read: (name: string) => Promise<string>;
}

async function exported(options: Partial<StTrainOptions> = {}): Promise<Exported> {
  const output = at(`run-${count++}`);
  const warnings: string[] = [];
  const onWarning = (message: string): void => void warnings.push(message);
  await exportStTrain({ model: tinyModel, output, data: { path: at('triples.tsv') }, onWarning, ...options });
  return { output, warnings, read: (name) => readFile(join(output, name), 'utf8') };
}

async function expectRefusal(options: Partial<StTrainOptions>, code: string, message: RegExp): Promise<void> {
  const before = await readdir(temporary);
  const error = await exported(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LexrayError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(await readdir(temporary)).toEqual(before);
}

/** `NAME = value` lines at the top of a script. */
function values(script: string): Record<string, string> {
  const lines = script.matchAll(/^([A-Z_]+) = (.+?)(?: {2}# .*)?$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name!, value!]));
}

describe('the script', () => {
  it('has the recipe of arXiv 2606.18811 unless told otherwise', async () => {
    const { read, warnings } = await exported();
    expect(values(await read('train.py'))).toMatchObject({
      EPOCHS: '1',
      MAX_STEPS: '-1',
      BATCH_SIZE: '64',
      ACCUMULATION: '1',
      LEARNING_RATE: '0.0001',
      WARMUP_RATIO: '0.1',
      TEMPERATURE: '1',
      LAMBDA_Q: '0.05',
      LAMBDA_D: '0.003',
      RAMP_RATIO: String(1 / 3),
      PRECISION: '"bf16"',
      MAX_LENGTH: '64',
      DATASET: 'None',
    });
    expect(warnings).toEqual([expect.stringContaining('64 positions')]);
  });

  it('has the settings that are given, also those of a fine-tuning run', async () => {
    const { read } = await exported({
      settings: {
        epochs: 2.5,
        maxSteps: 7,
        batchSize: 8,
        learningRate: 2e-7,
        temperature: 0.05,
        queryRegularizerWeight: 1e-3,
        documentRegularizerWeight: 0,
        regularizerRampRatio: 0,
        maxLength: 32,
        precision: 'fp32',
        gatherAcrossDevices: true,
        seed: 3,
      },
    });
    expect(values(await read('train.py'))).toMatchObject({
      EPOCHS: '2.5',
      MAX_STEPS: '7',
      BATCH_SIZE: '8',
      LEARNING_RATE: '2e-7',
      TEMPERATURE: '0.05',
      LAMBDA_Q: '0.001',
      LAMBDA_D: '0',
      RAMP_RATIO: '0',
      MAX_LENGTH: '32',
      PRECISION: '"fp32"',
      GATHER: 'True',
      SEED: '3',
    });
  });

  it('names a data set of the hub, which is not fetched', async () => {
    const { read, output } = await exported({
      data: { name: 'org/set', revision: 'v1', subset: 'triplet', columns: ['query', 'positive'] },
    });
    expect(values(await read('train.py'))).toMatchObject({
      DATASET: '"org/set"',
      DATASET_REVISION: '"v1"',
      DATASET_SUBSET: '"triplet"',
      DATASET_SPLIT: '"train"',
      COLUMNS: '["query", "positive"]',
    });
    expect(await readdir(output)).not.toContain('train.jsonl');
  });

  it.skipIf(!hasPython)('is Python, whatever the names and prompts (needs python3)', async () => {
    const evil = '"""\nimport sys; sys.exit(9)\n# \\" {x} `y` \u2028 검색';
    const model = await copyTinyModel(at('prompted'), {
      files: {
        'config_sentence_transformers.json': {
          model_type: 'SparseEncoder',
          prompts: { query: evil, document: `d${evil}` },
          similarity_fn_name: 'dot',
        },
      },
    });
    const data = { name: evil, revision: evil, subset: evil, split: evil, columns: [evil, 'b'] };
    const { read, output } = await exported({ model, data });
    const compiled = spawnSync('python3', ['-m', 'py_compile', join(output, 'train.py')], { encoding: 'utf8' });
    expect({ status: compiled.status, stderr: compiled.stderr }).toEqual({ status: 0, stderr: '' });
    const program = `import ast, json, sys
found = {}
for node in ast.parse(open(sys.argv[1], encoding="utf-8").read()).body:
    if isinstance(node, ast.Assign):
        try:
            found[node.targets[0].id] = ast.literal_eval(node.value)
        except ValueError:
            pass
print(json.dumps(found))`;
    const parsed = spawnSync('python3', ['-c', program, join(output, 'train.py')], { encoding: 'utf8' });
    expect(JSON.parse(parsed.stdout)).toMatchObject({
      DATASET: evil,
      DATASET_SUBSET: evil,
      COLUMNS: [evil, 'b'],
      QUERY_PROMPT: evil,
      DOCUMENT_PROMPT: `d${evil}`,
      LEARNING_RATE: 1e-4,
    });
    // In the guide such names stay on one line, within a code span.
    expect((await read('README.md')).split('\n').filter((line) => line.startsWith('import sys'))).toEqual([]);
  });
});

describe('the folder', () => {
  it('has the model in float32 with the record of its correction, and a manifest', async () => {
    const head = { corrections: [{ arm: 'C', factor: 8, shift: 0 }], together: { arm: 'C', factor: 8, shift: 0 } };
    const model = await copyTinyModel(at('corrected'), {
      files: { 'manifest.json': { format: 'lexray-model', version: 1, config: { head }, parents: {}, tool: 'x' } },
    });
    const { output, read } = await exported({ model, parents: { 'model/config.json': 'abc' } });
    const written = await openModelFolder(join(output, 'model'));
    await written.close();
    expect(written).toMatchObject({ layout: 'sentence-transformers', maxSequenceLength: 64 });
    expect(written.manifest?.config).toEqual({ head });
    const sorted = async (folder: string): Promise<unknown> =>
      (await readTensors(join(folder, 'model.safetensors'))).sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(await sorted(join(output, 'model'))).toEqual(await sorted(tinyModel));
    expect(await read('README.md')).toContain('its MLM head was corrected');
    const manifest = await readManifest(output, stTrainFormat, 1);
    const rows = await read('train.jsonl');
    expect(manifest).toMatchObject({
      config: { learningRate: 1e-4, maxLength: 64 },
      parents: { 'model/config.json': 'abc', 'train.jsonl': createHash('sha256').update(rows).digest('hex') },
    });
    expect((await readdir(output)).sort()).toEqual(
      ['README.md', 'manifest.json', 'model', 'requirements.txt', 'train.jsonl', 'train.py'].sort(),
    );
  });

  it('has rows with as many negatives as asked for', async () => {
    const { read } = await exported({ settings: { negativesPerQuery: 2, maxLength: 64 } });
    expect(
      (await read('train.jsonl'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { anchor: 'rain', positive: 'sunny house', negative_1: 'red dog', negative_2: 'cat' },
      { anchor: 'snow', positive: 'cold river', negative_1: 'blue bird', negative_2: 'fish' },
    ]);
  });

  it('has rows with the same columns where examples differ, and says so', async () => {
    const settings = { negativesPerQuery: 2, maxLength: 64 };
    const { read, warnings } = await exported({ data: { path: at('uneven.tsv') }, settings });
    for (const line of (await read('train.jsonl')).trim().split('\n')) {
      expect(Object.keys(JSON.parse(line) as object)).toEqual(['anchor', 'positive', 'negative_1']);
    }
    expect(warnings).toEqual([expect.stringContaining('so 1 of each are used')]);
  });

  it("has a teacher's scores where the loss learns from them", async () => {
    const lines = [
      { query: 'rain', pos: 'sunny house', negs: ['red dog', 'cat', 'tree'], scores: [9.5, 3, 1.25, 0] },
      { query: 'snow', docs: ['blue bird', 'cold river', 'fish'], scores: [1, 5, 2] },
    ];
    await writeFile(at('taught.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const data = { path: at('taught.jsonl') };
    const { read, warnings } = await exported({ data, settings: { loss: 'kl', negativesPerQuery: 3, maxLength: 64 } });
    const rows = (await read('train.jsonl')).trim().split('\n');
    expect(rows.map((line) => JSON.parse(line))).toEqual([
      { anchor: 'rain', positive: 'sunny house', negative_1: 'red dog', negative_2: 'cat', label: [9.5, 3, 1.25] },
      { anchor: 'snow', positive: 'cold river', negative_1: 'blue bird', negative_2: 'fish', label: [5, 1, 2] },
    ]);
    expect(warnings).toEqual([expect.stringContaining('so 2 of each are used')]);
    expect(values(await read('train.py')).LOSS).toBe('"kl"');
    expect(await read('README.md')).toContain("KL divergence from the teacher's scores");
    const plain = await exported({ data, settings: { negativesPerQuery: 1, maxLength: 64 } });
    expect(await plain.read('train.jsonl')).not.toContain('label');
    expect(plain.warnings).toEqual([expect.stringContaining("2 of 2 examples have a teacher's scores, which InfoNCE")]);
  });

  it('has negatives that the teacher scored, and not the others', async () => {
    const ids = [
      { qid: 'a', pos: ['p'], neg: ['x', 'y', 'z'] },
      { qid: 'b', pos: ['y'], neg: ['p', 'x'] },
    ];
    const documents = ['p', 'x', 'y', 'z'].map((_id, i) => ({ _id, text: `text ${i}` }));
    const jsonl = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    await writeFile(at('ids.jsonl'), jsonl(ids));
    await writeFile(at('documents.jsonl'), jsonl(documents));
    await writeFile(at('topics.jsonl'), jsonl(['a', 'b'].map((_id) => ({ _id, text: `query ${_id}` }))));
    await writeFile(at('scores.tsv'), 'a\tp\t3\na\ty\t1\na\tz\t0.5\nb\ty\t2\nb\tx\t-1\n');
    const data = {
      path: at('ids.jsonl'),
      corpus: at('documents.jsonl'),
      queries: at('topics.jsonl'),
      teacherScores: at('scores.tsv'),
    };
    const { read } = await exported({ data, settings: { loss: 'margin-mse', maxLength: 64 } });
    const rows = (await read('train.jsonl')).trim().split('\n');
    expect(rows.map((line) => JSON.parse(line))).toEqual([
      { anchor: 'query a', positive: 'text 0', negative_1: 'text 2', label: [3, 1] },
      { anchor: 'query b', positive: 'text 2', negative_1: 'text 1', label: [2, -1] },
    ]);
  });

  it('has the dev collection, its titles joined as the model wants them', async () => {
    const dev = await loadBeir(at('beir'), { split: 'dev' });
    const { output, read } = await exported({ data: { path: at('beir') }, dev });
    expect((await read('train.jsonl')).trim().split('\n')).toHaveLength(20);
    const written = await loadBeir(join(output, 'dev'), { split: 'dev' });
    expect(written.queries).toEqual(dev.queries);
    expect(written.qrels).toEqual(dev.qrels);
    expect(await written.countDocuments()).toBe(20);
    expect(values(await read('train.py')).DEV).toBe('True');
  });
});

describe('refusals leave nothing behind', () => {
  it.each<[string, Partial<StTrainOptions>, string, RegExp]>([
    ['more tokens than positions', { settings: { maxLength: 65 } }, 'BAD_INPUT', /64 positions/],
    ['a temperature of 0', { settings: { temperature: 0 } }, 'CONFIG', /^temperature: /],
    ['a rate that is not a number', { settings: { learningRate: Number.NaN } }, 'CONFIG', /^learningRate: /],
    ['no data', { data: { path: '/nowhere/at/all' } }, 'BAD_INPUT', /no file or folder/],
    [
      "a loss that needs a teacher's scores",
      { settings: { loss: 'kl' } },
      'BAD_INPUT',
      /2 of 2 examples have no scores/,
    ],
    ['no model', { model: '/nowhere/at/all' }, 'BAD_INPUT', /no folder/],
  ])('%s', (_title, options, code, message) => expectRefusal(options, code, message));

  it('one example', () =>
    expectRefusal({ data: { path: at('one.tsv') } }, 'BAD_INPUT', /at least two examples, got 1/));

  it('an output that exists, unless forced', async () => {
    const { output } = await exported();
    await expectRefusal({ output }, 'USAGE', /already exists/);
    await exported({ output, force: true, settings: { seed: 5 } });
    expect(await readFile(join(output, 'train.py'), 'utf8')).toContain('SEED = 5\n');
  });
});
