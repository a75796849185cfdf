import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readTrainingExamples, type TrainingDataOptions } from './read-training-examples.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lexray-training-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function writeCollection(): void {
  mkdirSync(join(folder, 'qrels'));
  write(
    'corpus.jsonl',
    '{"_id":"1","title":"T","text":"one"}\n{"_id":"2","text":"two"}\n{"_id":"3","title":" ","text":""}\n',
  );
  write('queries.jsonl', '{"_id":"11","text":"first"}\n{"_id":"12","text":"second"}\n');
  write('qrels/train.tsv', 'query-id\tcorpus-id\tscore\n12\t2\t1\n11\t1\t1\n11\t2\t2\n12\t1\t0\n12\t3\t1\n');
}

describe('files of texts', () => {
  const plain = { query: 'q', positive: 'p', negatives: [] };
  test.each<[string, string, object[]]>([
    ['a.tsv', 'q\tp\nr\ts\tn1\tn2\n', [plain, { query: 'r', positive: 's', negatives: ['n1', 'n2'] }]],
    ['a.tsv', 'q\tp\tn\t1.5\t-2\n', [{ query: 'q', positive: 'p', negatives: ['n'], scores: [1.5, -2] }]],
    ['a.tsv', '911\tp\n', [{ query: '911', positive: 'p', negatives: [] }]],
    ['a.jsonl', '{"query":"q","pos":"p","negs":["n","m"]}', [{ ...plain, negatives: ['n', 'm'] }]],
    [
      'a.jsonl',
      '{"query":"q","pos":["p","o"],"neg":["n"]}',
      [
        { ...plain, negatives: ['n'] },
        { ...plain, positive: 'o', negatives: ['n'] },
      ],
    ],
    ['a.jsonl', '{"query":"q","positive":"p","negatives":["n"]}', [{ ...plain, negatives: ['n'] }]],
    ['a.jsonl', '{"anchor":"q","positive":"p"}', [plain]],
    ['a.jsonl', '{"query":"q","positive":"p"}', [plain]],
    ['a.jsonl', '{"anchor":"q","positive":"p","negative":"n"}', [{ ...plain, negatives: ['n'] }]],
    [
      'a.jsonl',
      '{"anchor":"q","positive":"p","negative_10":"n10","negative_2":"n2"}',
      [{ ...plain, negatives: ['n2', 'n10'] }],
    ],
    ['a.jsonl', '["q","p"]\n["q","p","n"]', [plain, { ...plain, negatives: ['n'] }]],
    [
      'a.jsonl',
      '{"query":"q","positive":"p","negative":"n","score":2.5}',
      [{ ...plain, negatives: ['n'], scores: [2.5, 0] }],
    ],
    [
      'a.jsonl',
      '{"query":"q","pos":"p","negs":["n"],"scores":[3,1]}',
      [{ ...plain, negatives: ['n'], scores: [3, 1] }],
    ],
    [
      'a.jsonl',
      '{"query":"q","docs":["n","p","m"],"scores":[1,5,2]}',
      [{ ...plain, negatives: ['n', 'm'], scores: [5, 1, 2] }],
    ],
  ])('%s %s', async (name, content, examples) => {
    expect(await readTrainingExamples(write(name, content))).toEqual(examples);
    expect(await readTrainingExamples(write(`${name}.gz`, gzipSync(content)))).toEqual(examples);
  });

  test('negatives can be limited, and the scores with them', async () => {
    const path = write('a.jsonl', '{"query":"q","pos":"p","negs":["n","m"],"scores":[3,1,2]}');
    expect(await readTrainingExamples(path, { maxNegatives: 1 })).toEqual([
      { query: 'q', positive: 'p', negatives: ['n'], scores: [3, 1] },
    ]);
    expect(await readTrainingExamples(path, { maxNegatives: 0 })).toMatchObject([{ negatives: [], scores: [3] }]);
  });
});

describe('data that name queries and documents by id', () => {
  beforeEach(writeCollection);

  test('a BEIR folder: every document of grade 1 and more; those without text are left out', async () => {
    const warnings: string[] = [];
    const examples = await readTrainingExamples(folder, { onWarning: (message) => warnings.push(message) });
    expect(examples).toEqual([
      { query: 'first', positive: 'T one', negatives: [], id: '11', positiveId: '1' },
      { query: 'first', positive: 'two', negatives: [], id: '11', positiveId: '2' },
      { query: 'second', positive: 'two', negatives: [], id: '12', positiveId: '2' },
    ]);
    expect(warnings).toEqual(['1 training examples are left out: their query or document has no text']);
  });

  test('a BEIR folder without the split names those that there are', async () => {
    await expect(readTrainingExamples(folder, { split: 'dev' })).rejects.toThrow('no split "dev"; there are: train');
  });

  test('docids of the corpus beside the file', async () => {
    const path = write('pairs.jsonl', '{"src":"x","query":"q","pos":["2","1"]}\n');
    expect(await readTrainingExamples(path)).toEqual([
      { query: 'q', positive: 'two', negatives: [], positiveId: '2' },
      { query: 'q', positive: 'T one', negatives: [], positiveId: '1' },
    ]);
  });

  test('texts beside a corpus stay texts', async () => {
    expect(await readTrainingExamples(write('pairs.jsonl', '{"query":"q","pos":["text"]}'))).toEqual([
      { query: 'q', positive: 'text', negatives: [] },
    ]);
  });

  test.each<[string, string]>([
    ['a.jsonl', '{"qid":11,"pos":[1],"neg":{"bm25":[2],"dense":[2]}}'],
    ['a.jsonl', '{"query_id":"11","positive_id":"1","negative_id":"2","score":4}'],
    ['a.tsv', '11\t1\t2\n'],
  ])('hard negatives by id, beside the collection or elsewhere: %s %s', async (name, content) => {
    const expected = { query: 'first', positive: 'T one', negatives: ['two'], id: '11', positiveId: '1' };
    expect(await readTrainingExamples(write(name, content))).toMatchObject([expected]);
    mkdirSync(join(folder, 'else'));
    const path = write(`else/${name}`, content);
    expect(await readTrainingExamples(path, { corpus: folder })).toMatchObject([expected]);
    const passages = write('passages.tsv', '1\tT one\n2\ttwo\n');
    const queries = write('topics.tsv', '11\tfirst\n');
    expect(await readTrainingExamples(path, { corpus: passages, queries })).toMatchObject([expected]);
    await expect(readTrainingExamples(path)).rejects.toThrow(/can only be found by id/);
  });
});

describe('refuses, with file and line', () => {
  test.each<[string, string, RegExp, number]>([
    ['a.tsv', 'q\tp\nonly one column\n', /at least 2 columns parted by tabs, got 1/, 2],
    ['a.tsv', 'q\tp\tn\nq\t\tn\n', /column 2 of 3 is empty/, 2],
    ['a.jsonl', '{"query":"q","pos":"p"}\n\n{"pos":"p"}\n', /a query \(query, anchor.*got the fields pos/, 3],
    ['a.jsonl', '{"query":"q","text":"p"}', /a positive \(pos, .*got the fields query, text/, 1],
    ['a.jsonl', '{"query":"q","pos":[]}', /pos is empty/, 1],
    ['a.jsonl', '{"query":" ","pos":"p"}', /text or an id in query, got " "/, 1],
    ['a.jsonl', '{"query":"q","pos":[{"text":"p"}]}', /text or an id in pos/, 1],
    ['a.jsonl', '{"query":"q","pos":"p","negs":[null]}', /text or an id in negs, got null/, 1],
    [
      'a.jsonl',
      '{"query":"q","pos":"p","negs":["n"],"scores":[1]}',
      /a score for one positive and 1 negatives, got 1/,
      1,
    ],
    ['a.jsonl', '{"query":"q","docs":["a"],"scores":["1"]}', /expected numbers as scores/, 1],
    ['a.jsonl', '{"query":"q","docs":[],"scores":[]}', /as many scores as docs, got 0 and 0/, 1],
    ['a.jsonl', '["q"]', /\[anchor, positive, negative…\], got a list of 1/, 1],
    ['a.jsonl', '"q"', /expected a JSON object/, 1],
    [
      'a.jsonl',
      '{"query":"q","pos":"p"}\n{"query":"q","pos":[5]}',
      /documents of this line can only be found by id/,
      2,
    ],
  ])('%s %j', async (name, content, message, line) => {
    const path = write(name, content);
    await expect(readTrainingExamples(path)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message),
      where: `${path}:${line}`,
    });
  });

  test('an id that is not in the collection, or has no text', async () => {
    writeCollection();
    const path = write('pairs.jsonl', '{"query":"q","pos":["2"]}\n{"query":"q","pos":["9"]}\n');
    await expect(readTrainingExamples(path)).rejects.toMatchObject({
      message: 'the document "9" is not in the collection',
      where: `${path}:2`,
    });
    write('pairs.jsonl', '{"query":"q","pos":["2"]}\n{"query":"q","pos":["3"]}\n');
    await expect(readTrainingExamples(path)).rejects.toThrow('the document "3" has no text');
  });

  test.each<[string, TrainingDataOptions, RegExp]>([
    ['none.tsv', {}, /there is no file or folder/],
    ['empty.tsv', {}, /there is no training example/],
    ['texts.txt', {}, /has texts only/],
    ['pairs.csv', {}, /cannot tell the form/],
    ['pairs.tsv', { corpus: 'nowhere' }, /there are no documents in nowhere/],
  ])('%s %j', async (name, options, message) => {
    write('empty.tsv', '\n');
    write('texts.txt', 'a\n');
    write('pairs.csv', 'a,b\n');
    write('pairs.tsv', 'a\tb\n');
    await expect(readTrainingExamples(join(folder, name), options)).rejects.toThrow(message);
  });
});

const shared = fileURLToPath(new URL('../../../shared/data', import.meta.url));
describe.skipIf(!existsSync(shared))('the real data of ../shared', () => {
  test('dbpedia-titles: pairs whose positives are docids', async () => {
    const examples = await readTrainingExamples(join(shared, 'dbpedia-titles/train_pairs.jsonl'));
    expect(examples.length).toBeGreaterThanOrEqual(6458);
    expect(new Set(examples.map(({ query }) => query)).size).toBeLessThanOrEqual(6458);
    expect(examples[0]).toEqual({
      query: 'In which city were Rotary Clubs set up in 1905?',
      positive: 'Chicago',
      negatives: [],
      positiveId: '<dbpedia:Chicago>',
    });
  });

  test('scifact: the training split of 809 queries', async () => {
    const examples = await readTrainingExamples(join(shared, 'scifact'));
    expect(new Set(examples.map(({ id }) => id)).size).toBe(809);
  });
});
