/**
 * Student's paired t-test: are the differences of two systems, query by query, 0 on average?
 *
 *     t = mean(d) / sqrt(var(d) / n),    two-sided p = I_{ν / (ν + t²)}(ν / 2, 1 / 2),    ν = n − 1
 *
 * var is the unbiased variance. Smucker, Allan and Carterette (CIKM 2007) find it to agree with the randomisation test on
 * retrieval measures.
 */
import { incompleteBeta } from './incomplete-beta.ts';

/** Result of {@link pairedTTest}. */
export interface TTest {
  /** NaN when there are fewer than two differences; ±Infinity when all are equal and not 0. */
  readonly statistic: number;
  readonly degreesOfFreedom: number;
  /** Two-sided. 1 when there are fewer than two differences, or all are 0. */
  readonly pValue: number;
}

/**
 * Tests whether the mean of paired differences is 0.
 * @param differences one a query, finite
 */
export function pairedTTest(differences: ArrayLike<number>): TTest {
  const n = differences.length;
  if (n < 2) return { statistic: Number.NaN, degreesOfFreedom: 0, pValue: 1 };
  let sum = 0;
  for (let i = 0; i < n; i++) sum += differences[i]!;
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (differences[i]! - mean) ** 2;
  const degreesOfFreedom = n - 1;
  if (mean === 0) return { statistic: 0, degreesOfFreedom, pValue: 1 };
  const statistic = mean / Math.sqrt(squares / degreesOfFreedom / n);
  return { statistic, degreesOfFreedom, pValue: twoSidedP(statistic, degreesOfFreedom) };
}

/** P(|T| ≥ |t|) for Student's distribution. */
export function twoSidedP(t: number, degreesOfFreedom: number): number {
  if (!Number.isFinite(t)) return Number.isNaN(t) ? Number.NaN : 0;
  const squared = t * t;
  if (squared === Number.POSITIVE_INFINITY) return 0;
  const whole = degreesOfFreedom + squared;
  return incompleteBeta(degreesOfFreedom / whole, degreesOfFreedom / 2, 0.5, squared / whole);
}
