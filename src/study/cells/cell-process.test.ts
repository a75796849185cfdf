import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LexrayError } from '../../util/errors.ts';
import { designCells } from '../cells.ts';
import { readDesign } from '../design.ts';
import { inProcesses } from './cell-process.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const context = { id: '0123456789abcdef', levels: {}, seed: 1 };
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray cells '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('tells an error of ours as it is, with code and cure', async () => {
  const run = inProcesses({ root, workFolder: folder, threads: 1 });
  const error = await run({ cell: 'guess' }, context).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(LexrayError);
  expect(error).toMatchObject({ code: 'CONFIG', cure: 'write it under "fixed"' });
  expect((error as Error).message).toMatch(/got "guess"$/);
});

it('tells an error of the file system with its code and path, from which the program makes its message', async () => {
  await writeFile(join(folder, 'a file'), '');
  const [cell] = designCells(await readDesign(join(root, 'studies', 'example.yaml')));
  const run = inProcesses({ root, workFolder: join(folder, 'a file', 'work'), threads: 1 });
  const error = await run(cell!.settings, context).catch((reason: unknown) => reason);
  expect(error).not.toBeInstanceOf(LexrayError);
  expect(error).toMatchObject({ code: 'ENOTDIR', path: expect.stringContaining('a file') });
});
