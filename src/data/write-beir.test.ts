import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJsonLines } from '../util/jsonl.ts';
import { readManifest } from '../util/manifest.ts';
import { joinTitle } from './document.ts';
import { loadBeir } from './load-beir.ts';
import { readQrels } from './qrels.ts';
import { type BeirContent, collectionFormat, writeBeirFolder } from './write-beir.ts';

const content: BeirContent = {
  documents: [
    { docid: 'd1', title: 'Zeile\nund "Zeichen" \u{1F600}' },
    { docid: 'd2', title: 'second', text: 'with text' },
  ],
  queries: [
    { qid: 'q1', text: 'first query', split: 'train', relevant: ['d1', 'd2'] },
    { qid: 'q2', text: 'second query', split: 'test', relevant: ['d2'] },
  ],
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-beir-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('writeBeirFolder', () => {
  it('writes what the readers read back', async () => {
    const target = join(folder, 'whole');
    await writeBeirFolder(target, content, { config: { minQueryWords: 5 } });
    const records = async (name: string): Promise<unknown[]> => {
      const values: unknown[] = [];
      for await (const { value } of readJsonLines(join(target, name))) values.push(value);
      return values;
    };
    expect(await records('corpus.jsonl')).toEqual([
      { _id: 'd1', title: 'Zeile\nund "Zeichen" \u{1F600}', text: '' },
      { _id: 'd2', title: 'second', text: 'with text' },
    ]);
    expect(await records('queries.jsonl')).toEqual([
      { _id: 'q1', text: 'first query' },
      { _id: 'q2', text: 'second query' },
    ]);
    expect(await readFile(join(target, 'qrels', 'train.tsv'), 'utf8')).toBe(
      'query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t1\n',
    );
    expect(await readQrels(join(target, 'qrels', 'test.tsv'))).toEqual(new Map([['q2', new Map([['d2', 1]])]]));
    expect(await readManifest(target, collectionFormat, 1)).toMatchObject({ config: { minQueryWords: 5 } });
  });

  it('writes a folder that loads as a collection', async () => {
    const target = join(folder, 'loaded');
    await writeBeirFolder(target, content);
    const { queries, qrels, documents } = await loadBeir(target, { split: 'train' });
    expect(queries).toEqual([{ qid: 'q1', text: 'first query' }]);
    expect(qrels).toEqual(
      new Map([
        [
          'q1',
          new Map([
            ['d1', 1],
            ['d2', 1],
          ]),
        ],
      ]),
    );
    const texts: string[] = [];
    for await (const document of documents()) texts.push(joinTitle(document));
    expect(texts).toEqual(['Zeile\nund "Zeichen" \u{1F600}', 'second with text']);
  });

  it('writes many documents in chunks', async () => {
    const target = join(folder, 'many');
    const documents = Array.from({ length: 3000 }, (_, i) => ({ docid: `d${i}`, title: `title ${i} `.repeat(5) }));
    await writeBeirFolder(target, { documents, queries: [] });
    expect((await readFile(join(target, 'corpus.jsonl'), 'utf8')).split('\n')).toHaveLength(3001);
  });

  it.each([
    ['an identifier with white space', { qid: 'q 1', split: 'train', relevant: ['d1'] }],
    ['an empty identifier', { qid: 'q1', split: 'train', relevant: [''] }],
    ['a split that is a path', { qid: 'q1', split: '../train', relevant: ['d1'] }],
  ])('refuses %s and writes nothing', async (_title, query) => {
    const target = join(folder, 'bad');
    const bad = { ...content, queries: [{ text: '', ...query }] };
    await expect(writeBeirFolder(target, bad)).rejects.toMatchObject({ code: 'BAD_INPUT' });
    expect(existsSync(target)).toBe(false);
  });

  it('leaves nothing when it fails half-way, and the old folder as it was', async () => {
    const target = join(folder, 'kept');
    await writeBeirFolder(target, content);
    const failing: BeirContent = {
      ...content,
      documents: (function* () {
        yield { docid: 'd9', title: 'new' };
        throw new Error('the source broke');
      })(),
    };
    await expect(writeBeirFolder(target, failing, { force: true })).rejects.toThrow('the source broke');
    expect(await readFile(join(target, 'corpus.jsonl'), 'utf8')).toContain('"d1"');
    expect((await readdir(folder)).filter((name) => name.endsWith('.partial'))).toEqual([]);
    await expect(writeBeirFolder(target, content)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
