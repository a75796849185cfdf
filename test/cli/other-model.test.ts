/** Queries of another model than the documents are refused, however the vectors came to be. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyModel } from '../fixtures/model-folders.ts';
import { runInProcess } from './run-in-process.ts';
import { temporaryFolder, writeCollection } from './run-lexray.ts';

let folder = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);
const encode = (model: string, kind: 'query' | 'document', output: string) =>
  runInProcess('encode', model, at('data'), '-o', at(output), '--kind', kind);

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeCollection(at('data'));
  await cp(tinyModel, at('same'), { recursive: true });
  await writeFile(at('same', 'README.md'), 'a copy');
  await cp(tinyModel, at('other'), { recursive: true });
  const weights = await readFile(at('other', 'model.safetensors'));
  weights[weights.length - 1]! ^= 1;
  await writeFile(at('other', 'model.safetensors'), weights);

  expect((await encode(tinyModel, 'document', 'documents')).code).toBe(0);
  expect((await encode(at('same'), 'query', 'queries of same')).code).toBe(0);
  expect((await encode(at('other'), 'query', 'queries of other')).code).toBe(0);
  const pruned = await runInProcess('prune', at('documents'), '-o', at('pruned'), '--top-k', '50');
  expect(pruned.code).toBe(0);
  for (const vectors of ['documents', 'pruned']) {
    expect((await runInProcess('index', at(vectors), '-o', at(`index of ${vectors}`))).code).toBe(0);
  }
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(['index of documents', 'index of pruned'])('search of the %s', async (index) => {
  const search = (queries: string, ...rest: string[]) =>
    runInProcess('search', at(index), at(queries), '-o', at('run.trec'), '--force', ...rest);
  expect(await search('queries of same')).toMatchObject({ code: 0, stderr: '' });
  const refused = await search('queries of other');
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(/the documents were encoded by \S+, and the queries by other .*--allow-other-model/);
  expect(await search('queries of other', '--allow-other-model')).toMatchObject({ code: 0, stderr: '' });
});

test('a frontier of two models', async () => {
  const measure = (queries: string, ...rest: string[]) =>
    runInProcess(
      ...['prune', '--grid', '0/0,0/5', '--queries', at(queries), '--documents', at('pruned')],
      ...['--qrels', at('data', 'qrels', 'test.tsv'), '--samples', '100', '--passes', '1', ...rest],
    );
  expect((await measure('queries of same')).code).toBe(0);
  expect(await measure('queries of other')).toMatchObject({ code: 3, stdout: '' });
  expect((await measure('queries of other', '--allow-other-model')).code).toBe(0);
});

test('vectors that do not say who made them are searched', async () => {
  await cp(at('queries of other'), at('unknown'), { recursive: true });
  const manifest = JSON.parse(await readFile(at('unknown', 'manifest.json'), 'utf8')) as Record<string, unknown>;
  expect(manifest.encoder).toEqual({ model: 'other', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) });
  const { encoder: _, ...rest } = manifest;
  await writeFile(at('unknown', 'manifest.json'), JSON.stringify({ ...rest, parents: {} }));
  const run = at('other.trec');
  const { code } = await runInProcess('search', at('index of documents'), at('unknown'), '-o', run);
  expect(code).toBe(0);
});
