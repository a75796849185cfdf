/** The verbs on models whose queries have token weights or an encoder of their own (`scripts/golden/router.py`). */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readVectors } from '../../src/vectors/read-vectors.ts';
import { runInProcess } from './run-in-process.ts';
import { temporaryFolder, writeCollection } from './run-lexray.ts';

let folder = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);
const golden = (name: string): string => fileURLToPath(new URL(`../fixtures/goldens/router/${name}`, import.meta.url));

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeCollection(at('data'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runInProcess(...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe.each([
  ['static-6.2', 'static'],
  ['pair-5.0', 'encoder'],
  ['idf', 'static'],
])('%s', (name, queryEncoder) => {
  it('encodes queries their own way, and evaluates as encode, index and search do', async () => {
    const queries = at(`${name} queries`);
    const documents = at(`${name} documents`);
    await run('encode', golden(name), at('data'), '-o', queries, '--kind', 'query');
    await run('encode', golden(name), at('data'), '-o', documents, '--kind', 'document');
    const manifest = JSON.parse(await readFile(join(queries, 'manifest.json'), 'utf8')) as {
      config: object;
      parents: object;
    };
    expect(manifest.config).toMatchObject({ kind: 'query', queryEncoder });
    expect(Object.keys(manifest.parents)).toContain('model/router_config.json');
    expect(Object.keys(manifest.parents).includes('model/idf.json')).toBe(name === 'idf');
    const first = (await readVectors(queries)).row(0);
    // A text of a few words: an encoder activates many more terms than it has.
    expect(first.indices.length > 10).toBe(queryEncoder === 'encoder');

    await run('index', documents, '-o', at(`${name} index`));
    await run('search', at(`${name} index`), queries, '-o', at(`${name}.trec`));
    const qrels = at('data', 'qrels', 'test.tsv');
    const measured = await run('measure', qrels, at(`${name}.trec`), 'nDCG@10');
    const evaluated = await run('evaluate', golden(name), '--data', at('data'));
    expect(evaluated.measures).toMatchObject(measured.measures as object);
  });
});

it.each([
  ['diagnose', ['diagnose', golden('static-5.0')]],
  ['rescale', ['rescale', golden('pair-5.0'), '--factor', '2', '-o', 'never']],
  ['export --to onnx', ['export', golden('static-5.0'), '--to', 'onnx', '-o', 'never']],
])('%s says that it needs one encoder for both sides', async (_, args) => {
  const { code, stderr } = await runInProcess(...args);
  expect(code).toBe(3);
  expect(stderr).toMatch(/needs a model with one encoder for queries and documents/);
});
