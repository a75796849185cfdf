import { describe, expect, it } from 'vitest';
import { studyLatex, studyMarkdown, studyReport } from '../../report/study-report.ts';
import { Random } from '../../util/random.ts';
import { parseDesign, type StudyDesign } from '../design.ts';
import type { ResultLine } from '../result-line.ts';
import { summariseStudy } from './summarise-study.ts';

const gains = [0.25, 1, 4];
const qids = Array.from({ length: 20 }, (_, i) => `q${i}`);

/** What a run reaches: best at a gain of its backbone's own; b is best at 4, with quality to lose. */
function level(backbone: string, gain: number, arm: string): number {
  const best = backbone === 'a' ? 1 : 4;
  if (arm === 'C') return 0.6;
  return gain === best ? 0.6 : gain === best * 4 || gain === best / 16 ? 0.2 : 0.5;
}

function line(backbone: string, gain: number, arm: string, seed: number): ResultLine {
  const random = new Random(seed * 1000 + gain * 10 + backbone.charCodeAt(0));
  const scores = (shift: number) => ({
    qids,
    measures: {
      'nDCG@10': qids.map((_, q) => level(backbone, gain, arm) + shift + 0.02 * Math.sin(q) + 0.001 * random.normal()),
    },
  });
  const [dev, test] = [scores(0), scores(0.1)];
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    schema: 1,
    study: 'fake',
    id: '0123456789abcdef',
    levels: { backbone, gain: String(gain), correction: arm },
    seed,
    settings: { backbone, gain, correction: arm === 'none' ? 'none' : { arm: 'C', statistic: 'score-spread' } },
    resolved: { backbone: { path: backbone, sha256: backbone } },
    metrics: {
      'dev 0/0 nDCG@10': mean(dev.measures['nDCG@10']),
      'eval 0/0 nDCG@10': mean(test.measures['nDCG@10']),
      'eval 0/0 flops': 3 * gain,
      'eval 0/0 documentDims': 100,
      'dev medianDocumentDims': gain === 4 && backbone === 'a' ? 0 : 90,
      collapsed: gain === 4 && backbone === 'a' && arm === 'none' ? 1 : 0,
      guardCollapse: 0,
      predictedCollapse: gain === 4 && arm === 'none' ? 1 : 0,
      // The rule "good" finds the best factor of both at its constant 2; "always 1" loses on b.
      'k good@1': backbone === 'a' ? 4 : 1,
      'k good@2': backbone === 'a' ? 1 : 0.25,
    },
    scores: { 'dev 0/0': dev, 'eval 0/0': test },
    curves: { step: [1, 2], loss: [3, seed], dev: [null, 0.5] },
    seconds: 10,
    finished: '2025-01-01T00:00:00.000Z',
    tool: 'lexray 0.0.0',
  };
}

const lines = ['a', 'b'].flatMap((backbone) =>
  gains.flatMap((gain) =>
    ['none', 'C'].flatMap((arm) => [1, 2, 3, 4, 5, 6].map((seed) => line(backbone, gain, arm, seed))),
  ),
);

const design: Promise<StudyDesign> = parseDesign(`
name: fake
factors:
  backbone: [a, b]
  gain: [0.25, 1, 4]
  correction: { levels: { none: { correction: none }, C: { correction: { arm: C, statistic: score-spread } } } }
seeds: [1, 2, 3, 4, 5, 6]
contrasts:
  - { name: C helps a at 4, measure: nDCG@10, collection: eval 0/0, plus: { backbone: a, gain: 4, correction: C }, minus: { backbone: a, gain: 4, correction: none } }
`);

describe('summariseStudy', () => {
  it('answers contrasts, counts collapses by all three rules, and judges rules by regret', async () => {
    const study = summariseStudy(lines, { design: await design });
    expect(study).toMatchObject({
      name: 'fake',
      runs: 72,
      seconds: 720,
      sweep: { axis: 'gain', series: 'correction', panels: ['backbone'] },
    });
    expect(study.families).toMatchObject([{ name: 'primary', words: 'confirmed in one of one contrasts' }]);
    const contrast = study.families[0]!.contrasts[0]!;
    expect(contrast.effect.mean).toBeCloseTo(0.4, 2);
    expect(contrast).toMatchObject({ seeds: 6, positive: 6, measure: 'nDCG@10, eval 0/0', verdict: 'confirmed' });

    const cell = (backbone: string, gain: string, correction: string) =>
      study.cells.find(
        ({ levels }) => levels.backbone === backbone && levels.gain === gain && levels.correction === correction,
      )!;
    expect(cell('a', '4', 'none')).toMatchObject({ collapsed: 6, predicted: 6, seeds: [1, 2, 3, 4, 5, 6] });
    // Active, but below half of its backbone's best on dev.
    expect(cell('b', '0.25', 'none')).toMatchObject({ collapsed: 6, predicted: 0 });
    expect(cell('b', '4', 'none')).toMatchObject({ collapsed: 0, predicted: 6 });
    expect(cell('a', '1', 'none').scores['eval 0/0 nDCG@10']!.mean).toBeCloseTo(
      0.7 + mean(qids.map((_, q) => 0.02 * Math.sin(q))),
      3,
    );

    const [regrets] = study.regrets;
    expect(regrets).toMatchObject({
      question: 'nDCG@10, chosen on dev 0/0, judged on eval 0/0',
      reason: undefined,
    });
    expect(regrets!.rules.map(({ rule }) => rule)).toEqual([
      'always 1',
      'k of good to 1 … 2',
      'score-spread, arm C, as run',
    ]);
    const [trivial, good, asRun] = regrets!.rules;
    expect(good!.mean.mean).toBeCloseTo(0, 3);
    expect(
      good!.backbones.map(({ backbone, constant, factor, bestFactor }) => [backbone, constant, factor, bestFactor]),
    ).toEqual([
      ['a', 2, 1, 1],
      ['b', 2, 0.25, 0.25],
    ]);
    expect(trivial).toMatchObject({ worst: 'b' });
    expect(trivial!.mean.mean).toBeCloseTo(0.05, 2);
    // Heads that are left alone gain nothing; the corrected runs have .6 wherever they start from.
    expect(trivial!.gained.map(({ gain, difference }) => [gain, difference.mean])).toEqual([
      [0.25, 0],
      [1, 0],
      [4, 0],
    ]);
    expect(asRun!.mean.mean).toBeCloseTo(0, 2);
    expect(asRun!.gained.map(({ difference }) => difference.mean)).toEqual([
      expect.closeTo(0.25, 2),
      expect.closeTo(0.05, 2),
      expect.closeTo(0.2, 2),
    ]);
    expect(study.bestGains).toMatchObject([
      {
        levels: { correction: 'none' },
        octaves: { gain: 2 },
        backbones: [
          { backbone: 'a', gain: 1, above: { mean: 0 }, healthy: [0.25, 1] },
          { backbone: 'b', gain: 4, above: { mean: expect.closeTo(0.1, 2) }, healthy: [1, 4] },
        ],
      },
    ]);
  });

  it('gives one seed no interval, and one backbone no rules', () => {
    const study = summariseStudy(lines.filter(({ seed, levels }) => seed === 1 && levels.backbone === 'a'));
    expect(study.cells[0]!.scores['eval 0/0 nDCG@10']).toEqual({ mean: expect.any(Number) });
    expect(study).toMatchObject({
      regrets: [{ rules: [], reason: 'leaving one backbone out needs two backbones' }],
      families: [],
    });
  });
});

describe('the report of a study', () => {
  it('has every section, the same bytes for the same lines, and fetches nothing', async () => {
    const data = { studies: [summariseStudy(lines, { design: await design })], tool: 'lexray test' };
    const page = studyReport(data);
    for (const heading of [
      'Contrasts',
      'Regret of rules',
      'Sweep of gain',
      'Heat',
      'Dynamics',
      'Cells',
      'Prunings',
      'What was run',
    ]) {
      expect(page).toContain(`>${heading}</h2>`);
    }
    expect(page).toContain('>6/6<');
    expect(page).toContain(
      'Collapse as diagnose judged it when the runs were made, and as it came: balanced accuracy 0.70',
    );
    expect(page).not.toMatch(/(?:src|href)="(?!#)/);
    expect(studyReport({ studies: [summariseStudy(lines, { design: await design })], tool: 'lexray test' })).toBe(page);
  });

  it('writes the tables as Markdown and LaTeX', async () => {
    const data = { studies: [summariseStudy(lines, { design: await design })], tool: 'lexray test' };
    expect(studyMarkdown(data)).toMatch(/\| C helps a at 4 +\| nDCG@10, eval 0\/0 \|/);
    const latex = studyLatex(data);
    expect(latex).toContain('\\textbf{confirmed}');
    expect(latex.match(/\\begin\{table\}/g)!.length).toBe(latex.match(/\\end\{table\}/g)!.length);
    // No sign that LaTeX would take for its own: every special one is escaped, the tables' separators aside.
    expect(latex.split('\n').filter((text) => !text.startsWith('%') && /(?<!\\)[%#_]/.test(text))).toEqual([]);
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
