import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { badInput, LexrayError } from '../util/errors.ts';
import { analyseStudy, cellScores, exploreStudy } from './analyse-study.ts';
import { parseDesign, readExploratory, type StudyDesign } from './design.ts';
import { fakeDesign, fakeRun } from './fake-study.suite.ts';
import type { CellResult, ResultLine } from './result-line.ts';
import { appendResult, readResults } from './results-file.ts';
import { type RunCell, rerunLine, runStudy, studyState } from './runner.ts';

let root = '';
let design: StudyDesign;
let runs: string[] = [];
let path = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lexray study '));
  design = await parseDesign(fakeDesign);
});
afterAll(() => rm(root, { recursive: true, force: true }));
let files = 0;
beforeEach(() => {
  runs = [];
  path = join(root, `results ${files++}.jsonl`);
});

const fake: RunCell = (settings, cell) => {
  runs.push(cell.id);
  return fakeRun(settings, cell);
};

describe('runStudy', () => {
  it.each(['.jsonl', '.jsonl.gz'])('runs every cell once, and goes on where it was: %s', async (end) => {
    const results = join(root, `whole${end}`);
    const first = await runStudy(design, fake, { results, limit: 5 });
    expect(first.lines).toHaveLength(5);
    expect(first.missing).toHaveLength(23);
    const whole = await runStudy(design, fake, { results });
    expect(whole.missing).toEqual([]);
    expect(runs).toHaveLength(28);
    expect(new Set(runs).size).toBe(28);
    await runStudy(design, fake, { results });
    expect(runs).toHaveLength(28);
    const lines = await readResults(results);
    expect(lines).toEqual(whole.lines);
    expect(lines[0]).toMatchObject({
      schema: 1,
      study: 'fake',
      seed: 1,
      levels: { gain: '0', size: 'small' },
      settings: { base: 0.3, gain: 0 },
    });
    const bytes = await readFile(results);
    const text = (end === '.jsonl.gz' ? gunzipSync(bytes) : bytes).toString();
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as ResultLine),
    ).toEqual(lines);
  });

  it('stops at a run that throws, names it, leaves nothing behind, and runs it again', async () => {
    let broken = true;
    const failing: RunCell = async (settings, context) => {
      if (context.seed === 3 && broken) throw new LexrayError('FAILED', 'out of memory');
      return fake(settings, context);
    };
    await expect(runStudy(design, failing, { results: path })).rejects.toMatchObject({
      code: 'FAILED',
      message: 'out of memory',
      where: 'gain=0, size=small, seed 3',
    });
    expect(await readResults(path)).toHaveLength(2);
    broken = false;
    expect((await runStudy(design, failing, { results: path })).missing).toEqual([]);
  });

  it('runs several side by side, each once, and no more than it was told to', async () => {
    let [now, most] = [0, 0];
    const slow: RunCell = async (settings, context) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 1 + (context.seed % 3)));
      now--;
      return fake(settings, context);
    };
    const { lines, missing } = await runStudy(design, slow, { results: path, jobs: 3 });
    expect(missing).toEqual([]);
    expect(most).toBe(3);
    expect(new Set(runs).size).toBe(28);
    expect(await readResults(path)).toEqual(lines);
  });

  it('stops all that run side by side when one throws, and tells why', async () => {
    const stopped: number[] = [];
    const failing: RunCell = (_settings, { seed, signal }) =>
      new Promise((_, reject) => {
        if (seed === 2) setTimeout(() => reject(new LexrayError('FAILED', 'out of memory')), 5);
        signal!.addEventListener('abort', () => {
          stopped.push(seed);
          reject(new LexrayError('INTERRUPTED', 'interrupted'));
        });
      });
    await expect(runStudy(design, failing, { results: path, jobs: 3 })).rejects.toMatchObject({
      message: 'out of memory',
      where: 'gain=0, size=small, seed 2',
    });
    expect(stopped).toEqual(expect.arrayContaining([1, 3]));
    expect(await readResults(path)).toEqual([]);
  });

  it('refuses results that are none', async () => {
    const scores = (values: number[]): CellResult => ({
      metrics: {},
      scores: { pairs: { qids: ['a', 'b'], measures: { 'RR@10': values } } },
    });
    for (const result of [scores([1]), scores([1, Number.NaN]), { metrics: { loss: Number.NaN }, scores: {} }]) {
      await expect(runStudy(design, async () => result, { results: path })).rejects.toMatchObject({
        code: 'BAD_INPUT',
        where: 'gain=0, size=small, seed 1',
      });
    }
    expect(await readResults(path)).toEqual([]);
  });

  it('is interrupted between runs', async () => {
    const controller = new AbortController();
    const interrupting: RunCell = async (settings, context) => {
      if (context.seed === 2) controller.abort();
      return fake(settings, context);
    };
    await expect(runStudy(design, interrupting, { results: path, signal: controller.signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    expect(await readResults(path)).toHaveLength(2);
  });

  it('refuses results of another design, of changed settings, and twice the same', async () => {
    await runStudy(design, fake, { results: path, limit: 1 });
    const changed = { ...design, fixed: { base: 0.4 } };
    await expect(runStudy(changed, fake, { results: path })).rejects.toThrow(/is not of this design/);
    await expect(runStudy({ ...design, name: 'other' }, fake, { results: path })).rejects.toThrow(
      /of fake, which is not/,
    );
    const [line] = await readResults(path);
    await appendResult(path, line!);
    await expect(runStudy(design, fake, { results: path })).rejects.toThrow(/twice/);
  });

  it('says that some runs were made by another version', async () => {
    await runStudy(design, fake, { results: path, limit: 1 });
    const [line] = await readResults(path);
    await writeFile(path, `${JSON.stringify({ ...line, tool: 'lexray 0.0.1' })}\n`);
    const warnings: string[] = [];
    const state = await studyState(design, { results: path, onWarning: (message) => warnings.push(message) });
    expect(state.missing).toHaveLength(27);
    expect(warnings.join()).toMatch(/made by lexray 0.0.1, and this is lexray/);
  });
});

describe('rerunLine', () => {
  it('gives the same figures again from the line alone', async () => {
    await runStudy(design, fake, { results: path, limit: 4 });
    const line = (await readResults(path))[3]!;
    const again = await rerunLine(line, fake);
    expect(again.changed).toEqual([]);
    expect(again.line).toMatchObject({ id: line.id, metrics: line.metrics, scores: line.scores });
  });

  it('says what changed, and what is missing', async () => {
    await runStudy(design, fake, { results: path, limit: 1 });
    const [line] = await readResults(path);
    const other: RunCell = async (settings, context) => {
      const { scores } = await fake(settings, context);
      const { pairs } = scores;
      const values = pairs!.measures['RR@10']!.map((value, i) => value + (i === 0 ? 1e-5 : 1e-8));
      return { metrics: { other: 1 }, scores: { pairs: { ...pairs!, measures: { 'RR@10': values } } } };
    };
    const { changed } = await rerunLine(line!, other);
    expect(changed.map(({ name }) => name)).toEqual(['loss', `pairs RR@10 ${line!.scores.pairs!.qids[0]}`, 'other']);
    expect(changed[0]).toMatchObject({ before: 1, after: Number.NaN });
  });

  it('refuses a line that was changed', async () => {
    await runStudy(design, fake, { results: path, limit: 1 });
    const [line] = await readResults(path);
    await expect(rerunLine({ ...line!, seed: 99 }, fake)).rejects.toThrow(/its digest is not/);
    await expect(rerunLine({ ...line!, resolved: { base: 9 } }, fake)).rejects.toThrow(/its digest is not/);
  });

  it('names the cell of a run that cannot read its input', async () => {
    await runStudy(design, fake, { results: path, limit: 1 });
    const [line] = await readResults(path);
    const failing: RunCell = async () => {
      throw badInput('no such data', { cure: 'fetch it' });
    };
    await expect(rerunLine(line!, failing)).rejects.toMatchObject({
      where: 'gain=0, size=small, seed 1',
      cure: 'fetch it',
    });
  });
});

describe('analyseStudy', () => {
  it('answers the contrasts of each family from the lines alone, whatever their order', async () => {
    const { lines } = await runStudy(design, fake, { results: path });
    const families = analyseStudy(design, lines, { samples: 200 });
    expect(
      families.map(({ family, contrasts }) => [family, contrasts.map(({ name, verdict }) => [name, verdict])]),
    ).toEqual([
      ['primary', [['gain helps', 'confirmed']]],
      ['other', [['size hurts', 'undecided']]],
    ]);
    const [gain] = families[0]!.contrasts;
    expect(gain!.effect.mean).toBeCloseTo(0.2, 12);
    expect(families[1]!.contrasts[0]!.effect).toMatchObject({ mean: 0, pValue: 1 });
    expect(gain!.signFlip).toMatchObject({ pValue: 2 / 128, seeds: 7 });
    expect(analyseStudy(design, [...lines].reverse(), { samples: 200 })).toEqual(families);
    const { scores, seeds, qids: order } = cellScores(lines, { gain: '0', size: 'small' }, { measure: 'RR@10' });
    expect(seeds).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const place = order.indexOf('q3');
    expect(scores.map((row) => row[place])).toEqual(seeds.map((seed) => 0.3 + 0.003 + 0.01 * Math.sin(seed * 7 + 3)));
  });

  it('refuses sides that differ in more than they name, and runs that are missing', async () => {
    const { lines } = await runStudy(design, fake, { results: path });
    const without = (drop: (line: ResultLine) => boolean): readonly ResultLine[] => lines.filter((line) => !drop(line));
    const isLarge = ({ levels }: ResultLine): boolean => levels.size === 'large';
    expect(() => analyseStudy(design, without(isLarge))).toThrow('there is no run of gain=0.2, size=large');
    expect(() =>
      analyseStudy(
        design,
        without((line) => isLarge(line) && line.seed === 4),
      ),
    ).toThrow('gain=0.2, size=large has the seeds 1, 2, 3, 5, 6, 7, not 1, 2, 3, 4, 5, 6, 7');
    const [first] = design.contrasts;
    const uneven = {
      ...design,
      contrasts: [{ ...first!, minus: { gain: '0', size: 'small' }, plus: { gain: '0.2' } }],
    };
    expect(() => analyseStudy(uneven, lines)).toThrow(
      'the contrast "gain helps": its sides differ in more than they name: plus leaves size open (small, large), minus has small',
    );
    const fewer = { ...design, runs: [{ levels: { gain: ['0'] } }, { levels: { gain: ['0.2'] }, seeds: [1, 2] }] };
    expect(() => analyseStudy(fewer, lines)).toThrow(
      /size=large with seeds 1, 2 .* against size=large with seeds 1, 2, 3/,
    );
    const asked = { ...design, contrasts: design.contrasts.map((contrast) => ({ ...contrast, measure: 'AP' })) };
    expect(() => analyseStudy(asked, lines)).toThrow(/has no AP on pairs/);
    const elsewhere = lines.map((line, i) =>
      i > 0 ? line : { ...line, scores: { pairs: { qids: ['x'], measures: { 'RR@10': [1] } } } },
    );
    expect(() => analyseStudy(design, elsewhere)).toThrow(/different queries/);
  });
});

describe('exploreStudy', () => {
  it('gives differences with intervals, for the seeds that both sides have', async () => {
    const { lines } = await runStudy(design, fake, { results: path });
    const [first] = design.contrasts;
    const some = { ...first!, name: 'gain, three seeds', seeds: [2, 3, 5] };
    const uneven = { ...design, runs: [{ levels: { gain: ['0'] } }, { levels: { gain: ['0.2'] }, seeds: [2, 3, 5] }] };
    const those = lines.filter(({ levels, seed }) => levels.gain === '0' || [2, 3, 5].includes(seed));
    const [answer] = exploreStudy(uneven, [some], those);
    expect(answer).toMatchObject({ seeds: 3, positive: 3 });
    expect(answer!.effect.mean).toBeCloseTo(0.2, 12);
    // Rows of the same seeds stand beside each other: nothing is left of what seeds differ by.
    expect(answer!.effect.high - answer!.effect.low).toBeLessThan(1e-12);
    expect(() => exploreStudy(uneven, [{ ...some, seeds: [2, 4] }], those)).toThrow(
      /the design has no seed 4 for gain=0.2, size=small, but 2, 3, 5/,
    );
    expect(() => exploreStudy(uneven, [first!], those)).toThrow(/differ in more than they name/);
  });
});

describe('readExploratory', () => {
  const later = '{ name: later, measure: RR@10, plus: { gain: 0.2 }, minus: { gain: 0 }';
  const write = async (content: string): Promise<string> => {
    const file = join(root, `exploratory ${files++}.yaml`);
    await writeFile(file, content);
    return file;
  };

  it('reads contrasts of a study whose design is given', async () => {
    const file = await write(
      'study: fake\ncontrasts:\n  - { name: later, measure: RR@10, plus: { gain: 0.2 }, minus: { gain: 0 }, seeds: [1, 2], collection: [a, b] }\n',
    );
    const { study, contrasts } = await readExploratory(file, [design]);
    expect([study, contrasts]).toMatchObject([
      'fake',
      ['a', 'b'].map((collection) => ({ name: 'later', plus: { gain: '0.2' }, seeds: [1, 2], collection })),
    ]);
  });

  it.each([
    ['study: other\ncontrasts: [{ name: a, measure: m, plus: {}, minus: {} }]', /of the study other, whose design/],
    ['study: fake\ncontrasts: [{ name: a, measure: m, plus: { gain: 3 }, minus: {} }]', /no level "3"/],
    ['study: fake\ncontrasts: []', /contrasts/],
    [`study: fake\ncontrasts: [${later}, seeds: [1, 99] }]`, /the design has no seed 99 for gain=0.2, size=small/],
    [`study: fake\ncontrasts: [${later}, seeds: [1, 2, 1] }]`, /a seed occurs twice/],
    [`study: fake\ncontrasts: [${later}, claim: positive }]`, /there is no "claim" here/],
    [`study: fake\ncontrasts: [${later}, matters: 0.1 }]`, /there is no "matters" here/],
    ['study: fake\ncontrast: []', /contrast/],
    ['[', /not YAML/],
  ])('refuses %s', async (content, message) => {
    const file = await write(content);
    await expect(readExploratory(file, [design])).rejects.toMatchObject({ code: 'CONFIG', where: file });
    await expect(readExploratory(file, [design])).rejects.toThrow(message);
  });
});
