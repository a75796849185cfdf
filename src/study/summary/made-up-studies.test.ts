import { describe, expect, it } from 'vitest';
import { studyLatex, studyMarkdown, studyReport } from '../../report/study-report.ts';
import { madeUpBest, madeUpCalibration, madeUpGains, madeUpPretraining } from './made-up-lines.suite.ts';
import { summariseStudy } from './summarise-study.ts';

describe('a made-up calibration study', () => {
  const study = summariseStudy(madeUpCalibration());
  const predictor = (name: string) => study.predictors.find((one) => one.name === name)!;

  it('finds that the score spread predicts collapse, and the norm only where the best gains agree', () => {
    // Spread is 4 ** octaves from the best gain, and cells collapse from three octaves on, whatever the backbone.
    expect(predictor('score spread')).toMatchObject({
      accuracy: { mean: 1, high: 1 },
      areaLarger: { mean: 1 },
      areaSmaller: { mean: 1 },
      otherArm: undefined,
    });
    expect(predictor('diagnose, as it was for these runs').accuracy).toMatchObject({ mean: 1 });
    const cells = study.cells.filter(({ levels }) => levels.correction === 'none');
    const collapsed = cells.filter((cell) => cell.collapsed > 0);
    const large = (cell: (typeof cells)[number]): boolean => 2 * Number(cell.levels.gain) > 2;
    const caught = collapsed.filter(large).length / collapsed.length;
    const spared =
      cells.filter((cell) => cell.collapsed === 0 && !large(cell)).length / (cells.length - collapsed.length);
    expect(predictor('norm above 2').accuracy!.mean).toBeCloseTo((caught + spared) / 2, 12);
    expect(predictor('norm of the head').accuracy!.mean).toBeLessThan(1);
    // The same for all gains of a backbone: it can tell nothing within one.
    expect(predictor('anisotropy').accuracy!.mean).toBeLessThan(0.7);
  });

  it('finds that the score spread chooses the best gain of a backbone that was left out, and the norm does not', () => {
    const [strict, loose] = study.regrets;
    expect([strict!.question, loose!.question]).toEqual([
      'nDCG@10, chosen on dev 5/10, judged on eval 5/10',
      'nDCG@10, chosen on dev 0/0, judged on eval 0/0',
    ]);
    const rule = (name: string) => strict!.rules.find((one) => one.rule === name)!;
    const spread = rule('score spread');
    // The norm that is best for two backbones is off by two octaves or three on the third.
    expect(rule('norm of the head').mean.mean).toBeGreaterThan(0.03);
    for (const { factor, bestFactor, constant } of spread.backbones) {
      expect(factor).toBe(bestFactor);
      // All targets between the neighbours do; the middle one is the spread at the best gain.
      expect(constant).toBeGreaterThan(0.5);
      expect(constant).toBeLessThan(2);
    }
    expect(rule('figure and target chosen on the others').mean.mean).toBeCloseTo(spread.mean.mean, 12);
    expect(spread.gained.map(({ gain }) => gain)).toEqual(madeUpGains);
    const [low, , , , one, , , , high] = spread.gained.map(({ difference }) => difference);
    expect(low!.low).toBeGreaterThan(0.1);
    expect(one!.mean).toBeGreaterThan(0);
    expect(high!.low).toBeGreaterThan(0.3);
    expect(study.bestGains[0]).toMatchObject({ octaves: { gain: 3, 'score spread': 0, 'norm of the head': 3 } });
  });

  it('shows what predicts, frontiers and curves, without a figure that is none', () => {
    const page = studyReport({ studies: [study], tool: 'lexray test' });
    for (const heading of ['Regret of rules', 'Sweep of gain', 'What predicts collapse', 'Dynamics', 'Prunings']) {
      expect(page).toContain(`>${heading}</h2>`);
    }
    expect(page).toContain('nDCG@10 against FLOPS, backbone = uncased, correction = none');
    expect(page).toContain('Spread of the scores of unrelated texts');
    expect(page).toContain('What a rule is worth against leaving the head alone');
    expect(page).toContain('Where the sweep is best');
    expect(page).not.toContain('>Pre-training</h2>');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
    const latex = studyLatex({ studies: [study], tool: 'lexray test' });
    expect(latex).toContain('What predicts collapse before training');
    expect(latex.split('\n').filter((text) => !text.startsWith('%') && /(?<!\\)[%#_]/.test(text))).toEqual([]);
    expect(studyMarkdown({ studies: [study], tool: 'lexray test' })).toMatch(/\| score spread +\|/);
  });
});

describe('a made-up study from which the product has its constants', () => {
  const away = (gain: string, backbone: string): number => Math.log2(Number(gain)) - madeUpBest[backbone]!;
  const lines = madeUpCalibration().map((line) => {
    const { gain, backbone } = line.levels as { gain: string; backbone: string };
    return {
      ...line,
      study: 'calibration',
      resolved: { ...line.resolved, learningRate: 1e-4, maxSteps: 200, batchSize: 32 },
      metrics: {
        ...line.metrics,
        ...{ vocabulary: 16_384, 'head activeDims': 7600, 'head zeroTexts': 0, 'head activeShare': 0.46 },
        // Above 150,000 × .02 from three octaves on; a spread that is never dense.
        ...{ 'head flops': 3000 * 2 ** (away(gain, backbone) - 2.5), 'head meanWeight': 0.5, 'head cosine': 0.5 },
        ...{ 'head scoreSpread': 100, 'k exact-deviation@0.5': Number(gain) * 2 ** -madeUpBest[backbone]! },
      },
    };
  });
  const study = summariseStudy(lines);

  it('judges diagnose as it is now, and says that this is in sample', () => {
    const cells = study.cells.filter(({ levels }) => levels.correction === 'none');
    const collapsed = cells.filter((cell) => cell.collapsed > 0);
    const larger = collapsed.filter(({ levels }) => away(levels.gain!, levels.backbone!) > 0);
    const now = study.predictors.find(({ name }) => name === 'diagnose, as it is now')!;
    expect(now.inSample).toBe(true);
    expect(now.accuracy!.mean).toBeCloseTo((larger.length / collapsed.length + 1) / 2, 12);
    const rule = study.regrets[0]!.rules.find((one) => one.rule.startsWith('default of rescale --auto'))!;
    expect(rule).toMatchObject({ rule: 'default of rescale --auto: exact-deviation to 0.5', inSample: true });
    for (const { factor, bestFactor } of rule.backbones) expect(factor).toBe(bestFactor);
    const text = studyMarkdown({ studies: [study], tool: 'lexray test' });
    expect(text).toMatch(/\| diagnose, as it is now \(in sample\) +\|/);
    expect(text).toMatch(/\| default of rescale --auto: exact-deviation to 0\.5 \(in sample\) +\|/);
    expect(
      summariseStudy(lines.map((line) => ({ ...line, study: 'another' }))).predictors.filter((one) => one.inSample),
    ).toEqual([]);
  });

  it('chooses a figure and its range on the other backbones', () => {
    const chosen = study.predictors.find(({ name }) => name === 'figure and range chosen on the others')!;
    expect(chosen.accuracy).toMatchObject({ mean: 1 });
    for (const { figure } of chosen.windows) {
      expect(study.predictors.find(({ name }) => name === figure)!.accuracy!.mean).toBe(1);
    }
    expect(study.predictors.find(({ name }) => name === 'FLOPS over learning rate × steps')!.accuracy!.mean).toBe(1);
  });
});

describe('a made-up study of pre-training', () => {
  const study = summariseStudy(madeUpPretraining());

  it('finds what goes with quality over cells', () => {
    const rho = (statistic: string) => study.correlations.find((one) => one.statistic === statistic)!;
    expect(rho('titles logit_score_std')).toMatchObject({ cells: 12, rho: { mean: 1 } });
    expect(rho('titles accuracy').rho.mean).toBeCloseTo(-1, 12);
    const { low, high } = rho('titles non_neg_terms_avg').rho;
    expect(low).toBeLessThan(0.5);
    expect(high).toBeGreaterThan(0);
    expect(study.predictors).toEqual([]);
  });

  it('has t intervals of figures that a run has one of', () => {
    const cell = study.cells.find(({ levels }) => levels.rate === 'high' && levels.repeat === '1')!;
    // Accuracy is a constant + .001 · seed, seeds 1 to 5: s = .00158, t(.975, 4) = 2.776.
    const { mean, low, high } = cell.figures['mlm titles accuracy']!;
    expect([mean - low!, high! - mean]).toEqual([expect.closeTo(0.001963, 6), expect.closeTo(0.001963, 6)]);
    expect(cell.figures['eval 5/10 postings cv2']).toMatchObject({
      low: expect.closeTo(3.4, 12),
      high: expect.closeTo(3.4, 12),
    });
    // Looked at at steps 0, 50, … 200: the last look before the last fifth is that at 150. The level is .53.
    const loss = (at: number): number => 6.5 - 0.53 * Math.log1p(at);
    expect(cell.figures.lastFifth!.mean).toBeCloseTo(1 - loss(200) / loss(150), 12);
    const page = studyReport({ studies: [study], tool: 'lexray test' });
    expect(page).toContain('>Pre-trained models</h2>');
    expect(page).toContain('by how much loss fell over the last fifth');
  });

  it('shows curves of pre-training and points of the cells', () => {
    const page = studyReport({ studies: [study], tool: 'lexray test' });
    for (const heading of ['Pre-training', 'Pre-trained model and quality', 'Dynamics']) {
      expect(page).toContain(`>${heading}</h2>`);
    }
    expect(page).toContain('eval 0/0 nDCG@10 against titles logit_score_std');
    expect(page).toContain('Spearman’s ρ over 12 cells');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });
});
