/** Intervals for figures of a set of cells: percentile bootstrap over cells, drawn within each backbone. */
import { type BootstrapOptions, type Interval, quantile } from '../../evaluate/significance/bootstrap-interval.ts';
import { Random } from '../../util/random.ts';

/**
 * An interval a figure, all from the same draws: 2,000 of them unless said.
 * @param figures each undefined where it cannot be computed; such draws are left out
 * @returns undefined where the figure of the cells themselves is
 */
export function bootstrapCells<T extends { readonly groups: readonly string[] }>(
  cells: readonly T[],
  figures: readonly ((cells: readonly T[]) => number | undefined)[],
  { samples = 2000, seed = 0, confidence = 0.95 }: BootstrapOptions = {},
): (Interval | undefined)[] {
  const backbones = [...new Set(cells.map(({ groups }) => groups[0]))];
  const strata = backbones.map((name) => cells.filter(({ groups }) => groups[0] === name));
  const values = figures.map((figure) => figure(cells));
  const draws: number[][] = figures.map(() => []);
  const random = new Random(seed);
  for (let sample = 0; sample < samples; sample++) {
    const drawn = strata.flatMap((stratum) => stratum.map(() => stratum[random.integer(stratum.length)]!));
    for (const [i, figure] of figures.entries()) {
      const value = values[i] === undefined ? undefined : figure(drawn);
      if (value !== undefined) draws[i]!.push(value);
    }
  }
  const tail = (1 - confidence) / 2;
  return values.map((mean, i) => {
    const sorted = draws[i]!.sort((a, b) => a - b);
    if (mean === undefined || sorted.length === 0) return undefined;
    return { mean, low: quantile(sorted, tail), high: quantile(sorted, 1 - tail), confidence };
  });
}
