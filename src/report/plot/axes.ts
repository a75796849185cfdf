/** Axes of a plot: grid lines, ticks, and their texts. */
import { element, type Markup } from '../markup.ts';
import type { PlotArea } from './area.ts';
import type { BandScale } from './scale.ts';
import { textWidth, wrapText } from './text-width.ts';
import type { Tick } from './ticks.ts';

/** Font size of tick texts in pixels, as the style sets it. */
export const tickFontSize = 12;
/** Height of a line of tick text in pixels. */
export const tickLineHeight = 15;

/** Horizontal grid lines and the texts of the vertical axis. */
export function drawVerticalAxis(area: PlotArea, ticks: readonly Tick[]): Markup[] {
  return ticks.flatMap(({ at, text }) => {
    const y = area.y.at(at);
    if (!Number.isFinite(y)) return [];
    return [
      element('line', { class: 'plot-grid', x1: area.left, x2: area.right, y1: y, y2: y }),
      ...(text === '' ? [] : [element('text', { x: area.left - 7, y: y + 4, 'text-anchor': 'end' }, text)]),
    ];
  });
}

/** The base line, ticks and texts of a horizontal axis of numbers, at the bottom or at the top. */
export function drawHorizontalAxis(area: PlotArea, ticks: readonly Tick[], side: 'bottom' | 'top'): Markup[] {
  const base = side === 'bottom' ? area.bottom : area.top;
  const outwards = side === 'bottom' ? 1 : -1;
  const shown = withoutOverlap(ticks, area);
  return [
    element('line', { class: 'plot-axis', x1: area.left, x2: area.right, y1: base, y2: base }),
    ...ticks.flatMap((tick) => {
      const x = area.x.at(tick.at);
      if (!Number.isFinite(x) || x < area.left - 0.5 || x > area.right + 0.5) return [];
      return [
        element('line', {
          class: 'plot-axis',
          x1: x,
          x2: x,
          y1: base,
          y2: base + outwards * (shown.has(tick) ? 5 : 3),
        }),
        ...(shown.has(tick)
          ? [element('text', { x, y: side === 'bottom' ? base + 18 : base - 8, 'text-anchor': 'middle' }, tick.text)]
          : []),
      ];
    }),
  ];
}

/** The base line and the names of categories, broken into lines. */
export function drawCategoryAxis(area: PlotArea, bands: BandScale): Markup[] {
  return [
    element('line', { class: 'plot-axis', x1: area.left, x2: area.right, y1: area.bottom, y2: area.bottom }),
    ...bands.categories.flatMap((category) =>
      categoryLines(category, bands.band).map((line, i) =>
        element(
          'text',
          {
            class: 'plot-strong',
            x: bands.at(category),
            y: area.bottom + 17 + i * tickLineHeight,
            'text-anchor': 'middle',
          },
          line,
        ),
      ),
    ),
  ];
}

/** The lines of a category's name in a band of some pixels. */
export function categoryLines(category: string, band: number): string[] {
  return wrapText(category, tickFontSize, band - 6);
}

function withoutOverlap(ticks: readonly Tick[], area: PlotArea): ReadonlySet<Tick> {
  const shown = new Set<Tick>();
  let free = Number.NEGATIVE_INFINITY;
  for (const tick of ticks) {
    const half = textWidth(tick.text, tickFontSize) / 2;
    const x = area.x.at(tick.at);
    if (tick.text === '' || !(x - half >= free)) continue;
    shown.add(tick);
    free = x + half + 6;
  }
  return shown;
}
