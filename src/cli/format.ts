/** Figures and tables for people: fixed, locale-free formats. */

/** `1,234,567`; fractions keep at most `digits` digits. */
export function formatCount(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** `0.6851`, with a fixed number of decimals; a dash for what is not a number. */
export function formatFixed(value: number, digits = 4): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–';
}

/** Four significant digits, as rates and losses are shown. */
export function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e7)) return value.toExponential(2);
  return formatCount(Number(value.toPrecision(4)), 6);
}

/** `850 ms`, `12.3 s`, `4:05`, `2:03:04`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  const pad = (n: number): string => String(n).padStart(2, '0');
  const rest = `${pad(Math.floor(total / 60) % 60)}:${pad(total % 60)}`;
  return total >= 3600 ? `${Math.floor(total / 3600)}:${rest}` : rest.replace(/^0/, '');
}

/** `512 B`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/**
 * Rows with their columns aligned.
 * @param sides of each column; further columns are as the last @default the first left, the others right
 */
export function formatTable(
  rows: readonly (readonly string[])[],
  sides: readonly ('left' | 'right')[] = ['left', 'right'],
): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, i) => ((sides[i] ?? sides.at(-1)) === 'left' ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
