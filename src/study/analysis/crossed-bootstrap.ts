/**
 * Two-way bootstrap of a mean: seeds are drawn with replacement, and queries are, each by itself; a value counts as often as
 * its seed and its query were drawn together. Percentiles of the means that result. The pigeonhole bootstrap of Owen, "The
 * Pigeonhole Bootstrap", Annals of Applied Statistics 1(2), 2007.
 *
 * It makes no assumption about distributions, but draws seeds from the few that there are, and counts the residual up to
 * three times: with 3 to 8 seeds it is too narrow where seeds differ and too wide where they do not
 * (docs/concepts/study-statistics.md has the measured coverage). `crossed-interval.ts` is what claims rest on; this is a
 * second look for tables that are far from normal.
 */
import { type Interval, quantile } from '../../evaluate/significance/bootstrap-interval.ts';
import { Random } from '../../util/random.ts';
import { checkScoreTable, type ScoreTable } from './score-table.ts';

/** Options of {@link crossedBootstrap}. */
export interface CrossedBootstrapOptions {
  /** Resamples. @default 10000 */
  readonly samples?: number | undefined;
  /** @default 0 */
  readonly seed?: number | undefined;
  /** @default 0.95 */
  readonly confidence?: number | undefined;
}

/** Computes the interval of the mean of a table. */
export function crossedBootstrap(scores: ScoreTable, options: CrossedBootstrapOptions = {}): Interval {
  const { samples = 10_000, seed = 0, confidence = 0.95 } = options;
  const { seeds, queries } = checkScoreTable(scores);
  const flat = Float64Array.from(scores.flat());
  const random = new Random(seed);
  const counts = new Float64Array(seeds);
  const column = new Float64Array(queries);
  const means = new Float64Array(samples);
  for (let sample = 0; sample < samples; sample++) {
    counts.fill(0);
    for (let s = 0; s < seeds; s++) counts[random.integer(seeds)]!++;
    column.fill(0);
    for (let s = 0; s < seeds; s++) {
      const count = counts[s]!;
      if (count > 0) for (let q = 0; q < queries; q++) column[q]! += count * flat[s * queries + q]!;
    }
    let sum = 0;
    for (let q = 0; q < queries; q++) sum += column[random.integer(queries)]!;
    means[sample] = sum / (seeds * queries);
  }
  means.sort();
  const tail = (1 - confidence) / 2;
  return {
    mean: flat.reduce((sum, value) => sum + value, 0) / flat.length,
    low: quantile(means, tail),
    high: quantile(means, 1 - tail),
    confidence,
  };
}
