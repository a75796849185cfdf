import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readQrels, writeQrels } from './qrels.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lexray-qrels-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(content: string): string {
  const path = join(folder, 'written.qrels');
  writeFileSync(path, content);
  return path;
}

test.each([
  ['TREC with blanks', 'q1 0 a 1\nq1 0 b -2\n\nq2 Q0 a 3\n'],
  ['TREC with tabs', 'q1\t0\ta\t1\r\nq1\t0\tb\t-2\r\nq2\t0\ta\t3'],
  ['BEIR', 'query-id\tcorpus-id\tscore\nq1\ta\t1\nq1\tb\t-2\nq2\ta\t3\n'],
  ['BEIR without header', 'q1\ta\t1\nq1\tb\t-2\nq2\ta\t3.0\n'],
  ['repeated judgements', 'q1 0 a 1\nq1 0 b -2\nq1 0 a 1\nq2 0 a 3\n'],
])('reads %s', async (_, content) => {
  expect(await readQrels(write(content))).toEqual(
    new Map([
      [
        'q1',
        new Map([
          ['a', 1],
          ['b', -2],
        ]),
      ],
      ['q2', new Map([['a', 3]])],
    ]),
  );
});

test('a BEIR file may have ids with blanks', async () => {
  expect(await readQrels(write('query-id\tcorpus-id\tscore\nq 1\ta b\t2\n'))).toEqual(
    new Map([['q 1', new Map([['a b', 2]])]]),
  );
});

test.each([
  ['q1 0 a\n', /expected 4 columns, got 3/, ':1'],
  ['q1 0 a 1\nq1 0 b 1 5\n', /expected 4 columns, got 5/, ':2'],
  ['h\ti\tscore\nq1\ta\n', /expected 3 columns, got 2/, ':2'],
  ['h\ti\tscore\nq1\ta\tgood\n', /integer grade, got "q1 a good"/, ':2'],
  ['h\ti\tscore\nq1\ta\t\n', /integer grade/, ':2'],
  ['q1 0 a 0.5\n', /integer grade/, ':1'],
  ['q1\ta\t0.5\n', /integer grade/, ':1'],
  ['q1 0 a 1\nq1 0 a 2\n', /document a has the grades 1 and 2 for query q1/, ':2'],
  ['query-id\tcorpus-id\tscore\n', /hold no judgement/, ''],
  ['', /hold no judgement/, ''],
])('refuses %j', async (content, message, line) => {
  const path = write(content);
  await expect(readQrels(path)).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringMatching(message),
    where: `${path}${line}`,
  });
});

test('what is written reads back, and what TREC cannot hold is refused', async () => {
  const path = join(folder, 'out.qrels');
  const qrels = new Map([['q', new Map([['<d:Ä>', 2]])]]);
  await writeQrels(path, qrels);
  expect(await readQrels(path)).toEqual(qrels);
  await expect(writeQrels(path, new Map([['q', new Map([['a b', 2]])]]))).rejects.toThrow(/cannot hold/);
  expect(await readQrels(path)).toEqual(qrels);
});
