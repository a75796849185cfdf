/** Ticks of axes: round values (1, 2 or 5 times a power of ten), powers of ten on a logarithmic axis, and their texts. */

/** A tick and its text; a tick of an empty text is a grid line only. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** The round step that gives about `count` ticks over `span`. */
export function tickStep(span: number, count: number): number {
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const ratio = rough / power;
  return (ratio >= 7.1 ? 10 : ratio >= 3.2 ? 5 : ratio >= 1.5 ? 2 : 1) * power;
}

/** Round values in [low, high], about `count` of them, all written with the same unit and number of decimals. */
export function linearTicks(low: number, high: number, count: number): Tick[] {
  const step = tickStep(high - low, count);
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const { size: unit, sign } = units.find(({ from, size }) => largest >= from && step >= size / 100) ?? noUnit;
  const decimals = Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9));
  const text = (value: number): string => {
    if (value === 0) return '0';
    if (decimals > 5 || largest / unit >= 1e6) return exponent(value);
    const digits = decimals === 0 ? grouped(value / unit) : (value / unit).toFixed(decimals);
    return `${digits.replace('-', '−')}${sign}`;
  };
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, Math.min(last - first, 100) + 1) }, (_, i) => {
    // From the integer, so that 3 · 0.1 is not 0.30000000000000004.
    const at = Number(((first + i) * step).toPrecision(12));
    return { at, text: text(at) };
  });
}

/** Powers of ten in [low, high]; with 2 and 5 between them when the range is short; every n-th power when it is long. */
export function logTicks(low: number, high: number, count: number): Tick[] {
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.ceil(Math.log10(high) - 1e-9);
  const span = Math.log10(high / low);
  const multiples = span <= 1.01 ? [1, 2, 3, 5, 7] : span <= 2.31 ? [1, 2, 5] : [1];
  const stride = Math.max(1, Math.ceil(span / Math.max(1, count)));
  const ticks: Tick[] = [];
  for (let power = first; power <= last; power++) {
    for (const multiple of multiples) {
      const at = Number((multiple * 10 ** power).toPrecision(12));
      if (at < low * (1 - 1e-9) || at > high * (1 + 1e-9)) continue;
      ticks.push({ at, text: (power - first) % stride === 0 ? formatTick(at) : '' });
    }
  }
  return ticks;
}

/** A single value in few signs: `1,500`, `20k`, `3M`, `0.25`, `2e-6`. */
export function formatTick(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e15 || size < 1e-3) return exponent(value);
  const { size: unit, sign } = units.find(({ from }) => size >= from) ?? noUnit;
  return `${grouped(Number((value / unit).toPrecision(4)))}${sign}`;
}

/** From which size on a unit is used, what it divides by, and its sign. */
const units: readonly { readonly from: number; readonly size: number; readonly sign: string }[] = [
  { from: 1e9, size: 1e9, sign: 'G' },
  { from: 1e6, size: 1e6, sign: 'M' },
  { from: 1e4, size: 1e3, sign: 'k' },
];
const noUnit = { size: 1, sign: '' };

function grouped(value: number): string {
  return String(Number(value.toFixed(6))).replace(/^(-?\d+)(\d{3})(?!\d)/, '$1,$2');
}

function exponent(value: number): string {
  return Number(value.toPrecision(3)).toExponential().replace('e+', 'e');
}
