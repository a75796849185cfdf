/** Ctrl-C: exit code 130, nothing half-written, and no process that stays. */
import { readdirSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyModel } from '../fixtures/model-folders.ts';
import { lexray, temporaryFolder } from './run-lexray.ts';

describe.skipIf(process.platform === 'win32')('Ctrl-C', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await temporaryFolder();
    const words = 'rain snow city river stone house garden tree bread water '.repeat(6);
    const lines = Array.from({ length: 60_000 }, (_, i) => JSON.stringify({ _id: `d${i}`, text: words }));
    await writeFile(join(folder, 'corpus.jsonl'), `${lines.join('\n')}\n`);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(['SIGINT', 'SIGTERM'] as const)('%s stops cleanly', async (signal) => {
    const args = ['encode', tinyModel, 'corpus.jsonl', '-o', 'out', '--kind', 'document'];
    const { code, stdout, stderr } = await lexray(args, {
      cwd: folder,
      interruptWhen: () => readdirSync(folder).some((name) => name.endsWith('.partial')),
      signal,
    });
    expect(stderr).toContain('stopping');
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^error: interrupted/);
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(await readdir(folder)).toEqual(['corpus.jsonl']);
  });
});
