/** Score and collapse along the swept factor: a plot a panel and collection, a curve an arm; and the same as tables. */
import { figure, figures, paragraph, type Section, section } from '../html.ts';
import type { Markup } from '../markup.ts';
import { type Mark, plot } from '../plot/plot.ts';
import { formatTick, type Tick } from '../plot/ticks.ts';
import { formatNumber } from '../table.ts';
import { levelsLabel, type ReportCell, type ReportStudy, type ReportSweep } from './data.ts';

/** Labels of levels that fit beside each other. */
const mostLabels = 6;

/** Cells that belong to one plot. */
export interface Panel {
  readonly label: string;
  readonly cells: readonly ReportCell[];
}

/** The cells by panel, in their order. */
export function panelsOf({ cells }: Pick<ReportStudy, 'cells'>, { panels }: ReportSweep): readonly Panel[] {
  const found = new Map<string, ReportCell[]>();
  for (const cell of cells) {
    const label = levelsLabel(cell.levels, panels);
    found.set(label, [...(found.get(label) ?? []), cell]);
  }
  return [...found].map(([label, members]) => ({ label, cells: members }));
}

/** The curves over the swept factor; nothing where none was swept. */
export function sweepSection(study: ReportStudy): Section | undefined {
  const { sweep } = study;
  if (sweep === undefined) return undefined;
  const [name] = shownScores(study);
  if (name === undefined) return undefined;
  const panels = panelsOf(study, sweep);
  return section(
    `Sweep of ${sweep.axis}`,
    paragraph(
      'Each curve is a mean over seeds and queries with its 95 % interval for new seeds and new queries; a single seed has none. What collapsed is shown below each.',
    ),
    ...panels.map((panel) =>
      figures(
        ...shownScores(study).map((score) =>
          figure(
            curves(panel, sweep, score, ({ scores }) => ({
              y: scores[score]?.mean ?? Number.NaN,
              ...bounds(scores[score]),
            })),
          ),
        ),
        figure(
          curves(
            panel,
            sweep,
            'share of seeds that collapsed',
            ({ collapsed, seeds }) => ({ y: collapsed / seeds.length }),
            [-0.05, 1.05],
          ),
        ),
        figure(
          curves(panel, sweep, 'active dimensions of a document', ({ metrics }) => ({
            y: documentDims(metrics, name),
          })),
        ),
      ),
    ),
  );
}

/** The first measure of the last collection at its first and at its strictest pruning. */
export function shownScores({ cells }: Pick<ReportStudy, 'cells'>): readonly string[] {
  const names = Object.keys(cells[0]?.scores ?? {});
  const collection = names.at(-1)?.split(' ')[0];
  const own = names.filter((name) => name.startsWith(`${collection} `));
  const measure = own[0]?.split(' ').slice(2).join(' ');
  const ofMeasure = own.filter((name) => name.endsWith(` ${measure}`));
  return ofMeasure.length > 1 ? [ofMeasure[0]!, ofMeasure.at(-1)!] : ofMeasure;
}

function documentDims(metrics: ReportCell['metrics'], score: string): number {
  return metrics[`${score.split(' ').slice(0, 2).join(' ')} documentDims`] ?? Number.NaN;
}

function bounds(estimate: ReportCell['scores'][string] | undefined): { low?: number; high?: number } {
  return estimate?.low === undefined || estimate.high === undefined ? {} : { low: estimate.low, high: estimate.high };
}

/** A tick at every level, labelled as far as there is room. */
function levelTicks(levels: readonly number[]): readonly Tick[] {
  const sorted = [...new Set(levels)].sort((a, b) => a - b);
  const every = Math.ceil(sorted.length / mostLabels);
  return sorted.map((at, i) => ({ at, text: i % every === 0 ? formatTick(at) : '' }));
}

function curves(
  { label, cells }: Panel,
  { axis, series }: ReportSweep,
  what: string,
  value: (cell: ReportCell) => { readonly y: number; readonly low?: number; readonly high?: number },
  domain?: readonly [number, number],
): Markup {
  const names = [...new Set(cells.map(({ levels }) => (series === undefined ? '' : (levels[series] ?? ''))))];
  const marks: Mark[] = names.flatMap((name, i): Mark[] => {
    const points = cells
      .filter(({ levels }) => series === undefined || levels[series] === name)
      .map((cell) => ({ x: Number(cell.levels[axis]), ...value(cell) }))
      .filter(({ y }) => Number.isFinite(y))
      .sort((a, b) => a.x - b.x);
    return [
      {
        type: 'line',
        ...(series === undefined ? {} : { label: `${series} ${name}` }),
        points: points.map(({ x, y }) => ({ x, y })),
        series: i,
      },
      { type: 'points', points, series: i },
    ];
  });
  return plot({
    title: label === '' ? what : `${what}, ${label}`,
    description: cells
      .map(
        (cell) =>
          `${levelsLabel(cell.levels, series === undefined ? [axis] : [axis, series])}: ${formatNumber(value(cell).y)}`,
      )
      .join('; '),
    x: { label: axis, scale: 'log', ticks: levelTicks(cells.map(({ levels }) => Number(levels[axis]))) },
    y: { label: what, zero: true, ...(domain && { domain }) },
    marks,
    standalone: false,
  });
}
