import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Run, readRun, writeRun } from './run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lexray-run-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(content: string | Uint8Array): string {
  const path = join(folder, 'written.run');
  writeFileSync(path, content);
  return path;
}

describe('readRun', () => {
  test('sorts by score, then by docid descending, and ignores the ranks of the file', async () => {
    const path = write('q1 Q0 a 1 1.5 t\nq1\tQ0\tc\t9\t2\tt\r\n\n  q1 Q0 b 3 1.5 t \nq0 Q0 x 1 -1e-3 t\n');
    expect([...(await readRun(path))]).toEqual([
      [
        'q1',
        [
          { docid: 'c', score: 2 },
          { docid: 'b', score: 1.5 },
          { docid: 'a', score: 1.5 },
        ],
      ],
      ['q0', [{ docid: 'x', score: -0.001 }]],
    ]);
  });

  test('scores that are the same float32 are ties', async () => {
    const run = await readRun(write('q Q0 a 1 1.00000000001 t\nq Q0 b 2 1 t\n'));
    expect(run.get('q')?.map((d) => d.docid)).toEqual(['b', 'a']);
  });

  test('reads gzip, and docids with a no-break space', async () => {
    const run = await readRun(write(gzipSync('q Q0 a\u00a0b 1 1 t\n')));
    expect(run.get('q')).toEqual([{ docid: 'a\u00a0b', score: 1 }]);
  });

  test.each([
    ['q Q0 a 1 1\n', /expected 6 columns, got 5/, ':1'],
    ['q Q0 a 1 1 t\nq Q0 b c 2 1 t\n', /expected 6 columns, got 7/, ':2'],
    ['q Q0 a 1 best t\n', /finite number as score, got "best"/, ':1'],
    ['q Q0 a 1 NaN t\n', /finite number/, ':1'],
    ['q Q0 a 1 Infinity t\n', /finite number/, ':1'],
    ['q Q0 a 1 2 t\np Q0 a 1 2 t\nq Q0 a 2 1 t\n', /document a occurs twice for query q/, ':3'],
    ['\n \n', /the run is empty/, ''],
  ])('refuses %j', async (content, message, line) => {
    const path = write(content);
    await expect(readRun(path)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message),
      where: `${path}${line}`,
    });
  });

  test('refuses a missing file', async () => {
    await expect(readRun(join(folder, 'none'))).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});

describe('writeRun', () => {
  test('writes ranks from 1 in the order that is evaluated', async () => {
    const path = join(folder, 'out.run');
    await writeRun(
      path,
      new Map([
        [
          'q',
          [
            { docid: 'a', score: 0.1 },
            { docid: 'b', score: 0.1 },
            { docid: 'c', score: 7 },
          ],
        ],
      ]),
      { tag: 'mine' },
    );
    expect(readFileSync(path, 'utf8')).toBe('q Q0 c 1 7 mine\nq Q0 b 2 0.100000001 mine\nq Q0 a 3 0.100000001 mine\n');
  });

  test('every float32 reads back as itself', async () => {
    const path = join(folder, 'float.run');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
        async (scores) => {
          const run: Run = new Map([['q', scores.map((score, i) => ({ docid: `d${i}`, score }))]]);
          await writeRun(path, run);
          const read = new Map((await readRun(path)).get('q')?.map((d) => [d.docid, d.score]));
          for (const [i, score] of scores.entries())
            expect(Math.fround(read.get(`d${i}`) ?? Number.NaN)).toBe(score + 0);
        },
      ),
      { seed: 3, numRuns: 60 },
    );
  });

  test.each([
    ['a b', 1, /white space/],
    ['', 1, /is empty/],
    ['a', Number.NaN, /not a finite/],
    ['a', 1e300, /not a finite/],
  ])('refuses docid %j with score %d and leaves no file', async (docid, score, message) => {
    const path = join(folder, 'refused.run');
    await expect(writeRun(path, new Map([['q', [{ docid, score }]]]))).rejects.toThrow(message);
    await expect(readRun(path)).rejects.toThrow(/cannot read/);
  });

  test('refuses a tag with white space, and a document twice', async () => {
    const twice = [
      { docid: 'a', score: 1 },
      { docid: 'a', score: 2 },
    ];
    await expect(writeRun(join(folder, 'x'), new Map([['q', twice]]))).rejects.toThrow(/twice/);
    await expect(writeRun(join(folder, 'x'), new Map(), { tag: 'a b' })).rejects.toMatchObject({ code: 'USAGE' });
  });
});
