import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appendMetrics, evaluationKey, readMetrics, truncateMetrics } from './metrics-log.ts';

let folder = '';
let path = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray metrics '));
  path = join(folder, 'metrics.jsonl');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const rows = [1, 2, 2, 3].map((step, i) => ({ step, epoch: 0, loss: 10 - i }));

describe('metrics.jsonl', () => {
  it('is read as it was written', async () => {
    for (const row of rows) await appendMetrics(path, row);
    expect(await readMetrics(path)).toEqual(rows);
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(5);
  });

  it('is empty where there is no file', async () => {
    expect(await readMetrics(path)).toEqual([]);
  });

  it.each(['{"step": 4, "lo', '{', '{"step": 4, "epoch": 0}'])(
    'does without an unfinished last line: %s',
    async (half) => {
      for (const row of rows) await appendMetrics(path, row);
      await appendFile(path, half);
      expect(await readMetrics(path)).toEqual(rows);
    },
  );

  it('does without an unfinished line that is the only one', async () => {
    await writeFile(path, '{"step": 1');
    expect(await readMetrics(path)).toEqual([]);
    await truncateMetrics(path, 0);
    expect(await readFile(path, 'utf8')).toBe('');
  });

  it.each(['not json', '{"loss": 1}', 'null', ''])('names a damaged line: %j', async (line) => {
    await writeFile(path, `{"step": 1, "epoch": 0}\n${line}\n{"step": 2, "epoch": 0}\n`);
    await expect(readMetrics(path)).rejects.toMatchObject({ code: 'BAD_INPUT', where: `${path}:2` });
  });

  it('loses the lines after a step, so that a resumed run adds to those before', async () => {
    for (const row of rows) await appendMetrics(path, row);
    await appendFile(path, '{"ste');
    await truncateMetrics(path, 2);
    expect(await readMetrics(path)).toEqual(rows.slice(0, 3));
    await appendMetrics(path, rows[3]!);
    expect(await readMetrics(path)).toEqual(rows);
  });
});

describe('evaluationKey', () => {
  it.each([
    ['nDCG@10', 'eval_dot_ndcg@10'],
    ['RR@10', 'eval_dot_mrr@10'],
    ['R@1000', 'eval_dot_recall@1000'],
    ['P@5', 'eval_dot_precision@5'],
    ['AP', 'eval_dot_map'],
  ])('%s is logged as %s', (measure, key) => {
    expect(evaluationKey(measure)).toBe(key);
  });
});
