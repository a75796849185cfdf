/**
 * How plots look: colours as CSS variables, so that a page can change them, light and dark by the reader's setting.
 * The series colours can be told apart by colour-blind readers (after Okabe and Ito, "Color Universal Design", 2008,
 * darkened to a contrast of at least 3 to 1 on white); dashes and marker shapes differ as well.
 */

/** Number of series colours; further series repeat them with other dashes. */
export const seriesColors = 6;

const light: readonly string[] = ['#0067a8', '#c84e00', '#00805c', '#a3458a', '#806400', '#57606a'];
const dark: readonly string[] = ['#58b0ea', '#ff9248', '#35c796', '#e69bd0', '#dcbc3a', '#a5b0ba'];

const variables = (colors: readonly string[], ink: string, soft: string, grid: string, paper: string): string =>
  [
    `--plot-ink:${ink}`,
    `--plot-soft:${soft}`,
    `--plot-grid:${grid}`,
    `--plot-paper:${paper}`,
    ...colors.map((color, i) => `--plot-${i + 1}:${color}`),
  ].join(';');

/** The style of all plots. A page that shows several needs it once. */
export const plotStyle: string = [
  `.plot{${variables(light, '#1f2328', '#57606a', '#dde2e7', '#ffffff')}}`,
  `@media (prefers-color-scheme:dark){.plot{${variables(dark, '#e6edf3', '#9aa5b0', '#343b44', '#0d1117')}}}`,
  `.plot{display:block;max-width:100%;height:auto;font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}`,
  `.plot text{fill:var(--plot-soft)}`,
  `.plot .plot-title{fill:var(--plot-ink);font-size:14px;font-weight:600}`,
  `.plot .plot-strong{fill:var(--plot-ink)}`,
  `.plot .plot-grid{stroke:var(--plot-grid);stroke-width:1}`,
  `.plot .plot-axis{stroke:var(--plot-soft);stroke-width:1}`,
  `.plot .plot-rule{stroke:var(--plot-soft);stroke-width:1.5;stroke-dasharray:5 4}`,
  `.plot .plot-line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}`,
  `.plot .plot-band{stroke:none;opacity:.18}`,
  `.plot .plot-error{stroke:var(--plot-ink);stroke-width:1.5;fill:none}`,
  `.plot .plot-marker{stroke:var(--plot-paper);stroke-width:1}`,
].join('\n');

/** The look of one series. */
export interface SeriesStyle {
  /** CSS colour: a variable of {@link plotStyle}. */
  readonly color: string;
  /** `stroke-dasharray`, or `undefined` for a full line. */
  readonly dash: string | undefined;
  readonly marker: MarkerShape;
}

/** Shapes of points. */
export type MarkerShape = 'circle' | 'square' | 'triangle' | 'diamond';

const dashes: readonly (string | undefined)[] = [undefined, '7 4', '2 4', '9 4 2 4'];
const markers: readonly MarkerShape[] = ['circle', 'square', 'triangle', 'diamond'];

/** The style of the series with a number, from 0. */
export function seriesStyle(series: number): SeriesStyle {
  return {
    color: `var(--plot-${(series % seriesColors) + 1})`,
    dash: dashes[Math.floor(series / seriesColors) % dashes.length],
    marker: markers[series % markers.length] ?? 'circle',
  };
}
