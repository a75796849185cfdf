/**
 * Tables as Markdown (pipes, padded so that the source reads well) and as plain text for the terminal. Wide characters
 * count two columns.
 */
import type { Cell, Table } from './table.ts';

/** A Markdown table. Pipes and line breaks in cells are escaped; strong cells are bold. */
export function markdownTable(table: Table): string {
  const { columns } = table;
  const header = columns.map((column) => escapeCell(column.label));
  const rows = table.rows.map((row) =>
    columns.map((_column, i) => {
      const cell = row[i] ?? '';
      const text = escapeCell(cellText(cell));
      return typeof cell !== 'string' && cell.strong && text !== '' ? `**${text}**` : text;
    }),
  );
  const widths = columnWidths([header, ...rows], 3);
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => pad(cell, widths[i] ?? 0, columns[i]?.align)).join(' | ')} |`;
  const rule = columns.map(({ align }, i) =>
    align === 'right' ? `${'-'.repeat((widths[i] ?? 3) - 1)}:` : '-'.repeat(widths[i] ?? 3),
  );
  return `${[header, rule, ...rows].map(line).join('\n')}\n`;
}

/** The same table in aligned columns, without pipes. */
export function textTable(table: Table): string {
  const { columns } = table;
  const header = columns.map((column) => oneLine(column.label));
  const rows = table.rows.map((row) => columns.map((_column, i) => oneLine(cellText(row[i] ?? ''))));
  const widths = columnWidths([header, ...rows], 0);
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => pad(cell, widths[i] ?? 0, columns[i]?.align))
      .join('  ')
      .trimEnd();
  return `${[header, ...rows].map(line).join('\n')}\n`;
}

function cellText(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  return cell.note === undefined ? cell.text : `${cell.text} ${cell.note}`;
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters could steer the reader's terminal
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
}

function escapeCell(text: string): string {
  return oneLine(text)
    .replace(/\\/g, '\\\\')
    .replace(/[|<>*_`]/g, '\\$&');
}

function columnWidths(rows: readonly (readonly string[])[], least: number): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? least, displayWidth(cell));
  }
  return widths;
}

function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'right' ? space + text : text + space;
}

/** Columns that a text takes in a terminal: marks take none, East Asian wide characters and emoji two. */
function displayWidth(text: string): number {
  let width = 0;
  for (const sign of text) {
    if (/\p{Mark}/u.test(sign) || sign === '\u200d') continue;
    const code = sign.codePointAt(0) ?? 0;
    const wide =
      (code >= 0x1100 && code <= 0x115f) ||
      (code >= 0x2e80 && code <= 0xa4cf) ||
      (code >= 0xac00 && code <= 0xd7a3) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0xfe30 && code <= 0xfe6f) ||
      (code >= 0xff00 && code <= 0xff60) ||
      (code >= 0x1f300 && code <= 0x1faff) ||
      (code >= 0x20000 && code <= 0x3fffd);
    width += wide ? 2 : 1;
  }
  return width;
}
