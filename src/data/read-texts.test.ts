import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countTexts, type NamedText, type ReadTextsOptions, readTexts } from './read-texts.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lexray-texts-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function read(name: string, content: string | Uint8Array, options?: ReadTextsOptions): Promise<NamedText[]> {
  const path = join(folder, name);
  writeFileSync(path, content);
  const texts: NamedText[] = [];
  for await (const text of readTexts(path, options)) texts.push(text);
  return texts;
}

test('JSONL with _id or id, title and text', async () => {
  const content = '{"_id": "a", "title": "T", "text": "x"}\n\n{"id": 7, "text": "y"}\n';
  expect(await read('a.jsonl', content)).toEqual([
    { id: 'a', text: 'T x' },
    { id: '7', text: 'y' },
  ]);
  expect(await read('a.ndjson', content, { titleSeparator: ' | ' })).toContainEqual({ id: 'a', text: 'T | x' });
});

test('TSV: what follows the first tab is the text', async () => {
  expect(await read('a.tsv', 'a\tone two\nb\tthree\tfour\r\nc\t\n')).toEqual([
    { id: 'a', text: 'one two' },
    { id: 'b', text: 'three\tfour' },
    { id: 'c', text: '' },
  ]);
});

test('TXT: ids are line numbers, blank lines are left out', async () => {
  expect(await read('a.txt.gz', gzipSync('\uFEFFone\n \nthree'))).toEqual([
    { id: '1', text: 'one' },
    { id: '3', text: 'three' },
  ]);
});

test('Zstandard, the form told by the name before .zst', async () => {
  const content = Buffer.from('a\tone\n');
  const header = [0x28, 0xb5, 0x2f, 0xfd, 0, 0, (content.length << 3) | 1, 0, 0];
  expect(await read('a.tsv.zst', Buffer.concat([Buffer.from(header), content]))).toEqual([{ id: 'a', text: 'one' }]);
});

test('Parquet, whatever its name', async () => {
  const parquet = (columns: Readonly<Record<string, unknown[]>>): Uint8Array =>
    new Uint8Array(parquetWriteBuffer({ columnData: Object.entries(columns).map(([name, data]) => ({ name, data })) }));
  const titled = parquet({ docid: ['a', 'b'], title: ['T', null], text: ['x', 'y'], more: [1, 2] });
  expect(await read('corpus', titled)).toEqual([
    { id: 'a', text: 'T x' },
    { id: 'b', text: 'y' },
  ]);
  expect(await countTexts(join(folder, 'corpus'))).toBe(2);
  expect(await read('a.parquet', parquet({ passage_id: [7n], passage: ['x'] }))).toEqual([{ id: '7', text: 'x' }]);
  await expect(read('a.parquet', parquet({ id: ['a', 'a'], text: ['x', 'y'] }))).rejects.toMatchObject({
    message: 'the id "a" occurs twice',
    where: `${join(folder, 'a.parquet')}, row 2`,
  });
  await expect(read('a.parquet', parquet({ text: ['x'] }))).rejects.toThrow(
    /a column for ids and one for texts, got text/,
  );
});

test('counts what it would read', async () => {
  await read('a.tsv', 'a\tone\n\nb\ttwo\n');
  expect(await countTexts(join(folder, 'a.tsv'))).toBe(2);
});

test('the form can be given', async () => {
  expect(await read('a.data', 'one\n', { format: 'txt' })).toEqual([{ id: '1', text: 'one' }]);
});

test.each([
  ['a.tsv', 'a\tx\nno tab\n', /parted by a tab, got "no tab"/, 'BAD_INPUT'],
  ['a.tsv', '\ttext\n', /parted by a tab/, 'BAD_INPUT'],
  ['a.tsv', 'a\tx\na\ty\n', /the id "a" occurs twice/, 'BAD_INPUT'],
  ['a.jsonl', '{"_id": 1, "text": "x"}\n{"id": "1", "text": "y"}\n', /the id "1" occurs twice/, 'BAD_INPUT'],
  ['a.jsonl', '', /holds no text/, 'BAD_INPUT'],
  ['a.txt', ' \n', /holds no text/, 'BAD_INPUT'],
  ['a.csv', 'a,b\n', /cannot tell the form/, 'USAGE'],
  ['corpus', 'a,b\n', /cannot tell the form/, 'USAGE'],
])('refuses %s with %j', async (name, content, message, code) => {
  await expect(read(name, content)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('damaged gzip is one clear error', async () => {
  const whole = gzipSync(`${'word '.repeat(1000)}\n`);
  await expect(read('cut.txt.gz', whole.subarray(0, 20))).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringMatching(/gzip file is damaged/),
  });
});
