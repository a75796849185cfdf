/**
 * Sign-flip test of a contrast on its means by seed: if the two sides were the same, which of them a seed's run is on would be
 * chance, and the sign of its difference too. Exact: all 2^S signs are enumerated up to 18 seeds that differ, which is beyond
 * 2¹⁶; above, signs are drawn.
 *
 * The runs of a seed answer the same queries, so that the test speaks of these queries: whether the difference is there, not
 * whether it would be on others. It keeps its level when the sides are the same on every query; when they differ on queries
 * but not on average, it rejects too often. For queries to come there is the p value of `crossed-interval.ts`.
 */
import { type RandomizationOptions, randomizationTest } from '../../evaluate/significance/randomization-test.ts';
import { type ScoreTable, seedMeans } from './score-table.ts';

/** Result of {@link signFlipTest}. */
export interface SignFlipTest {
  /** Two-sided. */
  readonly pValue: number;
  /** The least that so many seeds can give: 2 / 2^S. */
  readonly leastP: number;
  readonly exact: boolean;
  readonly seeds: number;
  /** Seeds whose mean difference is above 0, and below. */
  readonly positive: number;
  readonly negative: number;
}

/** Tests whether the mean of a contrast is 0. */
export function signFlipTest(contrast: ScoreTable, options: RandomizationOptions = {}): SignFlipTest {
  const means = seedMeans(contrast);
  const { pValue, exact } = randomizationTest(means, options);
  return {
    pValue,
    leastP: leastSignFlipP(means.length),
    exact,
    seeds: means.length,
    positive: means.filter((mean) => mean > 0).length,
    negative: means.filter((mean) => mean < 0).length,
  };
}

/** The least p value of a sign-flip test on so many seeds. */
export function leastSignFlipP(seeds: number): number {
  return 2 / 2 ** seeds;
}

/**
 * Seeds that a family of contrasts needs so that its strongest can be found: the least S with `family · 2 / 2^S ≤ α`.
 * Eight seeds serve families of up to six contrasts at α = .05; eight contrasts need nine seeds.
 */
export function seedsForFamily(family: number, alpha = 0.05): number {
  let seeds = 1;
  while (family * leastSignFlipP(seeds) > alpha) seeds++;
  return seeds;
}
