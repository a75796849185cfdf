/** Where output goes: a stream that cannot be written, a place where no folder can be made, an output that another run writes. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyModel } from '../fixtures/model-folders.ts';
import { lexray, program, temporaryFolder } from './run-lexray.ts';

let folder = '';
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder, 'few.txt'), 'rain\n');
  await writeFile(join(folder, 'many.txt'), 'rain snow city river stone house garden tree\n'.repeat(60_000));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const encode = (input: string, output: string): string[] => {
  return ['encode', tinyModel, input, '-o', output, '--kind', 'document'];
};

describe.runIf(existsSync('/dev/full'))('a full disk', () => {
  const shell = (line: string) =>
    spawnSync('sh', ['-c', `"$0" "$1" ${line}`, process.execPath, program], { encoding: 'utf8' });

  it.each(['--help', '--version', 'doctor --json', 'help encode'])('behind stdout of %s', (args) => {
    const { status, stderr } = shell(`${args} > /dev/full`);
    expect(stderr).toMatch(/^error: the result cannot be printed: .*full.* cure: /);
    expect(status).toBe(1);
  });

  it('behind stderr changes nothing', () => {
    expect(shell('no-such-verb 2> /dev/full').status).toBe(2);
    expect(shell('--version 2> /dev/full')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+/) });
  });
});

it.runIf(existsSync('/proc/self'))('an output where no folder can be made ends at once', async () => {
  const { code, stderr } = await lexray(encode('few.txt', '/proc/lexray/out'), { cwd: folder });
  expect(stderr).toMatch(/no folder can be made in \/proc/);
  expect(code).toBe(2);
});

describe.skipIf(process.platform === 'win32')('an output that another run writes', () => {
  it('is refused while that run lives, and taken over when it was killed', async () => {
    const first = spawn(process.execPath, [program, ...encode('many.txt', 'out')], { cwd: folder, stdio: 'ignore' });
    const ended = new Promise((resolve) => first.on('close', resolve));
    const partial = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.partial'));
    try {
      while (partial().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      const second = await lexray(encode('few.txt', join('.', 'out')), { cwd: folder });
      expect(second.stderr).toMatch(new RegExp(`another run \\(process ${first.pid}\\) is writing this output`));
      expect(second.code).toBe(2);
    } finally {
      first.kill('SIGKILL');
      await ended;
    }
    expect(partial()).toHaveLength(1);
    expect(await lexray(encode('few.txt', 'out'), { cwd: folder })).toMatchObject({ code: 0, stderr: '' });
    expect(partial()).toEqual([]);
    const manifest = JSON.parse(await readFile(join(folder, 'out', 'manifest.json'), 'utf8')) as { vectors: number };
    expect(manifest.vectors).toBe(1);
  });
});
