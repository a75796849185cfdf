/**
 * The analysis on simulated data with known effects, small and seeded; `bench/study-coverage.mjs` is the large version. What is
 * asserted fails for a method that is wrong: the same bounds are shown to catch intervals that forget seeds, or queries.
 */
import { describe, expect, it } from 'vitest';
import { bootstrapInterval } from '../../evaluate/significance/bootstrap-interval.ts';
import { Random } from '../../util/random.ts';
import { analyseFamily } from './contrast-family.ts';
import { crossedBootstrap } from './crossed-bootstrap.ts';
import { crossedInterval } from './crossed-interval.ts';
import { detectableDifference } from './detectable-difference.ts';
import type { VarianceComponents } from './mean-squares.ts';
import { type ScoreTable, seedMeans } from './score-table.ts';
import { signFlipTest } from './sign-flip.ts';
import { componentsOfShares, type DeviateShape, simulateContrast } from './simulate-contrast.ts';

const scenarios = {
  typical: { seed: 0.2, query: 0.4, residual: 0.4 },
  seeds: { seed: 0.9, query: 0, residual: 0.1 },
  queries: { seed: 0.1, query: 0.9, residual: 0 },
  residual: { seed: 0.2, query: 0, residual: 0.8 },
};

/** The share of intervals that hold the effect. */
function coverage(
  intervalOf: (scores: ScoreTable) => { readonly low: number; readonly high: number },
  shares: (typeof scenarios)['typical'],
  options: { seeds: number; queries: number; studies: number; shape?: DeviateShape },
): number {
  const { seeds, queries, studies, shape } = options;
  const components = componentsOfShares(shares, seeds, queries);
  const random = new Random(17);
  let held = 0;
  for (let study = 0; study < studies; study++) {
    const { low, high } = intervalOf(simulateContrast({ seeds, queries, effect: 0.3, components, shape }, random));
    if (low <= 0.3 && 0.3 <= high) held++;
  }
  return held / studies;
}

describe('95 % intervals over seeds and queries', () => {
  // The standard error of a share of 1500 is .006.
  it.each(
    [3, 5, 8].flatMap((seeds) =>
      Object.keys(scenarios).map((name) => [seeds, name as keyof typeof scenarios] as const),
    ),
  )('cover, %i seeds, variance of %s', (seeds, name) => {
    const held = coverage(crossedInterval, scenarios[name], { seeds, queries: 50, studies: 1500 });
    expect(held).toBeGreaterThan(seeds === 3 ? 0.92 : 0.93);
    expect(held).toBeLessThan(0.98);
  });

  it('cover with sparse and skewed differences', () => {
    const held = coverage(crossedInterval, scenarios.typical, {
      seeds: 5,
      queries: 150,
      studies: 800,
      shape: 'sparse',
    });
    expect(held).toBeGreaterThan(0.93);
    expect(held).toBeLessThan(0.98);
  });

  it('intervals that forget seeds or queries do not, and the two-way bootstrap does not with few seeds', () => {
    const overQueries = (scores: ScoreTable): { low: number; high: number } =>
      bootstrapInterval(
        scores[0]!.map((_, q) => scores.reduce((sum, row) => sum + row[q]!, 0) / scores.length),
        { samples: 200 },
      );
    const overSeeds = (scores: ScoreTable): { low: number; high: number } =>
      crossedInterval(seedMeans(scores).map((mean) => [mean, mean]));
    const options = { seeds: 3, queries: 50, studies: 300 };
    expect(coverage(overQueries, scenarios.seeds, options)).toBeLessThan(0.6);
    expect(coverage(overSeeds, scenarios.queries, options)).toBeLessThan(0.8);
    const twoWay = (scores: ScoreTable): { low: number; high: number } => crossedBootstrap(scores, { samples: 200 });
    expect(coverage(twoWay, { seed: 1, query: 0, residual: 0 }, options)).toBeLessThan(0.85);
    expect(coverage(twoWay, scenarios.residual, options)).toBeGreaterThan(0.97);
  });
});

/** How often a family of contrasts of one base line with six variants, which share its runs, finds anything. */
function familyErrors(
  components: VarianceComponents,
  families: number,
): Record<'flips' | 't' | 'raw' | 'verdicts', number> {
  const random = new Random(29);
  const [seeds, queries] = [8, 30];
  const half = { seed: components.seed / 2, query: components.query / 2, residual: components.residual / 2 };
  const cell = (): number[][] => simulateContrast({ seeds, queries, effect: 0.5, components: half }, random);
  const shares = { flips: 0, t: 0, raw: 0, verdicts: 0 };
  for (let family = 0; family < families; family++) {
    const base = cell();
    const contrasts = Array.from({ length: 6 }, (_, i) => ({
      name: `variant ${i}`,
      cells: [
        { scores: cell(), weight: 1 },
        { scores: base, weight: -1 },
      ],
      claim: 'none' as const,
    }));
    const results = analyseFamily(contrasts, { samples: 1 });
    if (results.some(({ signFlip }) => signFlip.pHolm <= 0.05)) shares.flips += 1 / families;
    if (results.some(({ effect }) => effect.pHolm <= 0.05)) shares.t += 1 / families;
    if (results.some(({ effect }) => effect.pValue <= 0.05)) shares.raw += 1 / families;
    if (results.some(({ verdict }) => verdict === 'confirmed')) shares.verdicts += 1 / families;
  }
  return shares;
}

describe('family-wise error without any effect', () => {
  // The standard error of .05 over 400 families is .011.
  it('is at most .05 by either test, and would not be without Holm', () => {
    const { flips, t, raw, verdicts } = familyErrors({ seed: 1, query: 0, residual: 20 }, 400);
    expect(flips).toBeLessThan(0.07);
    expect(t).toBeLessThan(0.08);
    expect(raw).toBeGreaterThan(0.1);
    expect(verdicts).toBeLessThan(0.07);
  });

  it('where queries change, though not on average, verdicts keep it by the t test; the sign-flip test alone does not', () => {
    const { flips, t, verdicts } = familyErrors({ seed: 1, query: 40, residual: 20 }, 200);
    expect(flips).toBeGreaterThan(0.2);
    expect(t).toBeLessThan(0.09);
    expect(verdicts).toBeLessThan(0.07);
  });
});

describe('detectableDifference', () => {
  const components = { seed: 1, query: 0.5, residual: 30 };
  const design = { seeds: 8, queries: 60 };

  /** The share of simulated studies in which a test finds an effect. */
  function power(effect: number, isFound: (scores: ScoreTable) => boolean): number {
    const random = new Random(5);
    const studies = 600;
    let found = 0;
    for (let i = 0; i < studies; i++) if (isFound(simulateContrast({ ...design, effect, components }, random))) found++;
    return found / studies;
  }

  it('is found with the power that was asked for, by both tests', () => {
    for (const family of [1, 4]) {
      const level = 0.05 / family;
      const byT = detectableDifference(components, { ...design, family });
      expect(Math.abs(power(byT, (scores) => crossedInterval(scores).pValue <= level) - 0.8)).toBeLessThan(0.05);
      const byFlips = detectableDifference(components, { ...design, family, test: 'sign-flip' });
      expect(Math.abs(power(byFlips, (scores) => signFlipTest(scores).pValue <= level) - 0.8)).toBeLessThan(0.05);
    }
  });

  it('falls with seeds, and is infinite where so few seeds cannot find anything', () => {
    const of = (seeds: number, family: number): number =>
      detectableDifference(components, { ...design, seeds, family, test: 'sign-flip', samples: 300 });
    expect(of(5, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(of(8, 8)).toBe(Number.POSITIVE_INFINITY);
    expect(of(9, 8)).toBeLessThan(10);
    expect(of(12, 1)).toBeLessThan(of(8, 1));
    expect(detectableDifference(components, { seeds: 3, queries: 60 })).toBeGreaterThan(
      detectableDifference(components, { seeds: 8, queries: 60 }),
    );
  });

  it('refuses designs that are none', () => {
    expect(() => detectableDifference(components, { seeds: 1, queries: 60 })).toThrow(/two seeds/);
    expect(() => detectableDifference(components, { ...design, power: 1 })).toThrow(/power lies between/);
  });
});
