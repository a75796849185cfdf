/** Files from outside that do not fit: exit code 3, one line with the place and a cure, and nothing half-written. */
import { cp, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SparseVectors } from '../../src/vectors/sparse-vectors.ts';
import { writeVectors } from '../../src/vectors/write-vectors.ts';
import { tinyModel } from '../fixtures/model-folders.ts';
import { lexray, temporaryFolder, writeCollection } from './run-lexray.ts';

let folder = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeCollection(at('data'));
  await writeFile(at('qrels'), 'q1 0 a 1\n');
  await writeFile(at('run'), 'q1 Q0 a 1 2 t\n');
  await writeFile(at('irrelevant'), 'q1 0 a 0\nq1 0 b -1\n');
  await writeFile(at('empty'), '');
  await writeFile(at('words.txt'), 'rain\n');
  await writeFile(at('broken.jsonl'), '{"_id": "1", "text": "rain"}\n{"_id": "2", "text": \n');
  await writeFile(at('twice.jsonl'), '{"_id": "1", "text": "rain"}\n{"_id": "1", "text": "snow"}\n');
  await writeFile(at('blank.jsonl'), '{"_id": "1", "text": "rain"}\n{"_id": "1 2", "text": "snow"}\n');
  await writeFile(at('half.jsonl'), '{"_id": "\\ud800", "text": "rain"}\n');
  await writeFile(at('blank.tsv'), '1\train\n1 2\tsnow\n');
  await writeFile(at('other run'), 'q7 Q0 a 1 2 t\nq8 Q0 a 1 2 t\n');
  await writeFile(at('empty.jsonl'), '');
  await writeFile(at('binary'), Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7]));
  await mkdir(at('nothing'));

  await cp(at('data'), at('no corpus'), { recursive: true });
  await rm(at('no corpus', 'corpus.jsonl'));
  await cp(at('data'), at('empty corpus'), { recursive: true });
  await writeFile(at('empty corpus', 'corpus.jsonl'), '');
  await cp(at('data'), at('strange queries'), { recursive: true });
  await writeFile(at('strange queries', 'queries.jsonl'), '{"_id": "q9", "text": "rain"}\n');

  await cp(at('data'), at('blank docids'), { recursive: true });
  await writeFile(at('blank docids', 'corpus.jsonl'), '{"_id": "d 1", "text": "rain"}\n');
  await cp(at('data'), at('blank qids'), { recursive: true });
  await writeFile(at('blank qids', 'queries.jsonl'), '{"_id": "q 1", "text": "rain"}\n');
  await cp(at('data'), at('nothing relevant'), { recursive: true });
  await writeFile(at('nothing relevant', 'qrels', 'test.tsv'), 'query-id\tcorpus-id\tscore\nq1\td1\t0\n');

  await cp(tinyModel, at('cut model'), { recursive: true });
  await truncate(at('cut model', 'model.safetensors'), 50_000);
  await cp(tinyModel, at('no weights'), { recursive: true });
  await rm(at('no weights', 'model.safetensors'));
  await cp(tinyModel, at('unknown type'), { recursive: true });
  const config = JSON.parse(await readFile(at('unknown type', 'config.json'), 'utf8')) as Record<string, unknown>;
  await writeFile(at('unknown type', 'config.json'), JSON.stringify({ ...config, model_type: 'abacus' }));
  await cp(tinyModel, at('wide tokenizer'), { recursive: true });
  const tokenizerPath = at('wide tokenizer', 'tokenizer.json');
  const tokenizer = JSON.parse(await readFile(tokenizerPath, 'utf8')) as { model: { vocab: Record<string, number> } };
  tokenizer.model.vocab.umbrella = 118;
  await writeFile(tokenizerPath, JSON.stringify(tokenizer));

  const row = { indices: Uint32Array.of(1, 2), values: Float32Array.of(1, 2) };
  const options = { config: {}, parents: {} };
  await writeVectors(at('vectors'), SparseVectors.fromRows(['d1'], [row], 4), options);
  await writeVectors(
    at('wider'),
    SparseVectors.fromRows(['q1'], [{ ...row, indices: Uint32Array.of(1, 9) }], 10),
    options,
  );
  await cp(at('vectors'), at('cut vectors'), { recursive: true });
  await truncate(at('cut vectors', 'values.f32'), 4);
  expect((await lexray(['index', at('vectors'), '-o', at('index')])).code).toBe(0);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const encode = (model: string, input: string): string[] => ['encode', model, input, '-o', 'out', '--kind', 'document'];

describe('bad input ends with exit code 3 and nothing written', () => {
  it.each([
    ['measure: no qrels', ['measure', 'absent', 'run'], 'absent'],
    ['measure: no run', ['measure', 'qrels', 'absent'], 'absent'],
    ['measure: a folder as qrels', ['measure', 'nothing', 'run'], 'nothing'],
    ['measure: empty qrels', ['measure', 'empty', 'run'], 'empty'],
    ['measure: an empty run', ['measure', 'qrels', 'empty'], 'empty'],
    ['measure: a run as qrels', ['measure', 'run', 'run'], 'run:1'],
    ['measure: qrels as a run', ['measure', 'qrels', 'qrels'], 'qrels:1'],
    [
      'measure: a run of other queries',
      ['measure', 'qrels', 'other run'],
      'no query of the run (q7, q8) is in the qrels',
    ],
    ['measure: nothing relevant', ['measure', 'irrelevant', 'run'], 'has a relevant document'],
    ['compare: nothing relevant', ['compare', 'irrelevant', 'run', 'run'], 'has a relevant document'],
    ['compare: a run of other queries', ['compare', 'qrels', 'run', 'other run'], 'no query of the run (q7, q8)'],
    ['measure: a damaged gzip file', ['measure', 'binary', 'run'], 'binary'],
    ['compare: no second run', ['compare', 'qrels', 'run', 'absent'], 'absent'],
    ['index: no vectors', ['index', 'absent', '-o', 'out'], 'absent'],
    ['index: a folder without vectors', ['index', 'nothing', '-o', 'out'], 'nothing'],
    ['index: an index instead of vectors', ['index', 'index', '-o', 'out'], 'lexray-vectors'],
    ['index: truncated vectors', ['index', 'cut vectors', '-o', 'out'], 'values.f32'],
    ['search: vectors instead of an index', ['search', 'vectors', 'vectors', '-o', 'out'], 'lexray-index'],
    ['search: queries of another width', ['search', 'index', 'wider', '-o', 'out'], 'the queries have 10 dimensions'],
    ['encode: no model', encode('absent', 'words.txt'), 'absent'],
    ['encode: a folder that is no model', encode('nothing', 'words.txt'), 'nothing'],
    ['encode: a model without weights', encode('no weights', 'words.txt'), 'no weights'],
    ['encode: truncated weights', encode('cut model', 'words.txt'), 'model.safetensors'],
    ['encode: an unknown model type', encode('unknown type', 'words.txt'), 'abacus'],
    ['encode: a tokenizer wider than the head', encode('wide tokenizer', 'words.txt'), '118'],
    ['encode: no input', encode(tinyModel, 'absent.jsonl'), 'absent.jsonl'],
    ['encode: an empty input', encode(tinyModel, 'empty.jsonl'), 'empty.jsonl'],
    ['encode: a broken line', encode(tinyModel, 'broken.jsonl'), 'broken.jsonl:2'],
    ['encode: an id twice', encode(tinyModel, 'twice.jsonl'), 'twice.jsonl:2'],
    ['encode: an id with a blank', encode(tinyModel, 'blank.jsonl'), 'blank.jsonl:2'],
    ['encode: an id with a blank in a table', encode(tinyModel, 'blank.tsv'), '"1 2" has white space'],
    ['encode: an id that has no UTF-8', encode(tinyModel, 'half.jsonl'), 'half a surrogate pair'],
    [
      'evaluate: a docid with a blank',
      ['evaluate', tinyModel, '--data', 'blank docids'],
      'docid "d 1" has white space',
    ],
    ['evaluate: a qid with a blank', ['evaluate', tinyModel, '--data', 'blank qids'], 'qid "q 1" has white space'],
    ['evaluate: nothing relevant', ['evaluate', tinyModel, '--data', 'nothing relevant'], 'has a relevant document'],
    ['evaluate: no collection', ['evaluate', tinyModel, '--data', 'absent'], 'absent'],
    ['evaluate: no corpus', ['evaluate', tinyModel, '--data', 'no corpus'], 'corpus.jsonl'],
    ['evaluate: an empty corpus', ['evaluate', tinyModel, '--data', 'empty corpus'], 'the corpus is empty'],
    ['evaluate: queries of another collection', ['evaluate', tinyModel, '--data', 'strange queries'], 'queries'],
    ['evaluate: no such split', ['evaluate', tinyModel, '--data', 'data', '--split', 'dev'], 'test'],
    ['evaluate: no model', ['evaluate', 'nothing', '--data', 'data'], 'nothing'],
  ])('%s', async (_title, args, named) => {
    const { code, stdout, stderr } = await lexray(args, { cwd: folder });
    expect(stderr).toMatch(/^error: /m);
    const line = stderr.split('\n').find((text) => text.startsWith('error: '))!;
    expect(line).toContain(named);
    expect(stderr).not.toMatch(/\n +at /);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    const entries = await readdir(folder);
    expect(entries.filter((name) => name === 'out' || name.endsWith('.partial'))).toEqual([]);
  });
});

describe('an output that exists', () => {
  it.each([
    ['index', ['index', 'vectors', '-o', 'taken'], 'lexray-index'],
    ['search', ['search', 'index', 'vectors', '-o', 'taken.trec'], ''],
    ['encode', [...encode(tinyModel, 'words.txt').slice(0, 3), '-o', 'taken', '--kind', 'query'], 'lexray-vectors'],
    ['evaluate', ['evaluate', tinyModel, '--data', 'data', '--run-out', 'taken.trec'], ''],
  ])('%s leaves it alone without --force, and replaces its own kind with', async (_verb, args, format) => {
    await mkdir(at('taken'), { recursive: true });
    await writeFile(at('taken', 'mine.txt'), 'mine');
    await writeFile(at('taken.trec'), 'mine');
    const { code, stderr } = await lexray(args, { cwd: folder });
    expect(stderr).toMatch(/^error: the output already exists: taken\S* cure: .*--force/);
    expect(code).toBe(2);
    expect(await readFile(at('taken', 'mine.txt'), 'utf8')).toBe('mine');
    expect(await readFile(at('taken.trec'), 'utf8')).toBe('mine');
    if (format !== '') {
      const foreign = await lexray([...args, '--force'], { cwd: folder });
      expect(foreign.stderr).toMatch(/^error: the output is a folder of another kind/);
      expect(foreign.code).toBe(2);
      expect(await readFile(at('taken', 'mine.txt'), 'utf8')).toBe('mine');
      await writeFile(at('taken', 'manifest.json'), JSON.stringify({ format }));
    }
    const forced = await lexray([...args, '--force'], { cwd: folder });
    expect({ code: forced.code, stderr: forced.stderr }).toEqual({ code: 0, stderr: '' });
    const target = args.includes('taken') ? 'taken' : 'taken.trec';
    if (target === 'taken') expect(await readdir(at('taken'))).not.toContain('mine.txt');
    else expect(await readFile(at('taken.trec'), 'utf8')).toMatch(/^\S+ Q0 /);
    await rm(at('taken'), { recursive: true });
    await rm(at('taken.trec'));
  });
});

describe('texts at the edges', () => {
  it('encodes an empty text, a text of unknown signs and one of a million characters', async () => {
    const lines = ['', '\u{1F600}\u0000', 'rain '.repeat(200_000)].map((text, i) => JSON.stringify({ _id: i, text }));
    await writeFile(at('edges.jsonl'), `${lines.join('\n')}\n`);
    const { code, stdout } = await lexray([...encode(tinyModel, 'edges.jsonl'), '--json'], { cwd: folder });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ vectors: 3 });
    await rm(at('out'), { recursive: true });
  });
});

describe('--verbose', () => {
  it('shows where an error comes from, below the line', async () => {
    const { code, stderr } = await lexray(['measure', 'absent', 'run', '--verbose'], { cwd: folder });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error: .*\n[\s\S]*\n +at .*[\s\S]*caused by: /);
  });
});

describe.skipIf(process.platform === 'win32')('odd paths', () => {
  it('follows a link to a model', async () => {
    await symlink(tinyModel, at('linked'));
    const { code } = await lexray([...encode('linked', 'words.txt'), '--quiet'], { cwd: folder });
    expect(code).toBe(0);
    await rm(at('out'), { recursive: true });
  });
});
