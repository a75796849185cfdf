/**
 * Plots as SVG text, made without a DOM: the same options give the same text everywhere. Titles and labels are text
 * (they can be selected and searched), the title and description are there for screen readers, colours follow the
 * reader's light or dark setting.
 */
import { element, type Markup, short, trusted } from '../markup.ts';
import type { MarkContext, PlotArea } from './area.ts';
import {
  categoryLines,
  drawCategoryAxis,
  drawHorizontalAxis,
  drawVerticalAxis,
  tickFontSize,
  tickLineHeight,
} from './axes.ts';
import { chooseDomain, type DomainOptions, type Extent } from './domain.ts';
import { type LegendEntry, layOutLegend } from './legend.ts';
import { type BarsMark, barsExtent, drawBars } from './marks/bars.ts';
import { drawHistogram, type HistogramMark, histogramExtent } from './marks/histogram.ts';
import { drawLine, type LineMark, lineExtent } from './marks/line.ts';
import { drawPoints, type PointsMark } from './marks/points.ts';
import { drawRule, type RuleMark, ruleExtent } from './marks/rule.ts';
import { drawSteps, type StepsMark } from './marks/steps.ts';
import { bandScale, linearScale, logScale, type Scale } from './scale.ts';
import { textWidth, wrapText } from './text-width.ts';
import { plotStyle, seriesStyle } from './theme.ts';
import type { Tick } from './ticks.ts';

/** Anything that can be drawn in a plot. */
export type Mark = BarsMark | HistogramMark | LineMark | PointsMark | RuleMark | StepsMark;

/** An axis. */
export interface AxisOptions {
  /** What it shows, with its unit: "seconds". */
  readonly label?: string;
  /** @default 'linear' */
  readonly scale?: 'linear' | 'log';
  /** The range that is shown; what lies outside is cut off. @default what the marks need */
  readonly domain?: readonly [number, number];
  /** Whether a linear axis must show zero. @default true for y with bars and histograms */
  readonly zero?: boolean;
  /** The text of a tick. @default as `formatTick` writes it */
  readonly format?: (value: number) => string;
  /** The ticks themselves. @default round values */
  readonly ticks?: readonly Tick[];
}

/** A plot. */
export interface PlotOptions {
  /** Says what is to be seen; written above the plot. */
  readonly title: string;
  /** The figure in words, for those who do not see it. */
  readonly description?: string;
  readonly marks: readonly Mark[];
  readonly x?: AxisOptions;
  readonly y?: AxisOptions;
  /** A second axis above the plot, with ticks at values of `x`: seconds above steps. */
  readonly top?: { readonly label: string; readonly ticks: readonly Tick[] };
  /** Pixels. @default 600 */
  readonly width?: number;
  /** Pixels. @default 320 */
  readonly height?: number;
  /** Whether the style is in the SVG; a page with {@link plotStyle} needs it not. @default true */
  readonly standalone?: boolean;
}

const rightMargin = 14;
const titleLineHeight = 19;

/** Draws a plot. The result is an `<svg>` element. */
export function plot(options: PlotOptions): Markup {
  const { title, description, marks, x = {}, y = {}, top, width = 600, height = 320, standalone = true } = options;
  const extents = marks.map(markExtent);
  const categories = [...new Set(extents.flatMap((extent) => extent.categories ?? []))];
  const filled = marks.some((mark) => mark.type === 'bars' || mark.type === 'histogram');
  const pad = marks.some((mark) => mark.type === 'points');
  const yDomain = y.domain ?? axisDomain(y, extents, 'y', { zero: y.zero ?? filled, round: true, pad });
  const xDomain = x.domain ?? axisDomain(x, extents, 'x', { zero: x.zero ?? false, round: false, pad });

  const titleLines = wrapText(title, 14, width);
  const legend = layOutLegend(legendEntries(marks), width);
  const legendTop = titleLines.length * titleLineHeight + 5;
  const hasTopLine = y.label !== undefined || top !== undefined;
  const areaTop = legendTop + legend.height + (hasTopLine ? 26 : 6) + (top ? 20 : 0);

  const yTicks = axisTicks(y, scaleOf(y, yDomain, 0, 1), Math.max(3, Math.round((height - areaTop - 40) / 45)));
  const left = Math.ceil(Math.max(0, ...yTicks.map((tick) => textWidth(tick.text, tickFontSize)))) + 9;
  const right = width - rightMargin;
  const bands = categories.length > 0 ? bandScale(categories, left, right) : undefined;
  const tickLines = bands ? Math.max(1, ...categories.map((name) => categoryLines(name, bands.band).length)) : 1;
  const bottom = height - 9 - tickLines * tickLineHeight - (x.label === undefined ? 0 : 18);
  const area: PlotArea = {
    left,
    right,
    top: areaTop,
    bottom,
    bands,
    x: scaleOf(x, xDomain, left, right),
    y: scaleOf(y, yDomain, bottom, areaTop),
  };
  const xTicks = bands ? [] : axisTicks(x, area.x, Math.max(2, Math.round((right - left) / 80)));
  const empty = extents.every((extent) => !extent.y);
  const small = { class: 'plot-label' };
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      class: 'plot',
      role: 'img',
      'aria-label': title,
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
    },
    element('title', {}, title),
    description === undefined ? undefined : element('desc', {}, description),
    standalone ? element('style', {}, trusted(plotStyle)) : undefined,
    titleLines.map((line, i) => element('text', { class: 'plot-title', x: 0, y: 15 + i * titleLineHeight }, line)),
    legend.draw(0, legendTop),
    y.label === undefined ? undefined : element('text', { ...small, x: 0, y: legendTop + legend.height + 14 }, y.label),
    top && element('text', { ...small, x: right, y: legendTop + legend.height + 14, 'text-anchor': 'end' }, top.label),
    drawVerticalAxis(area, yTicks),
    clipped(
      area,
      marks.map((mark, i) => drawMark(mark, context(marks, i, area))),
      Boolean(x.domain || y.domain),
    ),
    bands ? drawCategoryAxis(area, bands) : drawHorizontalAxis(area, xTicks, 'bottom'),
    top && drawHorizontalAxis(area, top.ticks, 'top'),
    x.label === undefined
      ? undefined
      : element('text', { ...small, x: (left + right) / 2, y: height - 5, 'text-anchor': 'middle' }, x.label),
    empty
      ? element('text', { x: (left + right) / 2, y: (areaTop + bottom) / 2, 'text-anchor': 'middle' }, 'no data')
      : undefined,
  );
}

function axisDomain(
  axis: AxisOptions,
  extents: readonly Extent[],
  name: 'x' | 'y',
  options: Omit<DomainOptions, 'scale'>,
): [number, number] {
  return chooseDomain(
    extents.map((extent) => extent[name]),
    { scale: axis.scale ?? 'linear', ...options },
  );
}

function scaleOf(axis: AxisOptions, domain: readonly [number, number], start: number, end: number): Scale {
  return axis.scale === 'log' ? logScale(domain, start, end) : linearScale(domain, start, end);
}

function axisTicks(axis: AxisOptions, scale: Scale, count: number): readonly Tick[] {
  if (axis.ticks) return axis.ticks;
  const { format } = axis;
  const ticks = scale.ticks(count);
  return format ? ticks.map(({ at, text }) => ({ at, text: text === '' ? '' : format(at) })) : ticks;
}

function markExtent(mark: Mark): Extent {
  switch (mark.type) {
    case 'bars':
      return barsExtent(mark);
    case 'histogram':
      return histogramExtent(mark);
    case 'rule':
      return ruleExtent(mark);
    default:
      return lineExtent(mark);
  }
}

function drawMark(mark: Mark, markContext: MarkContext): Markup[] {
  switch (mark.type) {
    case 'bars':
      return drawBars(mark, markContext);
    case 'histogram':
      return drawHistogram(mark, markContext);
    case 'line':
      return drawLine(mark, markContext);
    case 'points':
      return drawPoints(mark, markContext);
    case 'rule':
      return drawRule(mark, markContext);
    case 'steps':
      return drawSteps(mark, markContext);
  }
}

/** Rules are no series: they take no colour. */
function seriesNumber(marks: readonly Mark[], index: number): number {
  const mark = marks[index];
  if (mark && mark.type !== 'rule' && mark.series !== undefined) return mark.series;
  return marks.slice(0, index).filter((other) => other.type !== 'rule').length;
}

function context(marks: readonly Mark[], index: number, area: PlotArea): MarkContext {
  const isBars = (mark: Mark): boolean => mark.type === 'bars';
  const group = { index: marks.slice(0, index).filter(isBars).length, count: marks.filter(isBars).length };
  return { area, style: seriesStyle(seriesNumber(marks, index)), group };
}

function legendEntries(marks: readonly Mark[]): LegendEntry[] {
  const entries = marks.flatMap((mark, i): LegendEntry[] => {
    if (mark.type === 'rule' || mark.label === undefined) return [];
    const style = seriesStyle(seriesNumber(marks, i));
    switch (mark.type) {
      case 'bars':
      case 'histogram':
        return [{ label: mark.label, style, sample: 'block' }];
      case 'points':
        return [{ label: mark.label, style, sample: 'marker' }];
      default:
        return [{ label: mark.label, style, sample: mark.type === 'line' && mark.dashed ? 'dashed' : 'line' }];
    }
  });
  return entries.length > 1 ? entries : [];
}

/** An inner `<svg>` cuts off what is outside, without an identifier that a page would have to keep unique. */
function clipped(area: PlotArea, content: readonly Markup[][], clip: boolean): Markup | readonly Markup[][] {
  if (!clip) return content;
  const [x, y, width, height] = [area.left, area.top, area.right - area.left, area.bottom - area.top];
  return element('svg', { x, y, width, height, viewBox: [x, y, width, height].map(short).join(' ') }, content);
}
