import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { lockOutput } from './output-lock.ts';

const temporary = mkdtempSync(join(tmpdir(), 'lexray-lock-'));
afterAll(() => rmSync(temporary, { recursive: true }));
const at = (...parts: string[]): string => join(temporary, ...parts);
const lockOf = (path: string): string =>
  join(tmpdir(), `lexray-${createHash('sha256').update(path).digest('hex').slice(0, 24)}.lock`);

test('an output has one writer, by whatever path', async () => {
  const release = await lockOutput(at('new', 'out'));
  symlinkSync(temporary, at('link'));
  for (const path of [at('new', 'out'), at('link', 'new', 'out'), `${at('new')}/../new/out/`]) {
    await expect(lockOutput(path)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(`process ${process.pid}`),
    });
  }
  const other = await lockOutput(at('new', 'other'));
  await release();
  await (await lockOutput(at('new', 'out')))();
  await other();
  expect(existsSync(lockOf(at('new', 'out')))).toBe(false);
});

test('a lock of a process that is gone is taken over, and what it left is removed', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const path = at('out');
  writeFileSync(at('.out.00000001.partial'), 'of somebody before'); // older than the lock
  writeFileSync(lockOf(path), JSON.stringify({ pid, output: path, since: Date.now() + 5000 }));
  mkdirSync(at('.out.00000000.partial.kept'));
  await (await lockOutput(path))();
  expect(existsSync(at('.out.00000001.partial'))).toBe(true);

  writeFileSync(lockOf(path), JSON.stringify({ pid, output: path, since: Date.now() }));
  mkdirSync(at('.out.deadbeef.partial'));
  writeFileSync(at('.out.deadbeef.partial', 'half'), '');
  const release = await lockOutput(path);
  expect(existsSync(at('.out.deadbeef.partial'))).toBe(false);
  expect(existsSync(at('.out.00000000.partial.kept'))).toBe(true);
  await release();
});

test('a lock of another process that lives is kept', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const path = at('theirs');
  try {
    writeFileSync(lockOf(path), JSON.stringify({ pid: child.pid, output: path, since: 0 }));
    await expect(lockOutput(path)).rejects.toMatchObject({ cure: expect.stringContaining(lockOf(path)) });
    expect(existsSync(lockOf(path))).toBe(true);
  } finally {
    child.kill('SIGKILL');
    rmSync(lockOf(path), { force: true });
  }
});

test('a lock that holds nothing sensible is taken over', async () => {
  for (const content of ['', 'null', '{"pid": "1"}']) {
    writeFileSync(lockOf(at('odd')), content);
    await (await lockOutput(at('odd')))();
  }
  expect(existsSync(lockOf(at('odd')))).toBe(false);
});
