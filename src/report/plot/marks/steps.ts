/** A step line: the value holds from each point to the next. For cumulative distributions and schedules. */
import { element, type Markup, short } from '../../markup.ts';
import type { MarkContext, PlotPoint } from '../area.ts';
import { finiteRuns } from './line.ts';

/** A steps mark. */
export interface StepsMark {
  readonly type: 'steps';
  readonly label?: string;
  /** In ascending order of `x`. */
  readonly points: readonly PlotPoint[];
  readonly series?: number;
}

/** Draws the steps. */
export function drawSteps(mark: StepsMark, { area, style }: MarkContext): Markup[] {
  const path = finiteRuns(mark.points, area)
    .map((run) => stepPath(run.map(({ x, y }) => [short(area.x.at(x)), short(area.y.at(y))] as const)))
    .join('');
  if (path === '') return [];
  return [element('path', { class: 'plot-line', stroke: style.color, 'stroke-dasharray': style.dash, d: path })];
}

/** A run of equal heights is one line. */
function stepPath(corners: readonly (readonly [left: string, top: string])[]): string {
  let path = '';
  let height: string | undefined;
  for (const [left, top] of corners) {
    if (height === undefined) path = `M${left} ${top}`;
    else if (top !== height) path += `H${left}V${top}`;
    height = top;
  }
  return `${path}H${corners.at(-1)?.[0]}`;
}
