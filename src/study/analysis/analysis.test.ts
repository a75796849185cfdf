import { describe, expect, it } from 'vitest';
import { analyseFamily, type Contrast } from './contrast-family.ts';
import { crossedInterval } from './crossed-interval.ts';
import { countInWords, verdictsInWords } from './in-words.ts';
import { rankCorrelation } from './rank-correlation.ts';
import { type BackboneSweep, type FactorRule, judgeRule } from './regret.ts';
import { contrastTable, type ScoreTable } from './score-table.ts';
import { seedsForFamily, signFlipTest } from './sign-flip.ts';

/** A table of 8 seeds and 6 queries with a mean, and a little noise that sums to 0 over each. */
function table(mean: number, noise = 0.01): number[][] {
  return Array.from({ length: 8 }, (_, s) =>
    Array.from({ length: 6 }, (_, q) => mean + noise * ((s % 2) - 0.5) + noise * ((q % 3) - 1)),
  );
}

describe('contrastTable', () => {
  it('is the weighted sum, seed by seed and query by query', () => {
    const cells = [
      {
        scores: [
          [1, 2],
          [3, 4],
        ],
        weight: 0.5,
      },
      {
        scores: [
          [0, 2],
          [1, 1],
        ],
        weight: -1,
      },
    ];
    expect(contrastTable(cells)).toEqual([
      [0.5, -1],
      [0.5, 1],
    ]);
  });

  it('refuses cells of other seeds or queries, and what is no number', () => {
    const of = (scores: ScoreTable): { scores: ScoreTable; weight: number } => ({ scores, weight: 1 });
    expect(() => contrastTable([])).toThrow(/at least one cell/);
    expect(() =>
      contrastTable([
        of([[1, 2]]),
        of([
          [1, 2],
          [1, 2],
        ]),
      ]),
    ).toThrow(/got 2 × 2 and 1 × 2/);
    expect(() => contrastTable([of([[1, 2], [1]])])).toThrow(/seed 1 has 1 queries/);
    expect(() => contrastTable([of([[1, Number.NaN]])])).toThrow(/seed 0, query 1 is NaN/);
    expect(() => contrastTable([of([])])).toThrow(/at least one seed/);
  });
});

describe('crossedInterval', () => {
  it('by hand: seeds alone, queries alone', () => {
    // Rows 0, 1, 2: the t interval of three means, t = 4.303.
    const seeds = crossedInterval([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
    expect(seeds).toMatchObject({ mean: 1, degreesOfFreedom: 2, components: { seed: 1, query: 0, residual: 0 } });
    expect(seeds.high).toBeCloseTo(1 + 4.302652729911275 / Math.sqrt(3), 9);
    const queries = crossedInterval([
      [0, 1, 2],
      [0, 1, 2],
    ]);
    expect(queries).toMatchObject({ mean: 1, degreesOfFreedom: 2, components: { seed: 0, query: 1 } });
    expect(queries.high).toBeCloseTo(seeds.high, 9);
  });

  it('without any variance is certain', () => {
    expect(
      crossedInterval([
        [0, 0],
        [0, 0],
      ]),
    ).toMatchObject({ mean: 0, low: 0, high: 0, pValue: 1 });
    expect(
      crossedInterval([
        [0.2, 0.2],
        [0.2, 0.2],
      ]),
    ).toMatchObject({ low: 0.2, high: 0.2, pValue: 0 });
  });

  it('wants two seeds and two queries', () => {
    expect(() => crossedInterval([[1, 2]])).toThrow(/two of each, got 1 seeds and 2 queries/);
  });
});

describe('signFlipTest', () => {
  it('is on means by seed, and knows what so few seeds can say', () => {
    const rows = [0.1, 0.2, 0.3, 0.4, 0.5].map((mean) => [mean - 0.05, mean + 0.05]);
    expect(signFlipTest(rows)).toEqual({
      pValue: 2 / 32,
      leastP: 2 / 32,
      exact: true,
      seeds: 5,
      positive: 5,
      negative: 0,
    });
    const eight = Array.from({ length: 8 }, (_, s) => [s === 3 ? -0.01 : 0.1, 0.1]);
    expect(signFlipTest(eight)).toMatchObject({ pValue: 2 / 256, positive: 8 });
    expect(signFlipTest(Array.from({ length: 16 }, () => [1, 2])).exact).toBe(true);
  });

  it('five seeds cannot pass at .05; six contrasts need eight, eight need nine', () => {
    expect(seedsForFamily(1)).toBe(6);
    expect(seedsForFamily(6)).toBe(8);
    expect(seedsForFamily(8)).toBe(9);
  });
});

describe('analyseFamily', () => {
  const contrast = (name: string, scores: ScoreTable, rest: Partial<Contrast> = {}): Contrast => ({
    name,
    cells: [{ scores, weight: 1 }],
    ...rest,
  });
  const options = { samples: 100 };

  it('corrects over the family and gives verdicts on claims', () => {
    const results = analyseFamily(
      [
        contrast('better', table(0.1)),
        contrast('worse', table(-0.1)),
        contrast('less, as claimed', table(-0.1), { claim: 'negative' }),
        contrast('nothing', table(0)),
        contrast('too little', table(0.002), { matters: 0.05 }),
        contrast('any', table(0.1), { claim: 'none' }),
      ],
      options,
    );
    expect(results.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['better', 'confirmed'],
      ['worse', 'refuted'],
      ['less, as claimed', 'confirmed'],
      ['nothing', 'undecided'],
      ['too little', 'refuted'],
      ['any', 'confirmed'],
    ]);
    expect(results[0]!.signFlip).toMatchObject({ pValue: 2 / 256, pHolm: 12 / 256 });
    expect(results[0]!.bootstrap.low).toBeGreaterThan(0.09);
    expect(verdictsInWords(results)).toBe('confirmed in three of six contrasts, refuted in two, undecided in one');
  });

  it('says what cannot be tested: eight contrasts on eight seeds', () => {
    const family = Array.from({ length: 8 }, (_, i) => contrast(`c${i}`, table(0.1)));
    const byFlips = analyseFamily(family, options);
    expect(byFlips.map(({ verdict }) => verdict)).toEqual(family.map(() => 'not testable'));
    expect(byFlips[0]!.signFlip.pHolm).toBe(16 / 256);
    expect(analyseFamily(family, { ...options, tests: 'crossed-t' }).map(({ verdict }) => verdict)).toEqual(
      family.map(() => 'confirmed'),
    );
    expect(verdictsInWords(byFlips)).toBe('not testable in all eight contrasts');
  });

  it('refuses a name twice', () => {
    expect(() => analyseFamily([contrast('a', table(0)), contrast('a', table(0))])).toThrow(/same name/);
  });

  it('counts in words', () => {
    expect(countInWords(0, 8, 'cells')).toBe('none of eight cells');
    expect(countInWords(1, 1, 'cells')).toBe('one of one cells');
    expect(countInWords(13, 20, 'cells')).toBe('13 of 20 cells');
    expect(verdictsInWords([])).toBe('no contrasts were declared');
  });
});

describe('judgeRule', () => {
  /** Factors 1, 2, 4, 8 with a dev and an eval score each, the same for 2 seeds and 3 queries. */
  const sweep = (
    backbone: string,
    norm: number,
    dev: readonly number[],
    evaluation = dev,
  ): BackboneSweep<{ norm: number }> => ({
    backbone,
    facts: { norm },
    settings: dev.map((score, i) => ({ factor: 2 ** i, dev: flat(score), eval: flat(evaluation[i]!) })),
  });
  const flat = (value: number): number[][] => [
    [value, value + 0.1, value - 0.1],
    [value, value + 0.1, value - 0.1],
  ];
  const sweeps = [
    sweep('a', 1, [0.5, 0.4, 0.3, 0.2]),
    sweep('b', 2, [0.3, 0.5, 0.4, 0.2]),
    sweep('c', 4, [0.1, 0.2, 0.5, 0.4], [0.1, 0.2, 0.45, 0.5]),
  ];
  const byNorm: FactorRule<{ norm: number }> = {
    name: 'norm / constant',
    constants: [0.5, 1, 2],
    choose: ({ norm }, constant) => norm / constant,
  };
  const never: FactorRule<unknown> = { name: 'k = 1', constants: [1], choose: () => 1 };

  it('by hand: the constant is chosen on the other backbones, regret is on eval', () => {
    const { backbones, mean, worst, rule } = judgeRule(sweeps, byNorm);
    expect(rule).toBe('norm / constant');
    expect(backbones.map(({ constant, factor, bestFactor }) => [constant, factor, bestFactor])).toEqual([
      [1, 1, 1],
      [1, 2, 2],
      [1, 4, 4],
    ]);
    expect(mean.mean).toBeCloseTo(0, 12);
    expect(worst.regret.mean).toBeCloseTo(0, 12);
  });

  it('a rule that is fitted to one backbone is judged by the others', () => {
    // Only constant .5 is right for d, and wrong for the rest, on which it is judged.
    const fitted = judgeRule([...sweeps, sweep('d', 1, [0.1, 0.9, 0.1, 0.1])], byNorm);
    const d = fitted.backbones.find(({ backbone }) => backbone === 'd')!;
    expect(d).toMatchObject({ constant: 1, factor: 1, bestFactor: 2 });
    expect(d.regret.mean).toBeCloseTo(0.8, 12);
    expect(fitted.worst.backbone).toBe('d');
  });

  it('judges trivial rules alike, and regret may be negative on eval', () => {
    const result = judgeRule(sweeps, never);
    expect(result.backbones.map(({ regret }) => regret.mean)).toEqual([
      0,
      expect.closeTo(0.2, 12),
      expect.closeTo(0.35, 12),
    ]);
    expect(result.worst.backbone).toBe('c');
    const lucky: FactorRule<unknown> = { name: 'k = 8', constants: [1], choose: () => 7 };
    expect(judgeRule(sweeps, lucky).backbones[2]).toMatchObject({
      wanted: 7,
      factor: 8,
      regret: { mean: expect.closeTo(-0.05, 12) as number },
    });
  });

  it('refuses what cannot be judged', () => {
    expect(() => judgeRule(sweeps.slice(0, 1), byNorm)).toThrow(/needs two, got 1/);
    expect(() => judgeRule(sweeps, { ...byNorm, constants: [] })).toThrow(/no constant/);
    expect(() => judgeRule(sweeps, { ...byNorm, choose: () => 0 })).toThrow(/chose the factor 0/);
    const short = { ...sweeps[1]!, settings: sweeps[1]!.settings.map((one) => ({ ...one, eval: [[1], [1]] })) };
    expect(() => judgeRule([sweeps[0]!, short], byNorm)).toThrow(/same seeds and queries|two of each/);
  });
});

describe('rankCorrelation', () => {
  it('refuses too few cells and constants', () => {
    expect(() => rankCorrelation([1, 2], [1, 2])).toThrow(/at least three/);
    expect(() => rankCorrelation([1, 1, 1], [1, 2, 3])).toThrow(/values that differ/);
    expect(rankCorrelation([1, 2, 3, 4], [2, 4, 6, 9], { samples: 50 })).toMatchObject({
      mean: 1,
      low: 1,
      high: 1,
      cells: 4,
    });
  });
});
