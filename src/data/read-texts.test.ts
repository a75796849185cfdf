import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type NamedText, type ReadTextsOptions, readTexts } from './read-texts.ts';

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
