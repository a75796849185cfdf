import { describe, expect, it } from 'vitest';
import { studyLatex, studyMarkdown, studyReport } from '../../report/study-report.ts';
import { madeUpCalibration, madeUpPretraining } from './made-up-lines.suite.ts';
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
    expect(predictor('diagnose').accuracy).toMatchObject({ mean: 1 });
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

  it('shows what predicts, frontiers and curves, without a figure that is none', () => {
    const page = studyReport({ studies: [study], tool: 'lexray test' });
    for (const heading of ['Regret of rules', 'Sweep of gain', 'What predicts collapse', 'Dynamics', 'Prunings']) {
      expect(page).toContain(`>${heading}</h2>`);
    }
    expect(page).toContain('nDCG@10 against FLOPS, backbone = uncased, correction = none');
    expect(page).toContain('Spread of the scores of unrelated texts');
    expect(page).not.toContain('>Pre-training</h2>');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
    const latex = studyLatex({ studies: [study], tool: 'lexray test' });
    expect(latex).toContain('What predicts collapse before training');
    expect(latex.split('\n').filter((text) => !text.startsWith('%') && /(?<!\\)[%#_]/.test(text))).toEqual([]);
    expect(studyMarkdown({ studies: [study], tool: 'lexray test' })).toMatch(/\| score spread +\|/);
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
