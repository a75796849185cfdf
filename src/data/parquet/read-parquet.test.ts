import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isParquet, readParquet } from './read-parquet.ts';

const goldens = fileURLToPath(new URL('../../../test/fixtures/goldens/parquet', import.meta.url));
const expected = JSON.parse(readFileSync(join(goldens, 'expected.json'), 'utf8')) as Record<string, unknown>[];
const plain = join(goldens, 'none.parquet');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lexray-parquet-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function rowsOf(path: string, columns?: (names: readonly string[]) => readonly string[]): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const { number, value } of readParquet(path, { columns })) {
    rows.push(value);
    expect(number).toBe(rows.length);
  }
  return rows;
}

/** The file with some bytes replaced. */
function changed(at: number, bytes: readonly number[], file = plain): string {
  const content = readFileSync(file);
  Buffer.from(bytes).copy(content, at);
  const path = join(folder, `changed-${at}`);
  writeFileSync(path, content);
  return path;
}

describe('rows as pyarrow has them', () => {
  const files = readdirSync(goldens).filter((name) => name.endsWith('.parquet'));
  it.each(files)('%s', async (name) => {
    expect(await isParquet(join(goldens, name))).toBe(true);
    expect(await rowsOf(join(goldens, name))).toEqual(expected);
  });

  it('of the columns that are wanted, in the order of the file', async () => {
    let names: readonly string[] = [];
    const rows = await rowsOf(plain, (given) => {
      names = given;
      return ['scores', 'query'];
    });
    expect(names).toEqual(Object.keys(expected[0]!));
    expect(rows).toEqual(expected.map(({ query, scores }) => ({ query, scores })));
    expect(Object.keys(rows[0]!)).toEqual(['query', 'scores']);
  });
});

describe('the decoder', () => {
  it('ends with a reader that stops early', async () => {
    for await (const { number } of readParquet(plain)) {
      expect(number).toBe(1);
      break;
    }
  });

  it('stops when the signal fires', async () => {
    const controller = new AbortController();
    const read = async (): Promise<void> => {
      for await (const _ of readParquet(plain, { signal: controller.signal })) controller.abort();
    };
    await expect(read()).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await expect(read()).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

describe('files that are damaged or hostile', () => {
  const size = readFileSync(plain).length;
  const cut = (length: number): string => {
    const path = join(folder, `cut-${length}`);
    writeFileSync(path, readFileSync(plain).subarray(0, length));
    return path;
  };
  /** A run of 2^31 − 1 equal levels: V8 ends the process that decodes it. */
  const endlessRun = [0xfe, 0xff, 0xff, 0xff, 0x0f];

  it.each<[string, () => string, RegExp]>([
    ['one that ends in its footer', () => cut(size - 20), /footer/],
    ['one that ends early', () => cut(100), /footer/],
    ['a magic number and nothing else', () => cut(4), /cannot be read/],
    ['a footer as long as memory', () => changed(size - 8, [255, 255, 255, 127]), /metadata length/],
  ])('%s', async (_title, path, message) => {
    await expect(rowsOf(path())).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message) as string,
    });
  });

  it('a run of levels without end, which ends the process that decodes it, and the same bytes elsewhere', async () => {
    const levels = join(goldens, 'levels.bin');
    expect(await rowsOf(levels)).toHaveLength(60);
    for (const at of [75, 16, 40, 110, 170, 230, 290, 350]) {
      const outcome = rowsOf(changed(at, endlessRun, levels));
      if (at === 75) await expect(outcome).rejects.toThrow(/decoder died/);
      const settled = await outcome.catch((error: { code?: string }) => error.code);
      expect(Array.isArray(settled) || settled === 'BAD_INPUT').toBe(true);
    }
  }, 60_000);
});
