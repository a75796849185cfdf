/** Tables as data, for HTML, Markdown and the terminal alike, and the texts of numbers in them. */

/** A column of a table. */
export interface Column {
  readonly label: string;
  /** Numbers stand on the right, so that their digits are below each other. @default 'left' */
  readonly align?: 'left' | 'right';
}

/** A cell: a text, or a text with more to it. */
export type Cell =
  | string
  | {
      readonly text: string;
      /** Said in smaller type after the text: an interval. */
      readonly note?: string;
      /** The best of its column, or what the table is about. */
      readonly strong?: boolean;
    };

/** A table. Each row has a cell for each column. */
export interface Table {
  readonly caption?: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A mean with its interval. */
export interface Estimate {
  readonly mean: number;
  readonly low?: number;
  readonly high?: number;
}

/** What stands for a value that there is none of. */
export const noValue = '–';

/** A number with a fixed count of decimals, a true minus sign, and {@link noValue} when it is not finite. */
export function formatNumber(value: number | undefined, decimals = 3): string {
  if (value === undefined || !Number.isFinite(value)) return noValue;
  const text = Math.abs(value).toFixed(decimals);
  const [whole = '', fraction] = text.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const sign = value < 0 && Number(text) !== 0 ? '−' : '';
  return `${sign}${grouped}${fraction === undefined ? '' : `.${fraction}`}`;
}

/** A difference: always with its sign. */
export function formatDifference(value: number | undefined, decimals = 3): string {
  const text = formatNumber(value, decimals);
  return value !== undefined && value > 0 && Number(value.toFixed(decimals)) !== 0 ? `+${text}` : text;
}

/** `[0.295, 0.331]`; empty when there is no interval. */
export function formatInterval({ low, high }: Estimate, format: (value: number) => string = formatNumber): string {
  return low === undefined || high === undefined ? '' : `[${format(low)}, ${format(high)}]`;
}

/** A cell of an estimate: the mean, and the interval as its note. */
export function estimateCell(
  estimate: Estimate | undefined,
  options: { readonly strong?: boolean; readonly format?: (value: number) => string } = {},
): Cell {
  if (!estimate) return noValue;
  const { strong = false, format = formatNumber } = options;
  const note = formatInterval(estimate, format);
  return { text: format(estimate.mean), strong, ...(note === '' ? {} : { note }) };
}

/** A p value as papers write it: `< 0.0001`, `0.032`. */
export function formatPValue(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return noValue;
  return value < 1e-4 ? '< 0.0001' : value.toFixed(value < 0.1 ? 4 : 2);
}

/** A size: `512 B`, `1.4 MiB`. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined || !Number.isFinite(bytes)) return noValue;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A duration: `0.8 s`, `42 s`, `3 min 05 s`. */
export function formatSeconds(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return noValue;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  const rest = String(whole % 60).padStart(2, '0');
  return minutes < 60
    ? `${minutes} min ${rest} s`
    : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
