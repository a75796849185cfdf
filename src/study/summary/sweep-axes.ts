/** Which factor of a study is plotted along x, which makes the curves, and which make plots of their own. */
import type { ReportSweep } from '../../report/study/data.ts';

/** Names that are a scale wherever they occur. */
const scales = ['gain', 'scale', 'factor', 'k'];
const arms = ['correction', 'arm', 'statistic'];

/**
 * The axes of a sweep: along x a factor with at least three levels, all numbers above 0, the scale if there is one.
 * @param factors levels of the factors that have several
 */
export function sweepAxes(factors: Readonly<Record<string, readonly string[]>>): ReportSweep | undefined {
  const numeric = Object.entries(factors)
    .filter(([, levels]) => levels.length >= 3 && levels.every((level) => Number(level) > 0))
    .map(([name]) => name);
  const axis = numeric.find((name) => scales.includes(name)) ?? numeric[0];
  if (axis === undefined) return undefined;
  const others = Object.keys(factors).filter((name) => name !== axis);
  const series = others.find((name) => arms.includes(name)) ?? others.at(-1);
  return { axis, series, panels: others.filter((name) => name !== series) };
}
