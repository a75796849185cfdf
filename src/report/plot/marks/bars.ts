/** Bars from zero, one for each category, with error bars; several bars marks stand side by side. */
import { element, type Markup } from '../../markup.ts';
import type { MarkContext } from '../area.ts';
import { type Extent, extentOf } from '../domain.ts';
import { drawErrorBar } from './error-bar.ts';

/** A bars mark. */
export interface BarsMark {
  readonly type: 'bars';
  readonly label?: string;
  readonly bars: readonly {
    readonly category: string;
    readonly value: number;
    readonly low?: number;
    readonly high?: number;
    /** Written above the bar. */
    readonly text?: string;
  }[];
  readonly series?: number;
}

/** What the bars need of the axes. */
export function barsExtent(mark: BarsMark): Extent {
  const y = extentOf(mark.bars.flatMap((bar) => [0, bar.value, bar.low, bar.high]));
  return { categories: mark.bars.map((bar) => bar.category), ...(y ? { y } : {}) };
}

/** Draws the bars. */
export function drawBars(mark: BarsMark, { area, style, group }: MarkContext): Markup[] {
  const { bands } = area;
  if (!bands) return [];
  const width = Math.min(64, (bands.band * 0.76) / group.count);
  const zero = area.y.at(0);
  const base = Number.isFinite(zero) ? Math.min(area.bottom, Math.max(area.top, zero)) : area.bottom;
  const marks: Markup[] = [];
  for (const bar of mark.bars) {
    const middle = bands.at(bar.category) + (group.index - (group.count - 1) / 2) * width;
    const end = area.y.at(bar.value);
    if (!Number.isFinite(middle) || !Number.isFinite(end)) continue;
    const gap = group.count > 1 ? 1 : 0;
    marks.push(
      element('rect', {
        x: middle - width / 2 + gap,
        y: Math.min(base, end),
        width: width - 2 * gap,
        height: Math.abs(end - base),
        fill: style.color,
      }),
    );
    let top = Math.min(base, end);
    if (bar.low !== undefined && bar.high !== undefined) {
      marks.push(...drawErrorBar(middle, area.y.at(bar.low), area.y.at(bar.high)));
      top = Math.min(top, area.y.at(bar.high));
    }
    if (bar.text !== undefined && Number.isFinite(top)) {
      marks.push(element('text', { class: 'plot-strong', x: middle, y: top - 5, 'text-anchor': 'middle' }, bar.text));
    }
  }
  return marks;
}
