/** The demo on a small project: what it writes, what it replaces, what it answers. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { demoVerb } from '../../src/cli/verbs/demo.ts';
import { type DemoOptions, type DemoResult, runDemo } from '../../src/demo/run-demo.ts';
import { runInProcess } from '../cli/run-in-process.ts';
import { writeProject } from './project.ts';

let folder = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);

function demo(output: string, more: Partial<DemoOptions> = {}): Promise<DemoResult> {
  return runDemo({
    project: at('project'),
    output: at(output),
    seed: 1,
    threads: 1,
    maxSteps: 3,
    minSymbols: 100,
    ...more,
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray demo '));
  await writeProject(at('project'));
});
afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the demo', () => {
  let result: DemoResult;
  beforeAll(async () => {
    result = await demo('out');
  });
  afterAll(() => result?.dispose());

  it('writes ordinary artifacts and a report', async () => {
    expect((await readdir(at('out'))).sort()).toEqual([
      'data',
      'index',
      'manifest.json',
      'model',
      'model.training',
      'report.html',
      'runs',
      'start',
    ]);
    expect(result.report).toBe(at('out', 'report.html'));
    const html = await readFile(result.report, 'utf8');
    for (const { name } of result.systems) expect(html).toContain(name);
    expect(result).toMatchObject({ documents: 180 });
    expect(result.testQueries).toBeGreaterThan(3);
    expect(result.trainQueries).toBeGreaterThan(100);
    expect((await readdir(at('out', 'runs'))).sort()).toEqual([
      'bm25-stemmed.trec',
      'bm25.trec',
      'lexray-bm25-stemmed.trec',
      'lexray.trec',
    ]);
  });

  it('shows the figures that `lexray measure` finds in its runs', async () => {
    const files = ['lexray', 'bm25', 'bm25-stemmed', 'lexray-bm25-stemmed'];
    expect(result.systems.map(({ name }) => name)).toEqual(['Lexray', 'BM25', 'BM25 stemmed', 'Lexray + BM25 stemmed']);
    const qrels = at('out', 'data', 'qrels', 'test.tsv');
    for (const [i, { measures }] of result.systems.entries()) {
      const run = at('out', 'runs', `${files[i]}.trec`);
      const { code, stdout } = await runInProcess('measure', qrels, run, ...Object.keys(measures), '--json');
      expect(code).toBe(0);
      const found = (JSON.parse(stdout) as { measures: Record<string, number> }).measures;
      expect(Object.keys(found).sort()).toEqual(['R@10', 'RR@10', 'nDCG@10']);
      for (const [name, { mean, low, high }] of Object.entries(measures)) {
        expect(mean, `${files[i]} ${name}`).toBeCloseTo(found[name]!, 9);
        expect(low).toBeLessThanOrEqual(mean);
        expect(high).toBeGreaterThanOrEqual(mean);
      }
    }
    const [, bm25] = result.systems;
    expect(bm25!.measures['RR@10']!.mean).toBeGreaterThan(0.3);
  });

  it('answers a query, by content', async () => {
    const hits = await result.search('will read every file of the given group', 5);
    expect(hits.length).toBeGreaterThan(0);
    expect(hits.length).toBeLessThanOrEqual(5);
    for (const { docid, title, score } of hits) {
      expect(docid).toMatch(/^(alpha|@scope\/beta|gamma):/);
      expect(title).not.toBe(docid);
      expect(score).toBeGreaterThan(0);
    }
    expect(await result.search('', 5)).toEqual(expect.any(Array));
  });

  it('writes what the other verbs read', async () => {
    const evaluated = await runInProcess('evaluate', at('out', 'model'), '--data', at('out', 'data'), '--json');
    expect(evaluated.code).toBe(0);
    const { measures } = JSON.parse(evaluated.stdout) as { measures: Record<string, number> };
    expect(measures['nDCG@10']).toBeCloseTo(result.systems[0]!.measures['nDCG@10']!.mean, 6);
  });

  it('replaces an earlier demo, and repeats its figures', async () => {
    await writeFile(at('out', 'left over.txt'), 'old');
    const again = await demo('out');
    await again.dispose();
    expect(existsSync(at('out', 'left over.txt'))).toBe(false);
    expect(again.systems.map(({ measures }) => measures)).toEqual(result.systems.map(({ measures }) => measures));
  });
});

describe('a folder that is in the way', () => {
  it('is left alone, unless --force is given', async () => {
    await mkdir(at('mine'));
    await writeFile(at('mine', 'thesis.txt'), 'mine');
    await expect(demo('mine')).rejects.toMatchObject({ code: 'USAGE', cure: expect.stringContaining('--force') });
    expect(await readdir(at('mine'))).toEqual(['thesis.txt']);
    await (await demo('mine', { force: true, maxSteps: 1 })).dispose();
    expect(await readdir(at('mine'))).not.toContain('thesis.txt');
  });

  it('is left alone: a file, and a manifest of another kind', async () => {
    await writeFile(at('file'), 'mine');
    await expect(demo('file')).rejects.toMatchObject({ code: 'USAGE' });
    expect(await readFile(at('file'), 'utf8')).toBe('mine');
    await mkdir(at('vectors'));
    await writeFile(at('vectors', 'manifest.json'), '{"format": "lexray-vectors", "version": 1}');
    await expect(demo('vectors')).rejects.toMatchObject({ code: 'USAGE' });
  });

  it.each(['project', '.', 'project/node_modules/..'])(
    'is never the one that holds the project: ./%s',
    async (output) => {
      await expect(demo(output, { force: true })).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining('must not be a folder that holds'),
      });
      expect(existsSync(at('project', 'node_modules', 'alpha', 'index.d.ts'))).toBe(true);
    },
  );

  // Without --force, so that nothing is lost should this fail one day.
  it.each(['.', '..'])('is never the current one: %s', async (output) => {
    await expect(runDemo({ project: at('project'), output, seed: 1, threads: 1 })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('must not be a folder that holds'),
    });
  });
});

describe('an interrupted demo', () => {
  it('ends at once', async () => {
    const controller = new AbortController();
    const stopped = demo('stopped', {
      signal: controller.signal,
      onProgress: ({ phase }) => {
        if (phase === 'train') controller.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(existsSync(at('stopped', 'report.html'))).toBe(false);
  });
});

describe('lexray demo', () => {
  const quick = (): string[] => ['--project', at('project'), '--max-steps', '1', '--min-symbols', '100'];

  it('prints a table and answers --query', async () => {
    const { code, stdout } = await runInProcess('demo', ...quick(), '-o', at('cli'), '--query', 'sort every record');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^180 API symbols; \d+ training queries, \d+ held out/);
    for (const name of ['Lexray', 'BM25', 'BM25 stemmed', 'RR@10', '"sort every record"', '  1. ']) {
      expect(stdout).toContain(name);
    }
    expect(stdout).toContain(`report: ${at('cli', 'report.html')}`);
  });

  it('prints what its schema says with --json', async () => {
    const args = [...quick(), '-o', at('cli'), '--query', 'sort every record', '--json'];
    const { code, stdout } = await runInProcess('demo', ...args);
    expect(code).toBe(0);
    const { schema: _, verb, lexray: __, ...data } = JSON.parse(stdout) as Record<string, unknown>;
    expect(verb).toBe('demo');
    expect(demoVerb.result.safeParse(data)).toMatchObject({ success: true });
    expect(data.hits).toHaveLength(5);
  });

  it('says so where there is no project and packages cannot be installed, and keeps the earlier demo', async () => {
    vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9/');
    vi.stubEnv('npm_config_fetch_retries', '0');
    vi.stubEnv('npm_config_cache', at('cache'));
    await mkdir(at('no project'));
    const { code, stderr } = await runInProcess('demo', '--project', at('no project'), '-o', at('cli'));
    expect(stderr).toMatch(/no node_modules folder .* are used instead/);
    expect(stderr).toMatch(/^error: npm could not install typescript@\S+ .* cure: check the connection/m);
    expect(code).toBe(4);
    expect(existsSync(at('cli', 'report.html'))).toBe(true);
  });
});
