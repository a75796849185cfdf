/** The t interval of a mean over seeds, of what a run has one figure of: a loss, a length. */
import { studentQuantile } from '../../evaluate/significance/student-quantile.ts';
import { mean } from '../../util/mean.ts';

/**
 * mean ± t·s/√n with n − 1 degrees of freedom. One seed has no interval.
 * @param values a figure of each seed
 */
export function seedInterval(
  values: readonly number[],
  { confidence = 0.95 }: { readonly confidence?: number | undefined } = {},
): { readonly mean: number; readonly low?: number; readonly high?: number } {
  const centre = mean(values);
  const n = values.length;
  if (n < 2) return { mean: centre };
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (n - 1);
  const half = variance === 0 ? 0 : studentQuantile((1 + confidence) / 2, n - 1) * Math.sqrt(variance / n);
  return { mean: centre, low: centre - half, high: centre + half };
}
