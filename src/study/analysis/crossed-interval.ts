/**
 * Interval of a mean over seeds and queries, for a new seed and a new query alike: a t interval whose variance is that of the
 * crossed model (`mean-squares.ts`),
 *
 *     Var(d̄) = σ_a²/S + σ_b²/Q + σ_e²/(S·Q),   estimated by (max(0, M_A − M_E) + max(0, M_B − M_E) + M_E) / (S·Q)
 *
 * with the degrees of freedom of Satterthwaite ("An Approximate Distribution of Estimates of Variance Components", Biometrics
 * 2(6), 1946) over the mean squares that stay in the sum. With the variance of seeds alone it is the t interval of the seeds'
 * means, with that of queries alone the t interval of the queries' means. It is the interval that belongs to min F′ (Clark,
 * "The Language-as-Fixed-Effect Fallacy", J. Verbal Learning 12(4), 1973).
 *
 * Resampling seeds and queries (`crossed-bootstrap.ts`) does not cover with few seeds: docs/concepts/study-statistics.md.
 */
import { twoSidedP } from '../../evaluate/significance/paired-t-test.ts';
import { studentQuantile } from '../../evaluate/significance/student-quantile.ts';
import { type MeanSquares, meanSquares, type VarianceComponents } from './mean-squares.ts';
import type { ScoreTable } from './score-table.ts';

/** A mean over seeds and queries, how sure it is, and whether it is 0. */
export interface CrossedInterval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
  readonly standardError: number;
  readonly degreesOfFreedom: number;
  /** Two-sided, that the mean over the populations of seeds and queries is 0. */
  readonly pValue: number;
  readonly components: VarianceComponents;
}

/**
 * Computes the interval.
 * @param scores the table of a cell or of a contrast
 * @throws LexrayError BAD_INPUT when there are fewer than two seeds or queries
 */
export function crossedInterval(
  scores: ScoreTable,
  { confidence = 0.95 }: { readonly confidence?: number | undefined } = {},
): CrossedInterval {
  const squares = meanSquares(scores);
  const { mean, components } = squares;
  const { variance, degreesOfFreedom } = varianceOfMean(squares);
  const standardError = Math.sqrt(variance);
  const half = standardError === 0 ? 0 : studentQuantile((1 + confidence) / 2, degreesOfFreedom) * standardError;
  return {
    mean,
    low: mean - half,
    high: mean + half,
    confidence,
    standardError,
    degreesOfFreedom,
    pValue: standardError > 0 ? twoSidedP(mean / standardError, degreesOfFreedom) : mean === 0 ? 1 : 0,
    components,
  };
}

/** The variance of the mean of a table, and its degrees of freedom. */
export function varianceOfMean({
  seeds,
  queries,
  seed,
  query,
  residual,
}: Pick<MeanSquares, 'seeds' | 'queries' | 'seed' | 'query' | 'residual'>): {
  readonly variance: number;
  readonly degreesOfFreedom: number;
} {
  const hasSeed = seed > residual;
  const hasQuery = query > residual;
  // With one of the two its mean square alone estimates the sum, and with neither that of the residual.
  const residuals = hasSeed === hasQuery ? 1 : 0;
  const sum = (hasSeed ? seed : 0) + (hasQuery ? query : 0) + residual * (hasSeed && hasQuery ? -1 : residuals);
  const spread =
    (hasSeed ? seed ** 2 / (seeds - 1) : 0) +
    (hasQuery ? query ** 2 / (queries - 1) : 0) +
    (residuals * residual ** 2) / ((seeds - 1) * (queries - 1));
  return {
    variance: sum / (seeds * queries),
    degreesOfFreedom: spread > 0 ? sum ** 2 / spread : (seeds - 1) * (queries - 1),
  };
}
