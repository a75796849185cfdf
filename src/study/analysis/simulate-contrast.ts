/**
 * Tables of contrasts with a known effect and known variances, for checking the analysis and for planning:
 *
 *     d_sq = μ + σ_a·x_s + σ_b·y_q + σ_e·z_sq
 *
 * with deviates of mean 0 and variance 1: normal; or, for queries and residuals, sparse and skewed as differences of retrieval
 * measures are, where most queries do not change and a few change much: with probability ¼ an exponential deviate less its mean,
 * else 0 (skewness 4, kurtosis 36).
 */
import type { Random } from '../../util/random.ts';
import type { VarianceComponents } from './mean-squares.ts';

/** How deviates of queries and residuals are distributed. */
export type DeviateShape = 'normal' | 'sparse';

/** What is simulated. */
export interface SimulatedContrast {
  readonly seeds: number;
  readonly queries: number;
  /** μ. */
  readonly effect: number;
  readonly components: VarianceComponents;
  /** @default 'normal' */
  readonly shape?: DeviateShape | undefined;
}

/** Draws a table. */
export function simulateContrast(design: SimulatedContrast, random: Random): number[][] {
  const { seeds, queries, effect, components, shape = 'normal' } = design;
  const draw = (): number => (shape === 'normal' ? random.normal() : sparseDeviate(random));
  const [a, b, e] = [components.seed, components.query, components.residual].map(Math.sqrt) as [number, number, number];
  const byQuery = Array.from({ length: queries }, () => (b === 0 ? 0 : b * draw()));
  return Array.from({ length: seeds }, () => {
    const ofSeed = effect + a * random.normal();
    return byQuery.map((ofQuery) => ofSeed + ofQuery + (e === 0 ? 0 : e * draw()));
  });
}

/**
 * Components of which seeds, queries and the residual make given shares of the variance of the mean, which is 1.
 * @param shares that sum to 1
 */
export function componentsOfShares(
  shares: { readonly seed: number; readonly query: number; readonly residual: number },
  seeds: number,
  queries: number,
): VarianceComponents {
  return { seed: shares.seed * seeds, query: shares.query * queries, residual: shares.residual * seeds * queries };
}

/** Mean 0, variance 1. */
function sparseDeviate(random: Random): number {
  if (random.uint32() >= 2 ** 30) return 0;
  // The variance of an exponential deviate is 1, and a quarter of them is there.
  return 2 * (-Math.log(1 - random.uniform()) - 1);
}
