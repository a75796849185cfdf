/** A histogram: how many values fall into each bin, drawn as columns that touch. */
import { element, type Markup } from '../../markup.ts';
import type { MarkContext } from '../area.ts';
import { type Extent, extentOf } from '../domain.ts';

/** A bin: values of at least `from` and less than `to` (the last bin includes its end). */
export interface HistogramBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** A histogram mark. */
export interface HistogramMark {
  readonly type: 'histogram';
  readonly label?: string;
  readonly bins: readonly HistogramBin[];
  readonly series?: number;
}

/** How values are put into bins. */
export interface BinOptions {
  /** Number of bins. @default 30 */
  readonly count?: number;
  /** `log` makes bins of equal ratio and leaves out values that are not positive. @default 'linear' */
  readonly scale?: 'linear' | 'log';
  /** Whether the values are integers: bins then begin at integers, so that none is empty for lack of one. @default false */
  readonly integers?: boolean;
}

/** Puts values into bins of equal width (or ratio); fewer than `count` where integers are few. Leaves out values that are not finite. */
export function binValues(values: Iterable<number>, options: BinOptions = {}): HistogramBin[] {
  const { count = 30, scale = 'linear', integers = false } = options;
  const log = scale === 'log';
  const usable: number[] = [];
  for (const value of values) if (Number.isFinite(value) && (!log || value > 0)) usable.push(value);
  const extent = extentOf(usable);
  if (!extent) return [];
  const [low, high] = extent;
  const last = integers ? high + 1 : high;
  const edges: number[] = [];
  for (let i = 0; i <= count; i++) {
    const edge = log ? low * (last / low) ** (i / count) : low + ((last - low) * i) / count;
    const exact = i === 0 ? low : i === count ? last : integers ? Math.round(edge) : edge;
    if (exact > (edges.at(-1) ?? Number.NEGATIVE_INFINITY)) edges.push(exact);
  }
  if (edges.length === 1) return [{ from: low, to: log ? low * 1.1 : low + 1, count: usable.length }];
  const counts = new Array<number>(edges.length - 1).fill(0);
  for (const value of usable) {
    let bin = 0;
    for (let above = counts.length; above - bin > 1; ) {
      const middle = (bin + above) >> 1;
      if (value >= (edges[middle] ?? 0)) bin = middle;
      else above = middle;
    }
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts.map((n, i) => ({ from: edges[i] ?? low, to: edges[i + 1] ?? last, count: n }));
}

/** What the histogram needs of the axes. */
export function histogramExtent(mark: HistogramMark): Extent {
  const x = extentOf(mark.bins.flatMap((bin) => [bin.from, bin.to]));
  const y = extentOf([0, ...mark.bins.map((bin) => bin.count)]);
  return { ...(x ? { x } : {}), ...(y ? { y } : {}) };
}

/** Draws the columns. */
export function drawHistogram(mark: HistogramMark, { area, style }: MarkContext): Markup[] {
  const marks: Markup[] = [];
  for (const { from, to, count } of mark.bins) {
    const left = area.x.at(from);
    const right = area.x.at(to);
    const top = area.y.at(count);
    if (count <= 0 || !Number.isFinite(left) || !Number.isFinite(right) || !Number.isFinite(top)) continue;
    marks.push(
      element('rect', {
        x: left,
        y: top,
        width: Math.max(0.5, right - left - 0.75),
        height: Math.max(0, area.bottom - top),
        fill: style.color,
        'fill-opacity': 0.85,
      }),
    );
  }
  return marks;
}
