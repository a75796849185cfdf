/** A line through points, with a band where they have intervals. */
import { element, type Markup, short } from '../../markup.ts';
import type { MarkContext, PlotArea, PlotPoint } from '../area.ts';
import { type Extent, extentOf } from '../domain.ts';
import { drawMarker } from './points.ts';

/** A line mark. */
export interface LineMark {
  readonly type: 'line';
  /** Name in the legend. */
  readonly label?: string;
  /** In the order in which they are joined. */
  readonly points: readonly PlotPoint[];
  /** Number of the series that it looks like. @default its place among the marks */
  readonly series?: number;
  /** Draw it dashed: a target or an earlier state. @default false */
  readonly dashed?: boolean;
}

/** Lines of more points are thinned to the lowest and highest of each half pixel. */
const thinnedAbove = 1500;

/** What the line needs of the axes. */
export function lineExtent(mark: { readonly points: readonly PlotPoint[] }): Extent {
  const x = extentOf(mark.points.map((point) => point.x));
  const y = extentOf(mark.points.flatMap((point) => [point.y, point.low, point.high]));
  return { ...(x ? { x } : {}), ...(y ? { y } : {}) };
}

/** Draws the band and the line; a point without neighbours is a dot. */
export function drawLine(mark: LineMark, { area, style }: MarkContext): Markup[] {
  const runs = finiteRuns(thin(mark.points, area), area);
  const marks: Markup[] = [];
  for (const run of runs) {
    const banded = run.filter(({ low, high }) => low !== undefined && high !== undefined);
    if (banded.length < 2) continue;
    const upper = banded.map((point) => place(point.x, area.y.at(point.high ?? point.y), area));
    const lower = banded.map((point) => place(point.x, area.y.at(point.low ?? point.y), area)).reverse();
    marks.push(element('path', { class: 'plot-band', fill: style.color, d: `M${[...upper, ...lower].join('L')}Z` }));
  }
  const path = runs
    .filter((run) => run.length > 1)
    .map((run) => `M${run.map((point) => place(point.x, area.y.at(point.y), area)).join('L')}`)
    .join('');
  for (const [point, next] of runs) {
    if (point && !next) marks.push(drawMarker('circle', area.x.at(point.x), area.y.at(point.y), 3.5, style.color));
  }
  if (path !== '') {
    marks.push(
      element('path', {
        class: 'plot-line',
        stroke: style.color,
        'stroke-dasharray': mark.dashed ? '6 4' : style.dash,
        d: path,
      }),
    );
  }
  return marks;
}

function place(x: number, y: number, area: PlotArea): string {
  return `${short(area.x.at(x))} ${short(y)}`;
}

/** Runs of neighbouring points that have a place. */
export function finiteRuns(points: readonly PlotPoint[], area: PlotArea): PlotPoint[][] {
  const runs: PlotPoint[][] = [[]];
  for (const point of points) {
    if (Number.isFinite(area.x.at(point.x)) && Number.isFinite(area.y.at(point.y))) runs.at(-1)?.push(point);
    else if (runs.at(-1)?.length) runs.push([]);
  }
  return runs.filter((run) => run.length > 0);
}

function thin(points: readonly PlotPoint[], area: PlotArea): readonly PlotPoint[] {
  if (points.length <= thinnedAbove) return points;
  const kept: PlotPoint[] = [];
  let column: PlotPoint[] = [];
  let columnAt = Number.NaN;
  const close = (): void => {
    const low = column.reduce<PlotPoint | undefined>((a, b) => (a && a.y <= b.y ? a : b), undefined);
    const high = column.reduce<PlotPoint | undefined>((a, b) => (a && a.y >= b.y ? a : b), undefined);
    for (const point of column) if (point === low || point === high) kept.push(point);
    column = [];
  };
  for (const point of points) {
    const at = Math.round(area.x.at(point.x) * 2);
    if (at !== columnAt || !Number.isFinite(point.y)) close();
    columnAt = at;
    if (Number.isFinite(point.y)) column.push(point);
    else kept.push(point);
  }
  close();
  return kept;
}
