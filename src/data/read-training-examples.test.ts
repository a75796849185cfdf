import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
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
      [{ ...plain, negatives: ['n'], scores: [0, -2.5] }],
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
    [
      'a.jsonl',
      '{"query":"q","positive":"p","negative_1":"n","negative_2":"m","label":[3,4]}',
      [{ ...plain, negatives: ['n', 'm'], scores: [0, -3, -4] }],
    ],
    [
      'a.jsonl',
      '{"query":"q","positive":"p","negative_1":"n","negative_2":"m","label":[5,3,4]}',
      [{ ...plain, negatives: ['n', 'm'], scores: [5, 3, 4] }],
    ],
    ['a.jsonl', '["q","p","n","m",[5,3,4]]', [{ ...plain, negatives: ['n', 'm'], scores: [5, 3, 4] }]],
    ['a.jsonl', '{"query":"q","positive":"p","label":1}', [plain]],
    ['a.jsonl', '{"sentence1":"q","sentence2":"p","score":0.9}', [plain]],
    ['a.jsonl', '{"title":"q","body":"p","other":"n"}', [{ ...plain, negatives: ['n'] }]],
    [
      'a.jsonl',
      '{"query_id":7,"query":"q","positive_passages":[{"docid":"a","title":"T","text":"p"}],"negative_passages":[{"docid":"b","text":"n"}]}',
      [{ query: 'q', positive: 'T p', negatives: ['n'], id: '7', positiveId: 'a' }],
    ],
    [
      'a.jsonl',
      '{"question":"q","answers":["a"],"positive_ctxs":[{"title":"","text":"p","score":9}],"negative_ctxs":[],"hard_negative_ctxs":[{"text":"n","score":4.5}]}',
      [{ ...plain, negatives: ['n'], scores: [9, 4.5] }],
    ],
    [
      'a.jsonl',
      '{"query":"q","query_id":"1","positive":"p","positive_id":"2","negatives":["n"],"negative_ids":["3"]}',
      [{ ...plain, negatives: ['n'], id: '1', positiveId: '2' }],
    ],
    ['without-an-extension', 'q\tp\n', [plain]],
    ['a.tsv', '{"query":"q","pos":"p"}', [plain]],
    ['a.jsonl', 'q\tp\n', [plain]],
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

describe('Parquet', () => {
  type Columns = Readonly<Record<string, unknown[]>>;
  const writeParquet = (name: string, columns: Columns): string => {
    const columnData = Object.entries(columns).map(([column, data]) => ({ name: column, data }));
    return write(name, new Uint8Array(parquetWriteBuffer({ columnData })));
  };

  test.each<[string, Columns, object[]]>([
    [
      'pairs, by the order of the columns',
      { title: ['q', 'r'], abstract: ['p', 's'] },
      [
        { query: 'q', positive: 'p', negatives: [] },
        { query: 'r', positive: 's', negatives: [] },
      ],
    ],
    [
      'triplets',
      { anchor: ['q'], positive: ['p'], negative: ['n'] },
      [{ query: 'q', positive: 'p', negatives: ['n'] }],
    ],
    [
      'scored triplets: a margin',
      { query: ['q'], positive: ['p'], negative: ['n'], score: [2.5] },
      [{ query: 'q', positive: 'p', negatives: ['n'], scores: [0, -2.5] }],
    ],
    [
      'scored n-tuples',
      { query: ['q'], positive: ['p'], negative_1: ['n'], negative_2: ['m'], label: [[3, 2, 1]] },
      [{ query: 'q', positive: 'p', negatives: ['n', 'm'], scores: [3, 2, 1] }],
    ],
    [
      'scored documents, with a vector that is not looked at',
      { query: ['q'], docs: [['n', 'p']], scores: [[1, 2]], vector: [[0.5, 0.5]] },
      [{ query: 'q', positive: 'p', negatives: ['n'], scores: [2, 1] }],
    ],
  ])('%s', async (_title, columns, examples) => {
    expect(await readTrainingExamples(writeParquet('a.parquet', columns))).toEqual(examples);
  });

  test('by id, with a collection and scores in Parquet too (sentence-transformers/msmarco)', async () => {
    const path = writeParquet('a.parquet', { query_id: [11n], positive_id: [1n], negative_id: [2n], score: [4.5] });
    const corpus = writeParquet('passages.parquet', { passage_id: [1n, 2n, 3n], passage: ['one', 'two', 'three'] });
    const queries = writeParquet('queries.parquet', { query_id: [11n], query: ['first'] });
    const expected = { query: 'first', positive: 'one', negatives: ['two'], scores: [0, -4.5] };
    expect(await readTrainingExamples(path, { corpus, queries })).toMatchObject([expected]);
    const teacherScores = writeParquet('ce', { query_id: [11n, 11n], passage_id: [1n, 2n], score: [9, 1] });
    expect(await readTrainingExamples(path, { corpus, queries, teacherScores })).toMatchObject([{ scores: [9, 1] }]);
    await expect(readTrainingExamples(path, { corpus: writeParquet('b', { name: ['x'] }), queries })).rejects.toThrow(
      /a column for ids and one for texts, got name/,
    );
  });

  test('the shards of a folder, in the order of their names', async () => {
    mkdirSync(join(folder, 'data'));
    for (const name of ['train-1', 'train-0']) writeParquet(`data/${name}.parquet`, { query: [name], positive: ['p'] });
    expect((await readTrainingExamples(folder)).map(({ query }) => query)).toEqual(['train-0', 'train-1']);
  });

  test('a row that does not fit is named', async () => {
    const path = writeParquet('a.parquet', { query: ['q', 'r', ''], positive: ['p', 's', 't'] });
    await expect(readTrainingExamples(path)).rejects.toMatchObject({ where: `${path}, row 3`, code: 'BAD_INPUT' });
    writeFileSync(path, 'PAR1 and nothing more');
    await expect(readTrainingExamples(path)).rejects.toMatchObject({ where: path, code: 'BAD_INPUT' });
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

  test('cross-encoder scores beside the ids (the first msmarco-hard-negatives)', async () => {
    const system = (...pids: number[]): object[] => pids.map((pid) => ({ pid, 'ce-score': pid / 2 }));
    const record = { qid: 11, pos: system(1), neg: { bm25: system(2), dense: system(4, 2) } };
    write('corpus.jsonl', '{"_id":"1","text":"one"}\n{"_id":"2","text":"two"}\n{"_id":"4","text":"four"}\n');
    expect(await readTrainingExamples(write('a.jsonl', JSON.stringify(record)))).toEqual([
      {
        query: 'first',
        positive: 'one',
        negatives: ['two', 'four'],
        id: '11',
        positiveId: '1',
        negativeIds: ['2', '4'],
        scores: [0.5, 1, 2],
      },
    ]);
  });

  test('OpenSearch by id', async () => {
    const path = write('a.jsonl', '{"query":"11","docs":["2","1"],"scores":[1,3]}');
    expect(await readTrainingExamples(path)).toMatchObject([
      { query: 'first', positive: 'T one', negatives: ['two'], scores: [3, 1] },
    ]);
  });

  test('qrels beside the collection: judged pairs of grade 1 and more', async () => {
    const path = write('qrels.train.tsv', '11\t0\t1\t1\n11\t0\t2\t0\n12\t0\t2\t1\n');
    expect(await readTrainingExamples(path)).toMatchObject([
      { query: 'first', positive: 'T one', negatives: [] },
      { query: 'second', positive: 'two', negatives: [] },
    ]);
  });

  test('only what is used is looked up', async () => {
    const path = write('a.jsonl', '{"qid":11,"pos":[1],"neg":[2,404]}');
    await expect(readTrainingExamples(path)).rejects.toThrow('the document "404" is not in the collection');
    expect(await readTrainingExamples(path, { maxNegatives: 1 })).toMatchObject([{ negatives: ['two'] }]);
  });

  test.each<[string, string]>([
    ['run.trec', '11 Q0 1 1 9.5 ce\n11 Q0 2 2 -4 ce\n12 Q0 1 1 3 ce\n'],
    ['scores.tsv', '11\t1\t9.5\n11\t2\t-4\n'],
    ['scores.jsonl', '{"qid":11,"scores":{"1":9.5,"2":-4,"77":1}}\n'],
    ['pairs.jsonl', '{"query_id":"11","passage_id":1,"score":9.5}\n{"query_id":"11","pid":"2","score":-4}\n'],
  ])("a teacher's scores in %s", async (name, content) => {
    const path = write('a.jsonl', '{"qid":11,"pos":[1],"neg":[2]}\n{"qid":12,"pos":[2],"neg":[1]}\n');
    const warnings: string[] = [];
    const teacherScores = write(name, content);
    const onWarning = (message: string): void => void warnings.push(message);
    const examples = await readTrainingExamples(path, { teacherScores, onWarning });
    expect(examples[0]).toMatchObject({ query: 'first', scores: [9.5, -4] });
    expect(examples[1]).not.toHaveProperty('scores');
    const missing = name === 'run.trec' ? 1 : 2;
    expect(warnings).toEqual([`${teacherScores}: ${missing} of 4 pairs of the data have no score`]);
  });

  test('a negative without a score has NaN', async () => {
    const path = write('a.jsonl', '{"qid":11,"pos":[1],"neg":[2]}\n');
    const teacherScores = write('scores.tsv', '11\t1\t9.5\n');
    expect(await readTrainingExamples(path, { teacherScores })).toMatchObject([{ scores: [9.5, Number.NaN] }]);
  });

  test.each<[string, RegExp]>([
    ['11\t1\thigh\n', /expected a number as score, got null/],
    ['11\t1\n', /expected 3 or 6 columns/],
    ['{"qid":11}\n', /expected scores by docid/],
    ['{"scores":{"1":2}}\n', /expected a qid/],
    ['{"qid":11,"scores":{"1":"2"}}\n', /expected a number as score, got "2"/],
    ['{"qid":\n', /is not JSON/],
    ['5\t6\t1\n', /none of the 1 scores is of a query and a document of the data/],
  ])('refuses the scores %j', async (content, message) => {
    const path = write('a.jsonl', '{"qid":11,"pos":[1],"neg":[2]}\n');
    const teacherScores = write('scores.tsv', content);
    await expect(readTrainingExamples(path, { teacherScores })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message) as string,
      where: expect.stringContaining(teacherScores) as string,
    });
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
    ['a.jsonl', '{"query":"q","pos":[{"title":"p"}]}', /text or an id in pos/, 1],
    ['a.jsonl', '{"query":[],"pos":"p"}', /query is empty/, 1],
    ['a.jsonl', '{"query":"q","pos":"p","label":0}', /has the label 0: its document is not relevant/, 1],
    ['a.jsonl', '{"_id":"1","title":"t","text":"p"}', /a query \(query, .*got the fields _id, title, text/, 1],
    ['a.jsonl', '{"query":"q","pos":"p","negs":["n","m","o"],"score":1}', /expected 4 scores.* or 3 margins, got 1/, 1],
    ['a.jsonl', '{"query":"q","pos":["p","o"],"negs":["n"],"score":1}', /got 1 for 2 positives/, 1],
    ['a.jsonl', '{"query":"q","pos":"p"}\n{"query":', /line 2 is not JSON/, 2],
    ['a.jsonl', '{"query":"q","pos":"p","negs":[null]}', /text or an id in negs, got null/, 1],
    [
      'a.jsonl',
      '{"query":"q","pos":"p","negs":["n"],"scores":[1,2,3]}',
      /expected 2 scores, of one positive and 1 negatives, or 1 margins, got 3/,
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
    ['texts.txt', {}, /cannot tell the form: the first line is no JSON and has no tab: "a"/],
    ['scores.pkl', {}, /Python pickle .* is not read/],
    ['data.zip', {}, /a ZIP archive/],
    ['data.arrow', {}, /an Arrow file/],
    ['array.json', {}, /one JSON value over many lines/],
    ['', {}, /is no BEIR folder \(it has no corpus.jsonl\) and has no .parquet file/],
    ['pairs.csv', {}, /cannot tell the form/],
    ['pairs.tsv', { corpus: 'nowhere' }, /there are no documents in nowhere/],
  ])('%s %j', async (name, options, message) => {
    write('empty.tsv', '\n');
    write('texts.txt', 'a\n');
    write('pairs.csv', 'a,b\n');
    write('scores.pkl', Uint8Array.of(0x80, 4, 0x95, 0, 0, 0));
    write('data.zip', 'PK\u0003\u0004rest');
    write('data.arrow', 'ARROW1\0\0');
    write('array.json', '[\n {"query": "q"}\n]');
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
