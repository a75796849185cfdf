import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeFolder } from './make-folder.ts';

const temporary = mkdtempSync(join(tmpdir(), 'lexray-folder-'));
afterAll(() => rmSync(temporary, { recursive: true }));
const at = (...parts: string[]): string => join(temporary, ...parts);

test('makes what is missing, and leaves what is there', async () => {
  await Promise.all([makeFolder(at('a', 'b', 'c')), makeFolder(at('a', 'b', 'd'))]);
  await makeFolder(at('a', 'b', 'c'));
  expect([existsSync(at('a', 'b', 'c')), existsSync(at('a', 'b', 'd'))]).toEqual([true, true]);
});

test('goes through links to folders', async () => {
  await makeFolder(at('real'));
  symlinkSync(at('real'), at('link'));
  await makeFolder(at('link', 'below'));
  expect(existsSync(at('real', 'below'))).toBe(true);
});

test('says what stands in the way', async () => {
  writeFileSync(at('file'), '');
  for (const path of [at('file'), at('file', 'below'), at('file', 'below', 'further')]) {
    await expect(makeFolder(path)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('file') });
  }
});

test.runIf(existsSync('/proc/self'))('ends where the file system makes no folders', async () => {
  await expect(makeFolder('/proc/lexray/output')).rejects.toMatchObject({ code: 'USAGE' });
});
