/** The legend: a row of samples and names above the plot, broken into lines where it is too long. */
import { element, type Markup, short } from '../markup.ts';
import { drawMarker } from './marks/points.ts';
import { textWidth } from './text-width.ts';
import type { SeriesStyle } from './theme.ts';

/** One entry: what it stands for and how it is drawn. */
export interface LegendEntry {
  readonly label: string;
  readonly style: SeriesStyle;
  readonly sample: 'line' | 'dashed' | 'block' | 'marker';
}

const fontSize = 12;
const sampleWidth = 22;
const lineHeight = 18;

/** The entries with their places below the top left corner, and the height that they take. */
export function layOutLegend(
  entries: readonly LegendEntry[],
  width: number,
): { readonly height: number; readonly draw: (left: number, top: number) => Markup[] } {
  const places: { entry: LegendEntry; x: number; row: number }[] = [];
  let x = 0;
  let row = 0;
  for (const entry of entries) {
    const needed = sampleWidth + textWidth(entry.label, fontSize);
    if (x > 0 && x + needed > width) {
      x = 0;
      row++;
    }
    places.push({ entry, x, row });
    x += needed + 14;
  }
  return {
    height: entries.length === 0 ? 0 : (row + 1) * lineHeight,
    draw: (left, top) =>
      places.flatMap(({ entry, x: dx, row: line }) => {
        const middle = top + line * lineHeight + lineHeight / 2;
        return [
          drawSample(entry, left + dx, middle),
          element('text', { class: 'plot-strong', x: left + dx + sampleWidth, y: middle + 4 }, entry.label),
        ];
      }),
  };
}

function drawSample({ style, sample }: LegendEntry, left: number, middle: number): Markup {
  switch (sample) {
    case 'block':
      return element('rect', { x: left + 2, y: middle - 5, width: 14, height: 10, fill: style.color });
    case 'marker':
      return drawMarker(style.marker, left + 9, middle, 4, style.color);
    default:
      return element('path', {
        class: 'plot-line',
        stroke: style.color,
        'stroke-dasharray': sample === 'dashed' ? '6 4' : style.dash,
        d: `M${short(left)} ${short(middle)}h17`,
      });
  }
}
