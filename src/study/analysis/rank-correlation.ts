/**
 * Rank correlation over the cells of a study (Spearman's ρ, ties by their mean rank), with a percentile bootstrap over cells:
 * does a statistic of the pre-trained model go with quality after fine-tuning? The unit is the cell; seeds of a cell are
 * averaged before.
 */
import { type BootstrapOptions, type Interval, quantile } from '../../evaluate/significance/bootstrap-interval.ts';
import { badInput } from '../../util/errors.ts';
import { Random } from '../../util/random.ts';

/** A correlation and its interval. */
export interface Correlation extends Interval {
  /** Number of cells. */
  readonly cells: number;
}

/**
 * Computes ρ and its interval. Resamples in which a side is constant have no ρ and are drawn anew.
 * @throws LexrayError BAD_INPUT for fewer than three cells, sides of different length, or a side that is constant
 */
export function rankCorrelation(
  x: readonly number[],
  y: readonly number[],
  { samples = 10_000, seed = 0, confidence = 0.95 }: BootstrapOptions = {},
): Correlation {
  const cells = x.length;
  if (cells !== y.length || cells < 3) {
    throw badInput(`a correlation needs as many values on both sides, at least three, got ${cells} and ${y.length}`);
  }
  const rho = spearman(x, y);
  if (Number.isNaN(rho)) throw badInput('a correlation needs values that differ, on both sides');
  const random = new Random(seed);
  const draws = new Float64Array(samples);
  for (let sample = 0; sample < samples; ) {
    const drawn = Array.from({ length: cells }, () => random.integer(cells));
    const value = spearman(
      drawn.map((i) => x[i]!),
      drawn.map((i) => y[i]!),
    );
    if (!Number.isNaN(value)) draws[sample++] = value;
  }
  draws.sort();
  const tail = (1 - confidence) / 2;
  return { mean: rho, low: quantile(draws, tail), high: quantile(draws, 1 - tail), confidence, cells };
}

/** Spearman's ρ: Pearson's correlation of the ranks; NaN when a side is constant. */
function spearman(x: readonly number[], y: readonly number[]): number {
  const [a, b] = [ranks(x), ranks(y)];
  const middle = (a.length - 1) / 2;
  let [covariance, varianceA, varianceB] = [0, 0, 0];
  for (const [i, rank] of a.entries()) {
    covariance += (rank - middle) * (b[i]! - middle);
    varianceA += (rank - middle) ** 2;
    varianceB += (b[i]! - middle) ** 2;
  }
  return covariance / Math.sqrt(varianceA * varianceB);
}

/** Ranks from 0; equal values share the mean of theirs. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const result = new Array<number>(values.length).fill(0);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let i = start; i < end; i++) result[order[i]!] = (start + end - 1) / 2;
    start = end;
  }
  return result;
}
