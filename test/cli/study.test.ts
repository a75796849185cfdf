/** `study` and `report` as a user runs them, on the tiny model and the collection of the example design. */
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { verbs } from '../../src/cli/registry.ts';
import type { ResultLine } from '../../src/study/result-line.ts';
import { runInProcess } from './run-in-process.ts';
import { lexray, temporaryFolder } from './run-lexray.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const example = join(root, 'studies', 'example.yaml');
let folder = '';
let design = '';
let results = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);

/** The example with fewer cells, one of them with a head so large that it is corrected. */
async function writeDesign(path: string, changes: Readonly<Record<string, unknown>>): Promise<string> {
  const whole = parse(await readFile(example, 'utf8')) as Record<string, Record<string, unknown>>;
  await writeFile(path, stringify({ ...whole, ...changes }));
  return path;
}

async function readLines(path: string): Promise<ResultLine[]> {
  const text = await readFile(path, 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ResultLine);
}

const study = (...args: readonly string[]): ReturnType<typeof runInProcess> =>
  runInProcess('study', ...args, '--root', root, '--quiet');

beforeAll(async () => {
  folder = await temporaryFolder();
  results = at('results.jsonl');
  design = await writeDesign(at('design.yaml'), { seeds: [1, 2], runs: [{ gain: '4' }] });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('study', () => {
  it('says what it would take, and writes nothing', async () => {
    const { code, stdout, stderr } = await study(design, '-o', results, '--dry-run', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const forecast = JSON.parse(stdout) as { seconds: number; basis: string };
    expect(forecast.seconds).toBeGreaterThan(0);
    expect(forecast.basis).toMatch(/^4 cells, 0 done, 4 to run; .* a cell, from three steps of training/);
    expect(await readdir(folder)).toEqual(['design.yaml']);
  });

  it('runs the cells that are asked for, and then the others', async () => {
    const first = await study(design, '-o', results, '--only', 'seed=1, correction=C', '--json');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    const {
      schema: _schema,
      verb: _verb,
      lexray: _lexray,
      ...data
    } = JSON.parse(first.stdout) as Record<string, unknown>;
    expect(verbs.find(({ name }) => name === 'study')!.result.parse(data)).toEqual(data);
    expect(data).toMatchObject({ cells: 4, done: 1, missing: 3 });

    const second = await study(design, '-o', results);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toMatch(/^4 of 4 cells are done\n/);
    expect((await readdir(folder)).sort()).toEqual(['design.yaml', 'results.jsonl']);

    const lines = await readLines(results);
    expect(lines.map(({ levels, seed }) => [levels.correction, seed])).toEqual([
      ['C', 1],
      ['none', 1],
      ['none', 2],
      ['C', 2],
    ]);
    const [corrected, plain] = lines as [ResultLine, ResultLine];
    // The gain of 4 is on both; the correction brings the spread of scores to 1.
    expect(corrected.metrics['backbone scoreSpread']).toBeCloseTo(plain.metrics['head scoreSpread']!, 6);
    expect(corrected.metrics['head scoreSpread']).toBeCloseTo(1, 3);
    expect(corrected.metrics.factor).toBeCloseTo(plain.metrics['k score-spread@1']!, 6);
    expect(plain.metrics.factor).toBeUndefined();
    expect(Object.keys(plain.scores).sort()).toEqual([
      'dev 0/0',
      'dev 5/10',
      'dev 7/20',
      'eval 0/0',
      'eval 5/10',
      'eval 7/20',
    ]);
    for (const { metrics, scores, facts, curves, resolved } of lines) {
      const { qids, measures } = scores['eval 7/20']!;
      const mean = measures['nDCG@10']!.reduce((sum, value) => sum + value, 0) / qids.length;
      expect(metrics['eval 7/20 nDCG@10']).toBeCloseTo(mean, 12);
      expect(metrics['eval 7/20 documentDims']).toBeLessThanOrEqual(20);
      expect(metrics['eval 5/10 queryDims']).toBeLessThanOrEqual(5);
      expect(metrics['eval 0/0 flops']).toBeGreaterThanOrEqual(metrics['eval 5/10 flops']!);
      expect(metrics).toMatchObject({ collapsed: expect.any(Number), guardCollapse: expect.any(Number), broken: 0 });
      expect(facts).toMatchObject({ predicted: expect.any(String), threads: '1' });
      expect(curves!.step!.filter((step, i, all) => i === 0 || step !== all[i - 1])).toEqual([1, 2, 3, 4, 5, 6]);
      expect(curves!.dev!.filter((value) => value !== null)).toHaveLength(2);
      expect(resolved).toMatchObject({ learningRate: 1e-3, batchSize: 4, guard: { mode: 'warn' }, headCheck: false });
      expect(resolved.backbone).toEqual({
        path: 'test/fixtures/tiny-model',
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
    }
  });

  it('runs a cell again from its line, and says that it is the same', async () => {
    const { code, stdout, stderr } = await study('--rerun', '2', '-o', results, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ rerun: { same: true, tolerance: 1e-6, changed: [] } });
  });

  it('runs a cell again beside its design alone, by number or id, as it was written', async () => {
    const [line] = await readLines(results);
    const rerun = (...args: readonly string[]) => study('--rerun', '1', '-o', results, ...args);
    for (const args of [['--only', 'seed=1'], ['--limit', '1'], ['--jobs', '2'], ['--dry-run']]) {
      expect(await rerun(...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(/nothing beside --rerun/) });
    }
    expect(await rerun(at('none.yaml'))).toMatchObject({ code: 2 });
    const other = await writeDesign(at('other.yaml'), { name: 'other' });
    expect(await rerun(other)).toMatchObject({ code: 3, stderr: expect.stringMatching(/not of the design other/) });
    await rm(other);

    const changed = at('changed.jsonl');
    const cases: readonly [ResultLine, RegExp][] = [
      [{ ...line!, seed: 9 }, /seed 9 was changed: .*its levels or its seed are others/],
      [{ ...line!, resolved: { ...line!.resolved, gain: 9 } }, /was changed: .*do not fit together: gain \(/],
    ];
    for (const [one, message] of cases) {
      await writeFile(changed, `${JSON.stringify(one)}\n`);
      const { code, stderr } = await study('--rerun', '1', '-o', changed);
      expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringMatching(message) });
    }
    // Digits that are no line are those of an id.
    await writeFile(changed, `${JSON.stringify({ ...line!, id: '3604490123456789' })}\n`);
    expect(await study('--rerun', '360449', '-o', changed)).toMatchObject({ code: 3 });
    expect(await study('--rerun', '2', '-o', changed)).toMatchObject({ code: 2 });
    await rm(changed);
  });

  it('gets the same from cells that run side by side in processes of their own', async () => {
    const beside = at('beside.jsonl');
    const { code, stdout, stderr } = await study(design, '-o', beside, '--jobs', '2', '--threads', '1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^4 of 4 cells are done\n/);
    const byId = (lines: readonly ResultLine[]) => new Map(lines.map(({ id, scores }) => [id, scores]));
    expect(byId(await readLines(beside))).toEqual(byId(await readLines(results)));
    await rm(beside);
  });

  it('tells what went wrong in a process of its own, by the name of the cell', async () => {
    const pairs = at('broken.jsonl');
    await writeFile(pairs, '{"query": "one", "positive": "a text"}\nnot JSON\n');
    const { fixed } = parse(await readFile(design, 'utf8')) as { fixed: Record<string, unknown> };
    const other = await writeDesign(at('broken.yaml'), { seeds: [1], contrasts: [], fixed: { ...fixed, data: pairs } });
    const { code, stderr } = await study(other, '-o', at('lost.jsonl'), '--jobs', '2');
    expect(code).toBe(3);
    expect(stderr).toMatch(/broken\.jsonl:2/);
    await rm(pairs);
    await rm(other);
  });

  it('says what is not the same, with an exit code of its own', async () => {
    const [line] = await readLines(results);
    const other = at('other.jsonl');
    await writeFile(other, `${JSON.stringify({ ...line!, metrics: { ...line!.metrics, factor: 1 } })}\n`);
    const { code, stdout, stderr } = await study('--rerun', line!.id.slice(0, 8), '-o', other);
    expect(code).toBe(5);
    expect(stdout).toMatch(/not the same\nfactor: 1 → /);
    expect(stderr).toMatch(/^error: 1 figures changed by more than 0.000001/);
    expect(await readLines(other)).toHaveLength(1);
    await rm(other);
  });

  const contrast = { name: 'asked', plus: { correction: 'C' }, minus: { correction: 'none' } };
  const corrected = (correction: Readonly<Record<string, unknown>>) => ({
    factors: { gain: [1], correction: { levels: { C: { correction } } } },
    runs: 'all',
    contrasts: [],
  });
  it.each([
    [
      'an unknown kind of cell',
      { fixed: { cell: 'guess' } },
      /expected the setting "cell" to be one of finetune, pretrain, got "guess"/,
    ],
    ['a setting that there is not', { fixedToo: { learninRate: 1 } }, /learninRate/],
    ['a head corrected by training', { fixedToo: { calibrate: 'auto' } }, /calibrate is not for a study/],
    [
      'a correction without a factor',
      {
        factors: { gain: [1], correction: { levels: { C: { correction: { arm: 'C' } } } } },
        runs: 'all',
        contrasts: [],
      },
      /setting correction/,
    ],
    [
      'a measure that there is not',
      { fixedToo: { measures: ['foo@10'] } },
      /setting measures: .*foo@10.*known are nDCG/,
    ],
    [
      'a correction that no statistic finds',
      corrected({ arm: 'A', statistic: 'score-spread' }),
      /setting correction: score-spread finds no factor for arm A .*take arm B or C or D or E, or give a factor/,
    ],
    [
      'a target of a minimum',
      corrected({ arm: 'C', statistic: 'info-nce', target: 2 }),
      /setting correction: info-nce is a minimum and takes no target/,
    ],
    ['a dev measure that there is not', { fixedToo: { devMeasure: 'foo@10' } }, /setting devMeasure: .*foo@10/],
    [
      'a route that an arm has not',
      corrected({ arm: 'E', factor: 2, route: 'norm' }),
      /setting correction: arm E cannot be stored by the route norm/,
    ],
    [
      'a shift of an arm without one',
      corrected({ arm: 'C', factor: 2, shift: 1 }),
      /setting correction: arm C has no shift/,
    ],
    [
      'a contrast of a measure that no run has',
      { contrasts: [{ ...contrast, measure: 'nDCG@20', collection: 'eval 0/0' }] },
      /"asked": its runs will have no nDCG@20 on eval 0\/0 .*they will have nDCG@10, RR@10, FLOPS on dev 0\/0, /,
    ],
    [
      'a contrast of a collection that no run has',
      { contrasts: [{ ...contrast, measure: 'RR@10', collection: 'eval 3/3' }] },
      /"asked": its runs will have no RR@10 on eval 3\/3/,
    ],
    [
      'a contrast that does not say on which collection',
      { contrasts: [{ ...contrast, measure: 'RR@10' }] },
      /"asked": its runs will have no RR@10 on one collection/,
    ],
    [
      'a folder that is not there',
      { fixedToo: { backbone: 'nothing/here' } },
      /names a file or folder that is not there/,
    ],
  ])('refuses %s before any run', async (_, { fixedToo, ...changes }: Record<string, unknown>, message) => {
    const { fixed } = parse(await readFile(example, 'utf8')) as { fixed: object };
    const path = await writeDesign(at('bad.yaml'), {
      ...changes,
      ...(fixedToo ? { fixed: { ...fixed, ...fixedToo } } : {}),
    });
    const { code, stderr } = await study(path, '-o', at('bad.jsonl'));
    expect([2, 3]).toContain(code);
    expect(stderr).toMatch(message);
    expect(existsSync(at('bad.jsonl'))).toBe(false);
    await rm(path);
  });

  it('refuses --force, and an --only that is no cell', async () => {
    expect(await study(design, '-o', results, '--force')).toMatchObject({ code: 2 });
    const { code, stderr } = await study(design, '-o', results, '--only', 'gain=3');
    expect(code).toBe(2);
    expect(stderr).toContain('no cell of the design is "gain=3"');
  });

  it('refuses a file that is no file of results, by its name or by what is there', async () => {
    const zstandard = await study(design, '-o', at('results.jsonl.zst'));
    expect(zstandard).toMatchObject({ code: 2, stderr: expect.stringMatching(/ends in \.jsonl or \.jsonl\.gz/) });
    await writeFile(at('notes.jsonl'), '{"todo":"buy milk"}');
    const notes = await study(design, '-o', at('notes.jsonl'));
    expect(notes).toMatchObject({ code: 3, stderr: expect.stringMatching(/not a line of results/) });
    expect(await readFile(at('notes.jsonl'), 'utf8')).toBe('{"todo":"buy milk"}');
    await rm(at('notes.jsonl'));
  });

  it.skipIf(process.platform !== 'linux')('ends where no folder can be made', async () => {
    const { code, stderr } = await study(design, '-o', '/proc/x.jsonl');
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/no folder can be made/) });
  });

  it('refuses results when the data have changed', async () => {
    const own = at('own');
    await mkdir(own);
    const data = 'studies/example-data';
    for (const name of ['corpus.jsonl', 'queries.jsonl', 'qrels/train.tsv', 'qrels/dev.tsv', 'qrels/test.tsv']) {
      await mkdir(join(own, data, 'qrels'), { recursive: true });
      await writeFile(join(own, data, name), await readFile(join(root, data, name)));
    }
    await appendFile(join(own, data, 'corpus.jsonl'), '{"_id":"extra","title":"","text":"snow"}\n');
    const model = 'test/fixtures/tiny-model';
    await mkdir(join(own, 'test/fixtures'), { recursive: true });
    const { cp } = await import('node:fs/promises');
    await cp(join(root, model), join(own, model), { recursive: true });
    const { code, stderr } = await runInProcess('study', design, '-o', results, '--root', own, '--quiet');
    expect(code).toBe(2);
    expect(stderr).toMatch(/which is not of this design/);
    await rm(own, { recursive: true });
  });
});

describe('report', () => {
  it('makes one page, Markdown and LaTeX from the results alone', async () => {
    const args = [
      'report',
      results,
      '--design',
      design,
      '-o',
      at('report.html'),
      '--markdown',
      at('t.md'),
      '--latex',
      at('t.tex'),
    ];
    const { code, stdout, stderr } = await runInProcess(...args, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { schema: _schema, verb: _verb, lexray: _lexray, ...data } = JSON.parse(stdout) as Record<string, unknown>;
    expect(verbs.find(({ name }) => name === 'report')!.result.parse(data)).toEqual(data);
    // Two seeds cannot reach .05 by a sign-flip test.
    expect(data).toMatchObject({
      studies: [{ name: 'example', runs: 4, cells: 2, verdicts: { primary: 'not testable in one of one contrasts' } }],
    });
    const page = await readFile(at('report.html'), 'utf8');
    expect(page).toContain('correction helps where the head is four times too large');
    expect(page).not.toContain('NaN');
    expect(await readFile(at('t.md'), 'utf8')).toMatch(/^# Study example\n/);
    expect(await readFile(at('t.tex'), 'utf8')).toContain('\\begin{tabular}');
    expect(await runInProcess(...args)).toMatchObject({ code: 2 });
    expect(await runInProcess(...args, '--force', '--quiet')).toMatchObject({ code: 0 });
    expect(await readFile(at('report.html'), 'utf8')).toBe(page);
  });

  it('shows differences that were asked later, without a verdict', async () => {
    await writeFile(
      at('later.yaml'),
      'study: example\ncontrasts: [{ name: asked later, family: second thoughts, measure: nDCG@10, collection: eval 7/20, plus: { correction: C }, minus: { correction: none } }]',
    );
    const args = ['report', results, '--exploratory', at('later.yaml'), '-o', at('explored.html'), '--quiet'];
    expect(await runInProcess(...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(/--design/) });
    expect(await runInProcess(...args, '--design', design, '--markdown', at('e.md'))).toMatchObject({ code: 0 });
    const page = await readFile(at('explored.html'), 'utf8');
    expect(page).toContain('Exploratory differences, second thoughts');
    expect(await readFile(at('e.md'), 'utf8')).toMatch(
      /\| asked later +\| nDCG@10, eval 7\/20 +\| [+−]?0\.\d{3} .*of 2 \|/,
    );
  });

  it('refuses lines that are not as they were written, or not of the design', async () => {
    const [line] = await readLines(results);
    const changed = at('changed.jsonl');
    const report = async (lines: readonly ResultLine[], ...args: readonly string[]) => {
      await writeFile(changed, lines.map((one) => `${JSON.stringify(one)}\n`).join(''));
      return runInProcess('report', changed, '-o', at('x.html'), ...args);
    };
    const other = await writeDesign(at('other.yaml'), { seeds: [3, 4], runs: [{ gain: '4' }] });
    const cases: readonly [() => ReturnType<typeof report>, RegExp][] = [
      [() => report([line!, line!]), /hold the run .* twice/],
      [() => report([{ ...line!, levels: { ...line!.levels, gain: '8' } }]), /was changed: its digest is not/],
      [() => report([line!, { ...line!, study: 'else' }]), /two studies in one file, example and else/],
      [
        () => report([line!], '--design', other),
        /gain=4, correction=C, seed 1 of example is not of the design example/,
      ],
      [() => report([{ ...line!, settings: {} }], '--design', design), /has not the settings of the design: cell, /],
    ];
    for (const [result, message] of cases) {
      expect(await result()).toMatchObject({ code: 3, stderr: expect.stringMatching(message) });
    }
    expect(existsSync(at('x.html'))).toBe(false);
    await rm(changed);
    await rm(other);
  });

  it('refuses a measure that there is not', async () => {
    for (const measure of ['nDCG@20', 'ndcg@10', 'FLOPS']) {
      const { code, stderr } = await runInProcess('report', results, '-o', at('x.html'), '--measure', measure);
      expect(code).toBe(2);
      expect(stderr).toContain(`the runs of example have no ${measure}; they have nDCG@10, RR@10`);
    }
  });

  it('refuses an output that is an input or another output', async () => {
    const before = await readFile(results, 'utf8');
    await symlink(results, at('link.html'));
    const cases = [
      ['-o', results],
      ['-o', at('link.html')],
      ['-o', at('x.html'), '--markdown', join(folder, '.', 'results.jsonl')],
      ['-o', at('x.html'), '--latex', at('x.html')],
      ['-o', at('x.html'), '--design', design, '--markdown', design],
    ];
    for (const args of cases) {
      const { code, stderr } = await runInProcess('report', results, '--force', ...args);
      expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/is the same file as/) });
    }
    expect(await readFile(results, 'utf8')).toBe(before);
    await rm(at('link.html'));
  });

  it('refuses what are no results', async () => {
    expect(await runInProcess('report', at('none.jsonl'), '-o', at('x.html'))).toMatchObject({ code: 3 });
    expect(await runInProcess('report', design, '-o', at('x.html'))).toMatchObject({ code: 3 });
    expect(existsSync(at('x.html'))).toBe(false);
  });
});

describe.skipIf(process.platform === 'win32')('study and Ctrl-C', () => {
  it('leaves whole lines and no working folder, and goes on', async () => {
    const path = await writeDesign(at('long.yaml'), {
      seeds: Array.from({ length: 30 }, (_, i) => i),
      runs: [{ gain: '1', correction: 'none' }],
      contrasts: [],
    });
    const output = at('long.jsonl');
    const { code, stderr } = await lexray(['study', path, '-o', output, '--root', root], {
      interruptWhen: () => existsSync(output) && existsSync(`${output}.work`),
    });
    expect(stderr).toContain('the study goes on with the same command');
    expect(code).toBe(130);
    expect(existsSync(`${output}.work`)).toBe(false);
    const count = (await readLines(output)).length;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(30);
    await rm(output);
    await rm(path);
  });
});
