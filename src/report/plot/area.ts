/** The part of a plot that the marks are drawn in. */
import type { BandScale, Scale } from './scale.ts';
import type { SeriesStyle } from './theme.ts';

/** Scales and edges, in pixels. `x` and `bands` are two views of the horizontal axis; with bars it has bands only. */
export interface PlotArea {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: Scale;
  readonly bands: BandScale | undefined;
  readonly y: Scale;
}

/** What a mark is drawn with. */
export interface MarkContext {
  readonly area: PlotArea;
  readonly style: SeriesStyle;
  /** Bars of one category stand side by side: which of how many this mark is. */
  readonly group: { readonly index: number; readonly count: number };
}

/** A value at a place, with an interval if it has one. A value that is not finite breaks a line. */
export interface PlotPoint {
  readonly x: number;
  readonly y: number;
  /** Lower end of the interval of `y`. */
  readonly low?: number;
  /** Upper end of the interval of `y`. */
  readonly high?: number;
}
