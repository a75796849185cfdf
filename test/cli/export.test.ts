/** `lexray export`: settings reach what is written, and what cannot be is refused. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeExpandedModel } from '../fixtures/expanded-model.ts';
import { tinyModel } from '../fixtures/model-folders.ts';
import { writeTrainingFolder } from '../train/training-data.ts';
import { runInProcess } from './run-in-process.ts';
import { temporaryFolder } from './run-lexray.ts';

let folder = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTrainingFolder(at('beir'));
  await writeFile(at('triples.tsv'), 'rain\tsunny house\tred dog\nsnow\tcold river\tblue bird\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const to = ['export', tinyModel, '--to', 'st-train'];

describe('lexray export --to st-train', () => {
  it('writes a run with the flags that were given', async () => {
    const output = at('run');
    const flags = ['--lambda-q', '1e-3', '--lambda-d', '2e-3', '--ramp', '0.5', '--temperature', '0.1', '--gather'];
    const more = [
      '--batch-size',
      '16',
      '--accumulate',
      '8',
      '--learning-rate',
      '3e-5',
      '--max-length',
      '40',
      '--seed',
      '9',
      '--nano-beir',
    ];
    const data = ['--data', at('beir'), '--dev', at('beir')];
    const { code, stdout, stderr } = await runInProcess(...to, ...data, '-o', output, ...flags, ...more, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ verb: 'export', output, to: 'st-train', rows: 20, maxLength: 40 });
    const script = await readFile(join(output, 'train.py'), 'utf8');
    for (const line of [
      'LAMBDA_Q = 0.001 ',
      'LAMBDA_D = 0.002 ',
      'RAMP_RATIO = 0.5 ',
      'TEMPERATURE = 0.1 ',
      'GATHER = True ',
      'BATCH_SIZE = 16 ',
      'ACCUMULATION = 8 ',
      'LEARNING_RATE = 0.00003 ',
      'MAX_LENGTH = 40 ',
      'SEED = 9',
      'NANO_BEIR = True ',
      'DEV = True ',
    ]) {
      expect(script).toContain(`\n${line}`);
    }
    const manifest = JSON.parse(await readFile(join(output, 'manifest.json'), 'utf8')) as { parents: object };
    expect(Object.keys(manifest.parents)).toContain('model/model.safetensors');
  });

  it('names a data set of the hub', async () => {
    const data = [
      '--data',
      'hf://org/set@v1',
      '--subset',
      'triplet',
      '--columns',
      'query,positive',
      '--data-split',
      'x',
    ];
    const { code, stdout } = await runInProcess(...to, ...data, '-o', at('hub'), '--quiet');
    expect({ code, said: stdout.includes('rows from the hub') }).toEqual({ code: 0, said: true });
    const script = await readFile(at('hub', 'train.py'), 'utf8');
    expect(script).toContain('\nDATASET = "org/set"\nDATASET_REVISION = "v1"\nDATASET_SUBSET = "triplet"\n');
    expect(script).toContain('\nDATASET_SPLIT = "x"\nCOLUMNS = ["query", "positive"] ');
  });

  it.each([
    ['no data of that name', ['--data', 'nowhere'], 3, 'hf://org/name'],
    ['a data set without organisation', ['--data', 'hf://set'], 3, 'hf://org/name'],
    ['a subset of a file', ['--data', 'TRIPLES', '--subset', 'x'], 3, '--subset'],
    ['another format', ['--to', 'floppy', '--data', 'TRIPLES'], 2, '--to: expected st-train'],
    ['a share above 1', ['--data', 'TRIPLES', '--ramp', '2'], 2, '--ramp: expected at most 1'],
    ['a temperature of 0', ['--data', 'TRIPLES', '--temperature', '0'], 2, 'temperature'],
  ])('%s: refused with a cure, and nothing written', async (_title, args, expected, named) => {
    const before = await readdir(folder);
    const given = args.map((word) => (word === 'TRIPLES' ? at('triples.tsv') : word));
    const { code, stdout, stderr } = await runInProcess(...to, ...given, '-o', at('none'));
    expect(stderr).toContain(named);
    expect(stderr).toContain(' cure: ');
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect(await readdir(folder)).toEqual(before);
  });
});

describe('lexray export --to onnx', () => {
  it('writes a model folder with two graphs', async () => {
    const output = at('onnx model');
    const { code, stdout, stderr } = await runInProcess('export', tinyModel, '--to', 'onnx', '-o', output, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const files = ['onnx/model.onnx', 'onnx/splade.onnx'];
    const inputs = ['input_ids', 'attention_mask', 'token_type_ids'];
    expect(JSON.parse(stdout)).toMatchObject({ verb: 'export', output, to: 'onnx', files, inputs });
    expect((await readdir(join(output, 'onnx'))).sort()).toEqual(['model.onnx', 'splade.onnx']);
    const manifest = JSON.parse(await readFile(join(output, 'manifest.json'), 'utf8')) as { parents: object };
    expect(Object.keys(manifest.parents)).toContain('model/model.safetensors');
    // The exported folder is a model like any other, and may be exported again.
    const again = await runInProcess('export', output, '--to', 'onnx', '-o', at('onnx again'), '--quiet');
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
  });

  it.each([
    ['data', ['--to', 'onnx', '--data', 'x.tsv'], /takes no data/],
    ['no data for a training run', ['--to', 'st-train'], /needs --data/],
    ['an unknown format', ['--to', 'gguf'], /st-train|onnx/],
  ])('refuses %s', async (_title, flags, message) => {
    const { code, stderr } = await runInProcess('export', tinyModel, ...flags, '-o', at('never'));
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(await readdir(folder)).not.toContain('never');
  });
});

describe('lexray export --to sentence-transformers', () => {
  it('writes an expanded model for one vocabulary size, and refuses others', async () => {
    await writeExpandedModel(at('expanded'));
    const flags = ['--to', 'sentence-transformers', '-o', at('wide'), '--json'];
    const { code, stdout, stderr } = await runInProcess('export', at('expanded'), ...flags);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ verb: 'export', to: 'sentence-transformers', dimensions: 118 });
    const config: unknown = JSON.parse(await readFile(join(at('wide'), 'config.json'), 'utf8'));
    expect(config).toMatchObject({ vocab_size: 118, output_vocabulary_size: 118 });
    const refused = await runInProcess('export', tinyModel, '--to', 'sentence-transformers', '-o', at('never'));
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('as it is') });
  });
});
