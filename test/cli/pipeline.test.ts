/** Every verb on a small collection and the tiny model: exit codes, the JSON of each, and that the parts agree with the whole. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { forecastSchema } from '../../src/cli/forecast.ts';
import { verbs } from '../../src/cli/registry.ts';
import { tinyModel } from '../fixtures/model-folders.ts';
import { lexray, type Outcome, temporaryFolder, writeCollection } from './run-lexray.ts';

const envelope = z.object({ schema: z.literal(1), verb: z.string(), lexray: z.string().regex(/^\d+\.\d+\.\d+/) });

/** The result in a `--json` output, checked against the verb's own schema, which refuses unknown keys. */
function resultOf(verb: string, { code, stdout, stderr }: Outcome, schema?: z.ZodType): Record<string, unknown> {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const value = JSON.parse(stdout) as Record<string, unknown>;
  expect(envelope.parse(value).verb).toBe(verb);
  const { schema: _schema, verb: _verb, lexray: _lexray, ...data } = value;
  const declared = schema ?? verbs.find(({ name }) => name === verb)?.result;
  expect(declared).toBeDefined();
  expect(declared!.parse(data)).toEqual(data);
  return data;
}

let folder = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeCollection(at('data'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the verbs, one after another', () => {
  it('encode writes vectors of documents and queries', async () => {
    const documents = await lexray([
      ...['encode', tinyModel, at('data', 'corpus.jsonl'), '-o', at('documents'), '--kind', 'document', '--json'],
    ]);
    expect(resultOf('encode', documents)).toMatchObject({ kind: 'document', vectors: 6, dimensions: 118 });
    const queries = await lexray(['encode', tinyModel, at('data'), '-o', at('queries'), '--kind=query', '--json']);
    expect(resultOf('encode', queries)).toMatchObject({ kind: 'query', vectors: 3 });
    const manifest = JSON.parse(await readFile(at('documents', 'manifest.json'), 'utf8')) as Record<string, unknown>;
    expect(manifest).toMatchObject({ format: 'lexray-vectors', seed: 42, config: { kind: 'document', threads: 1 } });
    expect(Object.keys(manifest.parents as object)).toEqual(
      expect.arrayContaining(['input', 'model/config.json', 'model/model.safetensors', 'model/tokenizer.json']),
    );
  });

  it('encode keeps the heaviest terms only', async () => {
    const args = ['encode', tinyModel, at('data', 'corpus.jsonl'), '-o', at('short'), '--kind', 'document'];
    const outcome = await lexray([...args, '--max-active-dims', '3', '--json']);
    expect(resultOf('encode', outcome).activeDims).toBeLessThanOrEqual(3);
  });

  it('index and search make a run', async () => {
    const index = resultOf('index', await lexray(['index', at('documents'), '-o', at('index'), '--json']));
    expect(index).toMatchObject({ documents: 6, dimensions: 118 });
    const args = ['search', at('index'), at('queries'), '-o', at('run.trec'), '--k', '4', '--tag', 'tiny'];
    const search = resultOf('search', await lexray([...args, '--json']));
    expect(search).toMatchObject({ documents: 6, queries: 3, k: 4 });
    const lines = (await readFile(at('run.trec'), 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(search.hits as number);
    expect(lines[0]).toMatch(/^q1 Q0 d\d 1 [\d.]+ tiny$/);
  });

  it('measure says the same as text and as JSON', async () => {
    const args = ['measure', at('data', 'qrels', 'test.tsv'), at('run.trec'), 'nDCG@10', 'RR@10', 'R@3'];
    const json = resultOf('measure', await lexray([...args, '--json', '--per-query']));
    const measures = json.measures as Record<string, number>;
    expect(Object.keys(measures)).toEqual(['nDCG@10', 'RR@10', 'R@3']);
    expect(Object.keys((json.perQuery as Record<string, object>)['RR@10']!)).toEqual(['q1', 'q2', 'q3']);
    const { code, stdout } = await lexray(args);
    expect(code).toBe(0);
    expect(stdout).toBe(
      Object.entries(measures)
        .map(([name, value]) => `${name}\t${value.toFixed(4)}\n`)
        .join(''),
    );
  });

  it('evaluate says what the parts said', async () => {
    const common = ['evaluate', tinyModel, '--data', at('data'), '--k', '4', '--measures', 'nDCG@10,RR@10,R@3'];
    const whole = resultOf('evaluate', await lexray([...common, '--run-out', at('whole.trec'), '--json']));
    const args = ['measure', at('data', 'qrels', 'test.tsv'), at('run.trec'), 'nDCG@10', 'RR@10', 'R@3', '--json'];
    const { measures } = resultOf('measure', await lexray(args));
    expect(whole).toMatchObject({ documents: 6, queries: 3, measures });
    const withoutTag = (run: string): string => run.replaceAll(/ \S+$/gm, '');
    expect(withoutTag(await readFile(at('whole.trec'), 'utf8'))).toBe(
      withoutTag(await readFile(at('run.trec'), 'utf8')),
    );
    const { code, stdout } = await lexray(common);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^nDCG@10 +0\.\d{4}$/m);
    expect(stdout).toMatch(/^active dimensions +[\d.]+ a query, [\d.]+ a document$/m);
  });

  it('compare compares', async () => {
    await writeFile(at('worse.trec'), 'q1 Q0 d2 1 2 x\nq2 Q0 d1 1 2 x\nq3 Q0 d1 1 2 x\nq3 Q0 d5 2 1 x\n');
    const args = ['compare', at('data', 'qrels', 'test.tsv'), at('worse.trec'), at('run.trec'), 'RR@10', 'R@3'];
    const json = resultOf('compare', await lexray([...args, '--json', '--seed', '7', '--samples', '500']));
    expect(json).toMatchObject({ queries: 3, seed: 7 });
    const [first] = json.measures as { measure: string; a: { mean: number }; difference: { mean: number } }[];
    expect(first!.measure).toBe('RR@10');
    expect(first!.a.mean).toBeCloseTo(0.5 / 3, 10);
    const again = await lexray([...args, '--json', '--seed', '7', '--samples', '500', '--per-query']);
    const perQuery = resultOf('compare', again).measures as { perQuery: unknown[] }[];
    expect(perQuery[0]!.perQuery).toHaveLength(3);
    const { code, stdout } = await lexray([...args, '--per-query']);
    expect(code).toBe(0);
    expect(stdout).toContain('B − A');
  });

  it('doctor looks at the installation', async () => {
    const { ok, checks } = resultOf('doctor', await lexray(['doctor', '--json']));
    expect(ok).toBe(true);
    expect((checks as { name: string }[]).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['node', 'onnxruntime-node', 'kernels', 'wasm simd', 'memory', 'threads']),
    );
    expect((await lexray(['doctor'])).stdout).toContain('onnxruntime-node');
  });

  it.each([
    ['encode', ['data', '-o', 'never', '--kind', 'document']],
    ['evaluate', ['--data', 'data', '--run-out', 'never']],
  ])('%s --dry-run forecasts and writes nothing', async (verb, args) => {
    const outcome = await lexray([verb, tinyModel, ...args, '--dry-run', '--json'], { cwd: folder });
    const forecast = resultOf(verb, outcome, forecastSchema);
    expect(forecast.seconds).toBeGreaterThan(0);
    expect(forecast.memoryBytes).toBeGreaterThan(1e6);
    expect(await readdir(folder)).not.toContain('never');
    expect((await lexray([verb, tinyModel, ...args, '--dry-run'], { cwd: folder })).stdout).toContain('would take');
  });
});
