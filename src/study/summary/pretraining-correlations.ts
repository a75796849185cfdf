/**
 * Does what is seen of a masked language model at the end of its pre-training go with its quality after fine-tuning? Rank
 * correlations over the cells, seeds averaged before. The paper (arXiv 2605.01407) says so of the spread of logits and the number
 * of terms that are not negative.
 */
import type { ReportCell, ReportCorrelation } from '../../report/study/data.ts';
import { LexrayError } from '../../util/errors.ts';
import { rankCorrelation } from '../analysis/rank-correlation.ts';

/** Cells below which nothing is said. */
const fewest = 4;

/**
 * Correlates every figure `mlm …` of cells that were pre-trained with scores.
 * @param scores names of scores, `eval 0/0 RR@10`
 */
export function pretrainingCorrelations(
  cells: readonly ReportCell[],
  scores: readonly string[],
): readonly ReportCorrelation[] {
  const names = Object.keys(cells[0]?.metrics ?? {}).filter((name) => name.startsWith('mlm '));
  return names.flatMap((statistic) =>
    scores.flatMap((score): ReportCorrelation[] => {
      const pairs = cells.flatMap(({ metrics, scores: of }): [number, number][] => {
        const [x, y] = [metrics[statistic], of[score]?.mean];
        return x === undefined || y === undefined ? [] : [[x, y]];
      });
      if (pairs.length < fewest) return [];
      try {
        const [xs, ys] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
        const { mean, low, high } = rankCorrelation(xs, ys);
        return [{ statistic: statistic.slice('mlm '.length), score, cells: pairs.length, rho: { mean, low, high } }];
      } catch (error) {
        // A statistic that is the same everywhere goes with nothing.
        if (error instanceof LexrayError) return [];
        throw error;
      }
    }),
  );
}
