/** Tables as LaTeX with booktabs, to be pasted into a paper: `\begin{table} … \end{table}`. */
import type { Cell, Table } from './table.ts';

/** A table; the note of a cell stands behind its text in small type, what is strong is bold. */
export function latexTable(table: Table): string {
  const columns = table.columns.map(({ align }) => (align === 'right' ? 'r' : 'l')).join('');
  const line = (cells: readonly string[]): string => `  ${cells.join(' & ')} \\\\`;
  return [
    '\\begin{table}',
    ...(table.caption === undefined ? [] : [`  \\caption{${escapeLatex(table.caption)}}`]),
    `  \\begin{tabular}{${columns}}`,
    '  \\toprule',
    line(table.columns.map(({ label }) => escapeLatex(label))),
    '  \\midrule',
    ...table.rows.map((row) => line(table.columns.map((_, i) => latexCell(row[i] ?? '')))),
    '  \\bottomrule',
    '  \\end{tabular}',
    '\\end{table}',
    '',
  ].join('\n');
}

function latexCell(cell: Cell): string {
  if (typeof cell === 'string') return escapeLatex(cell);
  const text = escapeLatex(cell.text);
  const strong = cell.strong && text !== '' ? `\\textbf{${text}}` : text;
  return cell.note === undefined ? strong : `${strong} {\\footnotesize ${escapeLatex(cell.note)}}`;
}

const signs: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '−': '$-$',
  '–': '--',
  '≤': '$\\le$',
  '≥': '$\\ge$',
  '×': '$\\times$',
  Δ: '$\\Delta$',
  λ: '$\\lambda$',
  '²': '\\textsuperscript{2}',
  '\n': ' ',
};

function escapeLatex(text: string): string {
  return text.replace(/[\\~^−–≤≥×Δλ²\n&%$#_{}]/g, (sign) => signs[sign] ?? `\\${sign}`);
}
