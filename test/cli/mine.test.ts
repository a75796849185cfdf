/** `lexray mine` as a user runs it: BM25 and a model, and what finetune reads of the result. */
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forecastSchema } from '../../src/cli/forecast.ts';
import { mineVerb } from '../../src/cli/verbs/mine.ts';
import { readTrainingExamples } from '../../src/data/read-training-examples.ts';
import { tinyModel } from '../fixtures/model-folders.ts';
import { lexray, temporaryFolder, writeCollection } from './run-lexray.ts';

let folder = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);
const data = ['--split', 'test', '--ranks', '1-5'];

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeCollection(at('data'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the verb and checks its JSON. */
async function mine(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await lexray(['mine', ...args, '--json'], { cwd: folder });
  expect({ code, stderr: stderr.replaceAll(/^warning: .*\n/gm, '') }).toEqual({ code: 0, stderr: '' });
  const { schema: _, verb, lexray: __, ...result } = JSON.parse(stdout) as Record<string, unknown>;
  expect(verb).toBe('mine');
  expect(mineVerb.result.parse(result)).toEqual(result);
  return result;
}

describe('lexray mine', () => {
  it('finds negatives by BM25', async () => {
    const result = await mine('data', '-o', 'bm25.jsonl', ...data, '--scores', '--pick', 'top');
    expect(result).toMatchObject({ system: 'BM25', documents: 6, queries: 3, pairs: 5, leftOut: 0 });
    const examples = await readTrainingExamples(at('bm25.jsonl'));
    expect(examples).toHaveLength(5);
    expect(examples.reduce((sum, { negatives }) => sum + negatives.length, 0)).toBe(result.negatives);
    const [first] = examples;
    expect(first).toMatchObject({ query: 'weather in the city', id: 'q1', positiveId: 'd1' });
    // "in the" is what the other documents share with the query
    expect(first!.negatives[0]).toBe('garden the tree in the garden of the red house');
    expect(first!.scores).toHaveLength(1 + first!.negatives.length);
  });

  it('finds negatives by a model, the same with the same seed', async () => {
    const args = ['data', '--model', tinyModel, ...data, '--count', '2', '--exclude-above', '0.99'];
    const result = await mine(...args, '-o', 'own.jsonl');
    expect(result).toMatchObject({ system: tinyModel, documents: 6, pairs: 5 });
    await mine(...args, '-o', 'again.jsonl');
    expect(await readFile(at('again.jsonl'), 'utf8')).toBe(await readFile(at('own.jsonl'), 'utf8'));
    await mine(...args, '-o', 'again.jsonl', '--force', '--seed', '7');
    expect(await readFile(at('again.jsonl'), 'utf8')).not.toBe(await readFile(at('own.jsonl'), 'utf8'));
  });

  it('mines for pairs with a corpus', async () => {
    await writeFile(at('pairs.tsv'), 'river fish\tfish fish in the river, cold water\nbook\td\n');
    const result = await mine('pairs.tsv', '--corpus', 'data', '-o', 'pairs.jsonl', '--ranks', '1-9');
    expect(result).toMatchObject({ documents: 6, queries: 2, pairs: 2, removed: { positives: 1 } });
  });

  it('says what it did', async () => {
    const { code, stdout, stderr } = await lexray(['mine', 'data', '-o', 'said.jsonl', ...data], { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^searched {3}3 queries on 6 documents by BM25$/m);
    expect(stdout).toMatch(/^wrote said\.jsonl$/m);
    expect(stderr).toMatch(/pairs have fewer than 8 negatives/);
  });

  it.each([
    ['BM25', []],
    ['a model', ['--model', tinyModel]],
  ])('--dry-run forecasts with %s and writes nothing', async (_title, model) => {
    const args = ['mine', 'data', '-o', 'never.jsonl', ...data, ...model, '--dry-run', '--json'];
    const { code, stdout } = await lexray(args, { cwd: folder });
    expect(code).toBe(0);
    const { schema: _, verb: __, lexray: ___, ...forecast } = JSON.parse(stdout) as Record<string, unknown>;
    expect(forecastSchema.parse(forecast)).toEqual(forecast);
    expect(forecast.memoryBytes).toBeGreaterThan(1e6);
    expect(existsSync(at('never.jsonl'))).toBe(false);
  });

  it.each<[string, string[], number, string]>([
    ['no such data', ['absent', '-o', 'x'], 3, 'absent'],
    ['no such split', ['data', '-o', 'x'], 3, 'there is no split "train"'],
    ['ranks that are none', ['data', '-o', 'x', '--ranks', '5'], 2, 'FROM-TO'],
    ['ranks that fall', ['data', '-o', 'x', '--ranks', '5-1'], 2, 'FROM-TO'],
    ['no such model', ['data', '-o', 'x', '--split', 'test', '--model', 'absent'], 3, 'absent'],
    ['no such corpus', ['data', '-o', 'x', '--corpus', 'absent'], 3, 'there are no documents in absent'],
    ['an output that exists', ['data', '-o', 'said.jsonl'], 2, '--force'],
  ])('refuses %s', async (_title, args, code, named) => {
    const outcome = await lexray(['mine', ...args], { cwd: folder });
    expect(outcome.stderr).toMatch(/^error: /m);
    expect(outcome.stderr).toContain(named);
    expect({ code: outcome.code, stdout: outcome.stdout }).toEqual({ code, stdout: '' });
    expect(existsSync(at('x'))).toBe(false);
  });
});
