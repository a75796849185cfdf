import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { prepareProject } from './prepare-project.ts';
import { buildRetrievalTask } from './retrieval-task.ts';

const ownFolder = fileURLToPath(new URL('../../../', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-prepare-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** Puts a program named npm before all others. It runs in the folder where the packages should appear. */
async function standInForNpm(script: string): Promise<void> {
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin', 'npm'), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, 'bin', 'npm'), 0o755);
  vi.stubEnv('PATH', `${join(folder, 'bin')}${delimiter}${process.env.PATH}`);
  vi.stubEnv('npm_execpath', '');
  vi.stubEnv('TMPDIR', folder);
}

const leftOver = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.startsWith('lexray-'));

describe('prepareProject', () => {
  it('uses the packages of this project, as many as the trial had', async () => {
    const prepared = await prepareProject(ownFolder);
    expect(prepared.source).toBe('project');
    expect(prepared.symbols.length).toBeGreaterThan(12_000);
    expect(prepared.symbols.every((symbol) => symbol.sentence.split(' ').length >= 6)).toBe(true);
    const { queries, documents } = buildRetrievalTask(prepared.symbols);
    const heldOut = queries.filter((query) => query.split === 'test').length;
    expect(heldOut / queries.length).toBeCloseTo(0.1, 1);
    expect(documents).toHaveLength(prepared.symbols.length);
    expect(documents.find(({ docid }) => docid === '@types/node:fs.readFileSync')?.symbol).toMatchObject({
      kind: 'function',
      sentence: 'Returns the contents of the `path`.',
    });
  });

  it.skipIf(process.platform === 'win32')('installs packages where the project has no typescript', async () => {
    await standInForNpm(`
      echo "$@" > "${folder}/arguments"
      mkdir -p node_modules/typescript
      echo '{ "main": "main.cjs" }' > node_modules/typescript/package.json
      echo 'module.exports = require("${ownFolder}node_modules/typescript")' > node_modules/typescript/main.cjs
      echo '/** A sentence that says enough about it. */ declare function f(): void;' > node_modules/typescript/x.d.ts
    `);
    const warnings: string[] = [];
    const prepared = await prepareProject(folder, { onWarning: (message) => warnings.push(message) });
    expect(prepared.source).toBe('installed');
    expect(prepared.symbols).toMatchObject([{ name: 'f' }]);
    expect(warnings.join()).toMatch(/no node_modules folder .* are used instead/);
    expect(await leftOver()).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('says so when npm cannot install', async () => {
    await standInForNpm('echo "npm error code ENOTFOUND" >&2; exit 1');
    await expect(prepareProject(folder)).rejects.toMatchObject({
      code: 'NETWORK',
      message: expect.stringContaining('ENOTFOUND'),
    });
    expect(await leftOver()).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('stops npm when it is told to', async () => {
    await standInForNpm('exec sleep 30');
    const controller = new AbortController();
    const preparing = prepareProject(folder, {
      signal: controller.signal,
      onProgress: ({ phase }) => {
        if (phase.startsWith('install')) setTimeout(() => controller.abort(), 200);
      },
    });
    await expect(preparing).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(await leftOver()).toEqual([]);
  });

  it('does not start when it is told to stop', async () => {
    await expect(prepareProject(folder, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  });
});
