import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Document } from './document.ts';
import { type BeirCollection, listSplits, loadBeir } from './load-beir.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lexray-beir-'));
  mkdirSync(join(folder, 'qrels'));
  write(
    'corpus.jsonl',
    '{"_id": "d1", "title": "T", "text": "one"}\n{"_id": 2, "text": "two"}\n{"_id": "d3", "title": "three"}\n',
  );
  write(
    'queries.jsonl',
    '{"_id": "q2", "text": "second"}\n{"_id": "q1", "text": "first"}\n{"_id": "q9", "text": "unused"}\n',
  );
  write('qrels/test.tsv', 'query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\t2\t2\nq2\td3\t0\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): void {
  writeFileSync(join(folder, name), content);
}

async function documentsOf(collection: BeirCollection): Promise<Document[]> {
  const documents: Document[] = [];
  for await (const document of collection.documents()) documents.push(document);
  return documents;
}

test('reads queries of the qrels only, grades, and documents in file order', async () => {
  const collection = await loadBeir(folder);
  expect(collection.queries).toEqual([
    { qid: 'q2', text: 'second' },
    { qid: 'q1', text: 'first' },
  ]);
  expect(collection.qrels.get('q2')).toEqual(
    new Map([
      ['2', 2],
      ['d3', 0],
    ]),
  );
  expect(collection.documentCount).toBeUndefined();
  expect(await documentsOf(collection)).toEqual([
    { docid: 'd1', title: 'T', text: 'one' },
    { docid: '2', title: '', text: 'two' },
    { docid: 'd3', title: 'three', text: '' },
  ]);
  expect(collection.documentCount).toBe(3);
});

test('counts documents without reading them', async () => {
  const collection = await loadBeir(`${folder}/`);
  expect(await collection.countDocuments()).toBe(3);
  expect(collection.documentCount).toBe(3);
  expect(folder.endsWith(collection.name)).toBe(true);
});

test('reads gzip, and other splits', async () => {
  rmSync(join(folder, 'corpus.jsonl'));
  write('corpus.jsonl.gz', gzipSync('{"_id": "d1", "title": null, "text": "one"}\n'));
  write('qrels/dev.tsv', 'query-id\tcorpus-id\tscore\nq9\td1\t1\n');
  const collection = await loadBeir(folder, { split: 'dev' });
  expect(collection.queries).toEqual([{ qid: 'q9', text: 'unused' }]);
  expect(await documentsOf(collection)).toEqual([{ docid: 'd1', title: '', text: 'one' }]);
  expect(await listSplits(folder)).toEqual(['dev', 'test']);
});

test('warns about judged queries and documents that are not there', async () => {
  write('qrels/test.tsv', 'query-id\tcorpus-id\tscore\nq1\td1\t1\nq7\td1\t1\nq1\tgone\t1\n');
  const warnings: string[] = [];
  const collection = await loadBeir(folder, { onWarning: (message) => warnings.push(message) });
  expect([...collection.qrels.keys()]).toEqual(['q1']);
  await documentsOf(collection);
  expect(warnings).toEqual([
    '1 of 2 queries of the qrels are not in queries.jsonl and are left out: q7',
    '1 of 2 judged documents are not in the corpus and can not be found: gone',
  ]);
});

describe('refuses', () => {
  test.each<[string, () => void, RegExp]>([
    ['a folder without corpus', () => rmSync(join(folder, 'corpus.jsonl')), /there is no corpus.jsonl/],
    ['a folder without queries', () => rmSync(join(folder, 'queries.jsonl')), /there is no queries.jsonl/],
    ['a folder that does not exist', () => rmSync(folder, { recursive: true }), /there is no folder/],
    [
      'a folder without qrels',
      () => rmSync(join(folder, 'qrels'), { recursive: true }),
      /no split "test"; qrels\/ has no/,
    ],
    ['an empty corpus', () => write('corpus.jsonl', '\n'), /the corpus is empty/],
    ['a corpus that is not JSON', () => write('corpus.jsonl', 'id,text\n'), /line 1 is not JSON/],
    [
      'a document without id',
      () => write('corpus.jsonl', '{"text": "a"}'),
      /string or an integer as _id, got undefined/,
    ],
    ['a document with an empty id', () => write('corpus.jsonl', '{"_id": "", "text": "a"}'), /as _id, got ""/],
    ['a document with a fraction as id', () => write('corpus.jsonl', '{"_id": 1.5, "text": "a"}'), /as _id, got 1.5/],
    [
      'a document without text fields',
      () => write('corpus.jsonl', '{"_id": "a", "contents": "b"}'),
      /fields _id, contents/,
    ],
    [
      'a document whose text is a list',
      () => write('corpus.jsonl', '{"_id": "a", "text": ["b"]}'),
      /expected a string as text/,
    ],
    ['a document that is a list', () => write('corpus.jsonl', '[1]'), /expected a JSON object, got \[1\]/],
    ['a query without text', () => write('queries.jsonl', '{"_id": "q1"}'), /expected a text, got the fields _id/],
    [
      'a query twice',
      () => write('queries.jsonl', '{"_id":"q","text":"a"}\n{"_id":"q","text":"b"}'),
      /qid "q" occurs twice/,
    ],
    ['queries that fit no qrels', () => write('queries.jsonl', '{"_id":"x","text":"a"}'), /none of the 2 queries/],
    ['qrels without judgements', () => write('qrels/test.tsv', 'query-id\tcorpus-id\tscore\n'), /no judgement/],
  ])('%s', async (_, spoil, message) => {
    spoil();
    await expect(loadBeir(folder)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message),
      where: expect.any(String),
    });
  });

  test('a split that does not exist, naming those that do', async () => {
    write('qrels/train.tsv', 'query-id\tcorpus-id\tscore\nq1\td1\t1\n');
    await expect(loadBeir(folder, { split: 'dev' })).rejects.toThrow('there is no split "dev"; there are: test, train');
  });

  test('a document twice, with its line', async () => {
    write('corpus.jsonl', '{"_id": 7, "text": "a"}\n{"_id": "b", "text": "a"}\n{"_id": "7", "text": "c"}\n');
    const collection = await loadBeir(folder);
    await expect(documentsOf(collection)).rejects.toMatchObject({
      message: 'the docid "7" occurs twice',
      where: `${join(folder, 'corpus.jsonl')}:3`,
    });
  });

  test('to go on when it is interrupted', async () => {
    const collection = await loadBeir(folder);
    const documents = collection.documents({ signal: AbortSignal.abort() });
    await expect(documents.next()).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

const shared = fileURLToPath(new URL('../../../shared/data', import.meta.url));
test.skipIf(!existsSync(shared))(
  'reads the real collections of ../shared, whose figures are in their README',
  async () => {
    const warnings: string[] = [];
    const sizes: Record<string, [number, number]> = {};
    for (const name of ['esci-titles', 'dbpedia-titles', 'medquad-liveqa', 'scifact', 'cosqa']) {
      const collection = await loadBeir(join(shared, name), { onWarning: (message) => warnings.push(message) });
      sizes[name] = [(await documentsOf(collection)).length, collection.queries.length];
    }
    expect(sizes).toEqual({
      'esci-titles': [6764, 120],
      'dbpedia-titles': [45685, 367],
      'medquad-liveqa': [1935, 79],
      scifact: [5183, 245],
      cosqa: [6267, 422],
    });
    expect(warnings).toEqual([]);
  },
);
