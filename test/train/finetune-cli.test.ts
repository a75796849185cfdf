/** `lexray finetune`: data in every form, warnings, exit codes. */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finetune } from '../../src/train/finetune.ts';
import { runInProcess } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../cli/run-lexray.ts';
import { copyTinyModel, tinyModel } from '../fixtures/model-folders.ts';
import { examples, weightsHash, writeTrainingFolder } from './training-data.ts';

let folder = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTrainingFolder(at('beir'));
  const triples = examples.map(({ query, positive, negatives }) => [query, positive, ...negatives].join('\t'));
  await writeFile(at('triples.tsv'), `${triples.join('\n')}\n`);
  const records = examples.map(({ query, positive, negatives }) => ({ query, pos: positive, negs: negatives }));
  await writeFile(at('pairs.jsonl'), `${records.map((record) => JSON.stringify(record)).join('\n')}\n`);
  await writeFile(at('empty.tsv'), '');
  await writeFile(at('one column.tsv'), 'rain\n');
  await writeFile(at('texts.txt'), 'rain\n');
  await mkdir(at('nothing'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Nothing but what the tests made is there. */
async function expectNothingWritten(output: string): Promise<void> {
  const names = await readdir(folder);
  expect(names.filter((name) => name.startsWith(output) || name.endsWith('.partial'))).toEqual([]);
}

describe('data', () => {
  it.each([
    ['TSV triples', 'triples.tsv'],
    ['JSONL pairs', 'pairs.jsonl'],
    ['a BEIR folder', 'beir'],
  ])('%s: trained on, and what was written encodes', async (_title, data) => {
    const output = at(`from ${data}`);
    const args = [tinyModel, '--data', at(data), '-o', output, '--max-steps', '3', '--batch-size', '4', '--json'];
    const { code, stdout, stderr } = await runInProcess('finetune', ...args);
    expect({ code, errors: stderr.includes('error') }).toEqual({ code: 0, errors: false });
    const result = JSON.parse(stdout) as Record<string, unknown>;
    expect(result).toMatchObject({ output, trainingFolder: `${output}.training`, steps: 3 });
    expect(result).toEqual(
      data === 'beir'
        ? expect.objectContaining({ best: { step: expect.any(Number), value: expect.any(Number), measure: 'nDCG@10' } })
        : expect.not.objectContaining({ best: expect.anything() }),
    );
    await writeFile(at('words.txt'), 'rain\n');
    const encoded = await runInProcess('encode', output, at('words.txt'), '-o', `${output} vectors`, '--kind', 'query');
    expect(encoded.code).toBe(0);
  });

  it('gives the same model in either file format', async () => {
    expect(await weightsHash(at('from triples.tsv'))).toBe(await weightsHash(at('from pairs.jsonl')));
  });

  it.each([
    ['absent.tsv', 3, 'absent.tsv'],
    ['empty.tsv', 3, 'empty.tsv'],
    ['one column.tsv', 3, 'one column.tsv:1'],
    ['nothing', 3, 'nothing'],
    ['texts.txt', 3, 'texts.txt:1'],
  ])('%s: exit code %i, and nothing written', async (data, exitCode, named) => {
    const { code, stdout, stderr } = await runInProcess('finetune', tinyModel, '--data', at(data), '-o', at('out'));
    expect(stderr).toMatch(/^error: /m);
    expect(stderr).toContain(named);
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    await expectNothingWritten('out');
  });
});

describe('data by id', () => {
  const idData = async (): Promise<string[]> => {
    const lines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    await mkdir(at('elsewhere'), { recursive: true });
    const documents = examples.map(({ positive }, i) => ({ _id: `p${i}`, text: positive }));
    const hard = examples.map(({ negatives: [negative] }, i) => ({ _id: `n${i}`, text: negative }));
    await writeFile(at('elsewhere', 'corpus.jsonl'), lines([...documents, ...hard]));
    await writeFile(at('topics.jsonl'), lines(examples.map(({ query }, i) => ({ _id: `q${i}`, text: query }))));
    const ids = examples.map((_, i) => ({ qid: `q${i}`, pos: [`p${i}`], neg: [`n${i}`] }));
    await writeFile(at('ids.jsonl'), lines(ids));
    const scores = examples.flatMap((_, i) => [`q${i}\tp${i}\t${5 + i / 7}`, `q${i}\tn${i}\t${i / 3}`]);
    await writeFile(at('scores.tsv'), `${scores.join('\n')}\n`);
    return ['--corpus', at('elsewhere'), '--queries', at('topics.jsonl'), '--teacher-scores', at('scores.tsv')];
  };
  const settings = ['--batch-size', '5', '--max-steps', '4', '--set', 'losses=[{name: margin-mse}]', '--seed', '3'];

  it('is read with --corpus, --queries and --teacher-scores, as the same data with texts', async () => {
    const flags = await idData();
    const texts = examples.map(({ query, positive, negatives }, i) => {
      return { query, pos: positive, negs: negatives, scores: [5 + i / 7, i / 3] };
    });
    await writeFile(at('texts.jsonl'), `${texts.map((row) => JSON.stringify(row)).join('\n')}\n`);
    const byId = await runInProcess(
      'finetune',
      tinyModel,
      '--data',
      at('ids.jsonl'),
      '-o',
      at('by id'),
      ...flags,
      ...settings,
    );
    expect(byId.code, byId.stderr).toBe(0);
    await runInProcess('finetune', tinyModel, '--data', at('texts.jsonl'), '-o', at('by text'), ...settings);
    expect(await weightsHash(at('by id'))).toBe(await weightsHash(at('by text')));
    const { sources } = JSON.parse(await readFile(at('by id.training', 'config.json'), 'utf8'));
    expect(sources).toEqual({
      data: at('ids.jsonl'),
      corpus: at('elsewhere'),
      queries: at('topics.jsonl'),
      teacherScores: at('scores.tsv'),
    });
  });

  it('is found again by a resumed run, which need not be told', async () => {
    const flags = await idData();
    const train = (...more: string[]) =>
      runInProcess('finetune', tinyModel, '--data', at('ids.jsonl'), '-o', at('again'), ...settings, ...more);
    const { readTrainingExamples } = await import('../../src/data/read-training-examples.ts');
    const [, corpus, , queries, , teacherScores] = flags;
    const read = await readTrainingExamples(at('ids.jsonl'), { corpus, queries, teacherScores });
    const controller = new AbortController();
    const stopped = finetune({
      model: tinyModel,
      output: at('again'),
      examples: read,
      sources: { data: at('ids.jsonl'), corpus, queries, teacherScores },
      settings: { batchSize: 5, maxSteps: 4, losses: [{ name: 'margin-mse' }], seed: 3 },
      signal: controller.signal,
      onProgress: ({ phase, done }) => phase === 'train' && done === 2 && controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const resumed = await train('--resume');
    expect(resumed.code, resumed.stderr).toBe(0);
    // Other scores are other data.
    await writeFile(at('others.tsv'), (await readFile(at('scores.tsv'), 'utf8')).replace('5\n', '6\n'));
    await cp(at('by id.training'), at('changed.training'), { recursive: true });
    const changed = await runInProcess(
      'finetune',
      tinyModel,
      '--data',
      at('ids.jsonl'),
      '-o',
      at('changed'),
      ...settings,
      '--resume',
      '--teacher-scores',
      at('others.tsv'),
    );
    expect(changed.stderr).toMatch(/^error: the run to resume had other settings: data \(was/m);
    expect(changed.code).toBe(3);
  });

  it.each([
    ['a BEIR folder, which has its own', 'beir', 2, '--corpus is for data in files'],
    ['data of texts, which have no ids', 'triples.tsv', 3, 'is not in the collection'],
  ])('has no corpus with %s', async (_title, data, exitCode, message) => {
    await idData();
    const args = [tinyModel, '--data', at(data), '-o', at('out'), '--corpus', at('elsewhere')];
    const { code, stderr } = await runInProcess('finetune', ...args);
    expect(stderr).toContain(message);
    expect(code).toBe(exitCode);
    await expectNothingWritten('out');
  });
});

describe('held-out queries among the training queries', () => {
  it('are warned of, in the splits of the data and of the dev collection', async () => {
    const folders = [at('beir'), await writeTrainingFolder(at('dev folder'))];
    const args = [tinyModel, '--data', folders[0]!, '--dev', folders[1]!, '-o', at('leaky'), '--max-steps', '1'];
    const { code, stderr } = await runInProcess('finetune', ...args);
    expect(code).toBe(0);
    for (const name of folders) {
      expect(stderr).toContain(`${join(name, 'qrels', 'test')}: 1 of 1 test queries are also training queries`);
      expect(stderr).not.toContain(`${join(name, 'qrels', 'dev')}:`);
    }
  });
});

describe('--dry-run', () => {
  it('forecasts and writes nothing', async () => {
    const args = [tinyModel, '--data', at('triples.tsv'), '-o', at('out'), '--max-steps', '50', '--dry-run', '--json'];
    const { code, stdout } = await runInProcess('finetune', ...args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ dryRun: true, basis: expect.stringContaining('steps') });
    await expectNothingWritten('out');
  });
});

describe('what does not fit', () => {
  it.each([
    ['no data', ['-o', 'out'], '--data'],
    ['no output', ['--data', 'triples.tsv'], '--output'],
    ['no epochs', ['--data', 'triples.tsv', '-o', 'out', '--epochs', '0'], 'epochs'],
    ['a batch of one', ['--data', 'triples.tsv', '-o', 'out', '--batch-size', '1'], '--batch-size'],
    ['lengths over the limit', ['--data', 'triples.tsv', '-o', 'out', '--query-max-length', '65'], '65'],
    ['an unknown measure', ['--data', 'beir', '-o', 'out', '--dev-measure', 'bpref'], 'bpref'],
    ['an output that exists', ['--data', 'triples.tsv', '-o', 'beir'], '--force'],
  ])('%s: exit code 2, and nothing written', async (_title, args, named) => {
    const paths = args.map((arg) => (/^(triples|out|beir)/.test(arg) ? at(arg) : arg));
    const { code, stdout, stderr } = await runInProcess('finetune', tinyModel, ...paths);
    expect(stderr).toMatch(/^error: /m);
    expect(stderr).toContain(named);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    await expectNothingWritten('out');
  });

  it.each([
    ['no model', 'absent', undefined, 'absent'],
    ['an unknown family', 'abacus', { config: { model_type: 'abacus' } }, 'abacus'],
    ['weights without a head', 'headless', { config: { architectures: ['BertModel'] }, headless: true }, 'cls.'],
  ])('%s: exit code 3, and nothing written', async (_title, model, changes, named) => {
    if (changes) {
      const { headless, ...more } = { headless: false, ...changes };
      await copyTinyModel(at(model), {
        ...more,
        ...(headless && { tensors: (tensors) => tensors.filter(({ name }) => !name.startsWith('cls.')) }),
      });
    }
    const { code, stdout, stderr } = await runInProcess(
      'finetune',
      at(model),
      '--data',
      at('triples.tsv'),
      '-o',
      at('out'),
    );
    expect(stderr.split('\n').find((line) => line.startsWith('error: '))).toContain(named);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    await expectNothingWritten('out');
  });

  it('an output below a file: exit code 3, and the file stays', async () => {
    const args = [tinyModel, '--data', at('triples.tsv'), '-o', at('texts.txt', 'out')];
    const { code, stderr } = await runInProcess('finetune', ...args);
    expect(stderr).toMatch(/^error: .*texts\.txt/m);
    expect(code).toBe(3);
    expect(await readFile(at('texts.txt'), 'utf8')).toBe('rain\n');
  });

  it.each([
    [5, 'a loss that is not finite', '5', /^error: step \d+: not finite: loss \(.* lower the learning rate/m],
    [1, 'weights of the last step that encode nothing finite', '20', /^error: the trained model .* cure: lower/m],
  ])('exit code %i for %s, and no model', async (expected, _title, batchSize, message) => {
    const output = `broken ${batchSize}`;
    const args = [tinyModel, '--data', at('triples.tsv'), '-o', at(output), '--batch-size', batchSize];
    const { code, stderr } = await runInProcess('finetune', ...args, '--learning-rate', '1e30');
    expect(stderr).toMatch(message);
    expect(code).toBe(expected);
    expect((await readdir(folder)).filter((name) => name.startsWith(output))).toEqual([`${output}.training`]);
  });

  it('a checkpoint that is damaged: exit code 3, named, with a cure', async () => {
    const controller = new AbortController();
    const settings = { epochs: 4, seed: 42 };
    const stopped = finetune({
      model: tinyModel,
      output: at('damaged'),
      examples,
      settings,
      signal: controller.signal,
      onProgress: ({ done }) => done === 2 && controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const checkpoint = at('damaged.training', 'checkpoint-00000002');
    await cp(at('triples.tsv'), join(checkpoint, 'state.safetensors'));
    const args = [tinyModel, '--data', at('triples.tsv'), '-o', at('damaged'), '--epochs', '4', '--resume'];
    const { code, stderr } = await runInProcess('finetune', ...args);
    expect(stderr).toMatch(/^error: the checkpoint cannot be read.*remove it/m);
    expect(stderr).toContain(checkpoint);
    expect(code).toBe(3);
  });
});
