/**
 * What a design can find: the least true effect that a test finds with a given power, from the variances of a pilot.
 *
 * For the t test on the crossed interval by formula, with the first step of Holm's correction (α divided by the contrasts of
 * the family, which is the hardest of its steps):
 *
 *     δ = (t_{1−α/2m, ν} + t_{power, ν}) · √(σ_a²/S + σ_b²/Q + σ_e²/(S·Q)),   ν by Satterthwaite
 *
 * For the sign-flip test by simulation: means by seed are drawn as μ + N(0, σ_b²/Q), the same for all seeds, + N(0, σ_a² +
 * σ_e²/Q), and δ is found by bisection over the share of draws in which the test finds it. With too few seeds for the family no
 * difference is detectable, and δ is infinite. Verdicts of a family also want the interval to exclude 0, so that the larger of
 * both is what a plan should count on.
 */
import { randomizationTest } from '../../evaluate/significance/randomization-test.ts';
import { studentQuantile } from '../../evaluate/significance/student-quantile.ts';
import { badInput } from '../../util/errors.ts';
import { Random } from '../../util/random.ts';
import { varianceOfMean } from './crossed-interval.ts';
import type { VarianceComponents } from './mean-squares.ts';
import { leastSignFlipP } from './sign-flip.ts';

/** A design and how sure it is to be. */
export interface DetectableOptions {
  readonly seeds: number;
  readonly queries: number;
  /** @default 'crossed-t' */
  readonly test?: 'crossed-t' | 'sign-flip' | undefined;
  /** Contrasts of the family. @default 1 */
  readonly family?: number | undefined;
  /** @default 0.05 */
  readonly alpha?: number | undefined;
  /** @default 0.8 */
  readonly power?: number | undefined;
  /** Draws of the simulation. @default 2000 */
  readonly samples?: number | undefined;
  /** @default 0 */
  readonly seed?: number | undefined;
}

/**
 * The least effect that is found with the wanted power; `Infinity` when the sign-flip test cannot find any.
 * @throws LexrayError BAD_INPUT for fewer than two seeds or queries, or a level or power outside (0, 1)
 */
export function detectableDifference(components: VarianceComponents, options: DetectableOptions): number {
  const { seeds, queries, test = 'crossed-t', family = 1, alpha = 0.05, power = 0.8 } = options;
  if (!(seeds >= 2 && queries >= 2))
    throw badInput(`a design needs two seeds and queries, got ${seeds} and ${queries}`);
  for (const [name, value] of [
    ['alpha', alpha],
    ['power', power],
  ] as const) {
    if (!(value > 0 && value < 1)) throw badInput(`${name} lies between 0 and 1, got ${value}`);
  }
  const level = alpha / family;
  const { variance, degreesOfFreedom } = varianceOfDesign(components, seeds, queries);
  const standardError = Math.sqrt(variance);
  const byFormula =
    (studentQuantile(1 - level / 2, degreesOfFreedom) + studentQuantile(power, degreesOfFreedom)) * standardError;
  if (test === 'crossed-t') return byFormula;
  if (leastSignFlipP(seeds) > level) return Number.POSITIVE_INFINITY;
  const found = signFlipPower(components, options, level);
  let high = byFormula;
  while (found(high) < power && high < 1e6 * byFormula) high *= 2;
  let low = 0;
  for (let step = 0; step < 40 && high - low > 1e-4 * high; step++) {
    const middle = (low + high) / 2;
    if (found(middle) < power) low = middle;
    else high = middle;
  }
  return high;
}

/** Expected variance of the mean of a design, and its degrees of freedom. */
function varianceOfDesign(
  { seed, query, residual }: VarianceComponents,
  seeds: number,
  queries: number,
): ReturnType<typeof varianceOfMean> {
  return varianceOfMean({
    seeds,
    queries,
    seed: queries * seed + residual,
    query: seeds * query + residual,
    residual,
  });
}

/** The share of simulated studies in which the sign-flip test finds an effect; the same draws for every effect. */
function signFlipPower(
  { seed, query, residual }: VarianceComponents,
  { seeds, queries, samples = 2000, seed: start = 0 }: DetectableOptions,
  level: number,
): (effect: number) => number {
  const random = new Random(start);
  const studies = Array.from({ length: samples }, () => {
    const shared = Math.sqrt(query / queries) * random.normal();
    return Array.from({ length: seeds }, () => shared + Math.sqrt(seed + residual / queries) * random.normal());
  });
  return (effect) => {
    const rejected = studies.filter(
      (means) => randomizationTest(means.map((mean) => mean + effect)).pValue <= level + 1e-12,
    );
    return rejected.length / samples;
  };
}
