/** Curves of training: the mean over the seeds of each cell, where the results keep them; at most six cells a plot. */
import { figure, figures, paragraph, type Section, section } from '../html.ts';
import type { Markup } from '../markup.ts';
import { type Mark, plot } from '../plot/plot.ts';
import { levelsLabel, type ReportCell, type ReportStudy } from './data.ts';

const shown: readonly (readonly [figure: string, title: string, scale: 'linear' | 'log'])[] = [
  ['loss', 'Loss', 'linear'],
  ['dev', 'Score on dev', 'linear'],
  ['query_active_dims', 'Active dimensions of queries in training', 'log'],
  ['document_active_dims', 'Active dimensions of documents in training', 'log'],
  ['eval_corpus_active_dims', 'Active dimensions of dev documents', 'log'],
];
const cellsOfPlot = 6;

/** The curves; nothing where no run kept any. */
export function dynamicsSection({ cells, factors }: ReportStudy): Section | undefined {
  const kept = cells.filter(({ curves }) => curves.length > 0);
  if (kept.length === 0) return undefined;
  const names = Object.keys(factors);
  const groups = Array.from({ length: Math.ceil(kept.length / cellsOfPlot) }, (_, i) =>
    kept.slice(i * cellsOfPlot, (i + 1) * cellsOfPlot),
  );
  return section(
    'Dynamics',
    paragraph('Means over the seeds of a cell at each step that was logged.'),
    ...groups.map((group) =>
      figures(...shown.flatMap((entry) => curvePlot(entry, group, names)).map((drawing) => figure(drawing))),
    ),
  );
}

function curvePlot(
  [name, title, scale]: (typeof shown)[number],
  cells: readonly ReportCell[],
  factors: readonly string[],
): Markup[] {
  const marks: Mark[] = cells.flatMap((cell, series): Mark[] => {
    const points = meanCurve(cell, name).filter(({ y }) => scale === 'linear' || y > 0);
    return points.length === 0
      ? []
      : [{ type: 'line', label: levelsLabel(cell.levels, factors) || 'all', points, series }];
  });
  if (marks.length === 0) return [];
  return [plot({ title, x: { label: 'step' }, y: { label: title.toLowerCase(), scale }, marks, standalone: false })];
}

function meanCurve({ curves }: ReportCell, name: string): { x: number; y: number }[] {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const { step = [], [name]: values = [] } of curves) {
    for (const [i, value] of values.entries()) {
      const at = step[i];
      if (value === null || at === null || at === undefined) continue;
      const before = sums.get(at) ?? { sum: 0, count: 0 };
      sums.set(at, { sum: before.sum + value, count: before.count + 1 });
    }
  }
  return [...sums].sort(([a], [b]) => a - b).map(([x, { sum, count }]) => ({ x, y: sum / count }));
}
