/** Points in the plane, with error bars where they have intervals, and a text beside them if wanted. */
import { element, type Markup, short } from '../../markup.ts';
import type { MarkContext, PlotPoint } from '../area.ts';
import type { MarkerShape } from '../theme.ts';
import { drawErrorBar } from './error-bar.ts';

/** A points mark. */
export interface PointsMark {
  readonly type: 'points';
  readonly label?: string;
  readonly points: readonly (PlotPoint & {
    /** Written beside the point. */
    readonly text?: string;
  })[];
  readonly series?: number;
  /** Radius in pixels. @default 4 */
  readonly radius?: number;
}

/** Draws the points. */
export function drawPoints(mark: PointsMark, { area, style }: MarkContext): Markup[] {
  const { radius = 4 } = mark;
  const marks: Markup[] = [];
  for (const point of mark.points) {
    const x = area.x.at(point.x);
    const y = area.y.at(point.y);
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    if (point.low !== undefined && point.high !== undefined) {
      marks.push(...drawErrorBar(x, area.y.at(point.low), area.y.at(point.high), style.color));
    }
    marks.push(drawMarker(style.marker, x, y, radius, style.color));
    if (point.text !== undefined) {
      const leftwards = x > area.right - (area.right - area.left) / 4;
      marks.push(
        element(
          'text',
          { x: x + (leftwards ? -1 : 1) * (radius + 4), y: y - radius, 'text-anchor': leftwards ? 'end' : 'start' },
          point.text,
        ),
      );
    }
  }
  return marks;
}

/** A marker of about the same area in each shape. */
export function drawMarker(shape: MarkerShape, x: number, y: number, radius: number, color: string): Markup {
  if (shape === 'circle') return element('circle', { class: 'plot-marker', cx: x, cy: y, r: radius, fill: color });
  const corner = (dx: number, dy: number): string => `${short(x + dx * radius)} ${short(y + dy * radius)}`;
  const corners =
    shape === 'square'
      ? [corner(-0.9, -0.9), corner(0.9, -0.9), corner(0.9, 0.9), corner(-0.9, 0.9)]
      : shape === 'triangle'
        ? [corner(0, -1.25), corner(1.15, 0.8), corner(-1.15, 0.8)]
        : [corner(0, -1.3), corner(1.3, 0), corner(0, 1.3), corner(-1.3, 0)];
  return element('path', { class: 'plot-marker', fill: color, d: `M${corners.join('L')}Z` });
}
