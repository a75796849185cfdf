/** `diagnose` and `rescale` as a user runs them: an inflated head is found out, corrected, and found healthy. */
import { cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verbs } from '../../src/cli/registry.ts';
import { wordTexts } from '../../src/head/word-texts.suite.ts';
import { copyTinyModel, type TestTensor, tinyModel } from '../fixtures/model-folders.ts';
import { lexray, type Outcome, temporaryFolder } from './run-lexray.ts';

let folder = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);
const run = (...args: readonly string[]): Promise<Outcome> => lexray(args, { cwd: folder });

const scale =
  (factor: number) =>
  (tensors: TestTensor[]): TestTensor[] =>
    tensors.map((tensor) => {
      const inHead = tensor.name.includes('transform.LayerNorm') || tensor.name === 'cls.predictions.bias';
      return inHead ? { ...tensor, data: tensor.data.map((x) => x * factor) } : tensor;
    });

function firstRows({ name, shape, data }: TestTensor, rows: number): TestTensor {
  return { name, shape: [rows, ...shape.slice(1)], data: data.slice(0, (data.length / shape[0]!) * rows) };
}

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(at('texts.txt'), `${wordTexts(100).join('\n')}\n`);
  await writeFile(at('one.txt'), 'rain and snow\n');
  await writeFile(at('empty.txt'), '');
  await copyTinyModel(at('inflated'), { tensors: scale(16 ** 3) });
  await copyTinyModel(at('headless'), {
    tensors: (tensors) => tensors.filter(({ name }) => !name.startsWith('cls.')),
  });
  await copyTinyModel(at('infinite'), { tensors: scale(1e38) });
  await writeFile(at('blank.txt'), '\n  \n\t\n'.repeat(20));
  await writeFile(
    at('bytes.txt'),
    Buffer.from(Array.from({ length: 4000 }, (_, i) => (i % 40 === 39 ? 10 : 128 + ((i * 37) % 127)))),
  );
  await copyTinyModel(at('narrow'), {
    config: { vocab_size: 100 },
    files: { '1_SpladePooling/config.json': { pooling_strategy: 'max', activation_function: 'relu' } },
    tensors: (tensors) => tensors.map((tensor) => (tensor.shape[0] === 118 ? firstRows(tensor, 100) : tensor)),
  });
  await copyTinyModel(at('pickled'), { files: { 'model.safetensors': undefined } });
  await cp(new URL('../fixtures/goldens/torch-zip/os-system.bin', import.meta.url), at('pickled/pytorch_model.bin'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The result in a `--json` output, checked against the verb's own schema. */
function resultOf(verb: string, { code, stdout, stderr }: Outcome): Record<string, unknown> {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { schema: _schema, verb: _verb, lexray: _lexray, ...data } = JSON.parse(stdout) as Record<string, unknown>;
  expect(verbs.find(({ name }) => name === verb)!.result.parse(data)).toEqual(data);
  return data;
}

describe('diagnose and rescale', () => {
  it('find an inflated head, correct it, and find it healthy', async () => {
    const ill = await run('diagnose', 'inflated', '--texts', 'texts.txt', '--fail-on', 'collapse', '--quiet');
    expect(ill.code).toBe(5);
    expect(ill.stdout).toMatch(/WILL DIE: scores of unrelated texts spread by/);
    expect(ill.stderr).toMatch(/^error: inflated: will die cure: lexray rescale inflated -o OUT --arm C --factor \d/);
    const command = /lexray (rescale inflated -o OUT .*)/.exec(ill.stdout)![1]!;
    const corrected = await run(...command.replace('OUT', 'by hand').split(/ (?!hand)/));
    expect({ code: corrected.code, stderr: corrected.stderr }).toEqual({ code: 0, stderr: '' });
    const well = await run('diagnose', 'by hand', '--texts', 'texts.txt', '--fail-on', 'collapse', '--json');
    expect(resultOf('diagnose', well)).toMatchObject({
      collapse: false,
      figures: { scores: { spread: expect.closeTo(1, 3) as number } },
      earlier: [{ arm: 'C', shift: 0 }],
    });
  });

  it('calibrate from texts, and say before and after', async () => {
    const outcome = await run('rescale', 'inflated', '-o', 'auto', '--auto', '--texts', 'texts.txt', '--json');
    const result = resultOf('rescale', outcome);
    expect(result).toMatchObject({
      correction: { arm: 'C', shift: 0 },
      route: 'norm',
      dtype: 'F32',
      found: { by: 'exact-deviation', target: 0.5 },
      texts: { count: 100, source: 'texts.txt' },
      after: { texts: 100 },
      corrections: 1,
    });
    const manifest = JSON.parse(await readFile(at('auto', 'manifest.json'), 'utf8')) as {
      config: object;
      parents: object;
    };
    expect(manifest.config).toMatchObject({
      auto: true,
      head: { corrections: [{ found: { by: 'exact-deviation' } }] },
    });
    expect(Object.keys(manifest.parents)).toContain('model/model.safetensors');
  });

  it('take every arm, route and statistic', async () => {
    const ways = [
      ['--factor', '8', '--arm', 'A'],
      ['--factor', '8', '--arm', 'B', '--route', 'untied'],
      ['--factor', '2', '--shift', '-0.5'],
      ['--factor', '2', '--arm', 'E', '--texts', 'texts.txt'],
      ['--auto', '--arm', 'D', '--activation-rate', '0.2', '--texts', 'texts.txt'],
      ['--auto', '--statistic', 'closed-form'],
      ['--auto', '--statistic', 'score-spread', '--texts', 'texts.txt'],
      ['--auto', '--arm', 'A', '--sweep', '--texts', 'texts.txt'],
    ];
    const expected = [
      { correction: { arm: 'A', factor: 8 }, route: 'shared' },
      { correction: { arm: 'B' }, route: 'untied' },
      { correction: { arm: 'D', factor: 2, shift: -0.5 } },
      { correction: { arm: 'E' }, route: 'untied', before: { texts: 100 } },
      {
        correction: { arm: 'D' },
        found: { by: 'exact-deviation' },
        after: { tokenActivation: expect.closeTo(0.2, 2) as number },
      },
      { found: { by: 'closed-form', target: 0.5 } },
      { found: { by: 'score-spread', target: 1 }, after: { scores: { spread: expect.closeTo(1, 4) as number } } },
      { correction: { arm: 'A' }, sweep: [{ factor: 1 }, { factor: 2 }, { factor: 4 }, { factor: 8 }, { factor: 16 }] },
    ];
    for (const [i, way] of ways.entries()) {
      const outcome = await run('rescale', tinyModel, '-o', `way ${i}`, ...way, '--json', '--quiet');
      expect(outcome.code, outcome.stderr).toBe(0);
      expect(JSON.parse(outcome.stdout)).toMatchObject(expected[i]!);
      expect((await stat(at(`way ${i}`, 'model.safetensors'))).isFile()).toBe(true);
    }
  });

  it('write a page, and leave one that exists', async () => {
    const args = ['diagnose', tinyModel, '--texts', 'texts.txt', '--report', 'head.html'];
    const first = await run(...args);
    expect({ code: first.code, last: first.stdout.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      last: 'wrote head.html',
    });
    expect(await readFile(at('head.html'), 'utf8')).toContain('<h1>The head of');
    const second = await run(...args);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain('the output already exists: head.html');
    expect((await run(...args, '--force', '--json')).code).toBe(0);
  });
});

describe('what does not work', () => {
  it.each([
    ['a factor of 0', ['--factor', '0'], 2, /--factor: expected a number above 0, got 0/],
    ['a negative factor', ['--factor', '-2'], 2, /--factor: expected a number above 0, got -2/],
    ['a factor that is not a number', ['--factor', 'NaN'], 2, /--factor: .*"NaN"/],
    ['no factor', [], 2, /expected --factor or --auto/],
    ['two factors', ['--factor', '2', '--auto'], 2, /--auto finds the factor itself/],
    ['a shift to be found and given', ['--auto', '--shift', '1'], 2, /--auto finds the shift/],
    ['a shift for arm B', ['--factor', '2', '--shift', '1', '--arm', 'B'], 2, /arm B has no shift/],
    ['arm A from one pass', ['--auto', '--arm', 'A'], 2, /arm A cannot be calibrated.*--sweep/],
    ['a sweep of another arm', ['--auto', '--sweep'], 2, /--sweep is for --auto --arm A/],
    ['arm E in a LayerNorm', ['--factor', '2', '--arm', 'E', '--route', 'norm'], 2, /no LayerNorm can hold/],
    [
      'a target beside a factor',
      ['--factor', '2', '--target', '1'],
      2,
      /--target would do nothing: expected beside --auto/,
    ],
    ['a rate for arm C', ['--auto', '--activation-rate', '0.2'], 2, /--activation-rate would do nothing.*--arm D/],
    ['a target of 0', ['--auto', '--target', '0'], 2, /--target: expected a number above 0, got 0/],
    ['one text', ['--auto', '--texts', 'one.txt'], 3, /at least 8 different texts.*got one text \(one\.txt\)/],
    ['no texts', ['--auto', '--texts', 'empty.txt'], 3, /empty\.txt/],
    ['texts that are blank', ['--auto', '--texts', 'blank.txt'], 3, /blank\.txt|got 0 texts/],
  ])('rescale with %s', async (_title, args, code, message) => {
    const outcome = await run('rescale', tinyModel, '-o', 'never', ...args);
    expect(outcome.stderr).toMatch(message);
    expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
    expect({ code: outcome.code, stdout: outcome.stdout }).toEqual({ code, stdout: '' });
    expect((await readdir(folder)).filter((name) => name.startsWith('never'))).toEqual([]);
  });

  it.each([
    ['a model without a head', ['headless'], 3, /has no MLM head, which a SPLADE model needs/],
    ['numbers that overflow', ['infinite', '--texts', 'texts.txt'], 1, /the model gives the logit/],
    [
      'a report that is no page',
      [tinyModel, '--report', 'head.safetensors'],
      2,
      /--report: expected a name that ends with \.html/,
    ],
    [
      'texts that are none',
      [tinyModel, '--texts', 'bytes.txt'],
      3,
      /expected text in UTF-8, got \d+ of .*\(bytes\.txt\)/,
    ],
    ['an unknown recipe', [tinyModel, '--recipe', 'luck'], 2, /expected a recipe from lexray, st-mnrl/],
    ['one text', [tinyModel, '--texts', 'one.txt'], 3, /got one text/],
    [
      'a head narrower than the tokenizer',
      ['narrow', '--texts', 'texts.txt'],
      3,
      /ids up to 117, the head has 100 rows/,
    ],
    ['a pickle that runs code', ['pickled', '--texts', 'texts.txt'], 3, /pytorch_model\.bin.*system/],
    ['no model', ['absent'], 3, /absent/],
  ])('diagnose with %s', async (_title, args, code, message) => {
    const outcome = await run('diagnose', ...args);
    expect(outcome.stderr).toMatch(message);
    expect(outcome.code).toBe(code);
  });
});
