/** Tables whose cells are shaded by their value, lightest at the least; the numbers stay readable without the shade. */
import { element, type Markup } from '../markup.ts';
import type { Cell, Table } from '../table.ts';

/** A table of numbers with shades, all on one scale. */
export function heatTable(table: Table): Markup {
  const values = table.rows.flatMap((row) => row.slice(1).map(numberOf)).filter(Number.isFinite);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const shade = (cell: Cell): string | undefined => {
    const share = high > low ? (numberOf(cell) - low) / (high - low) : 0;
    return Number.isFinite(share) ? `background:rgba(0,103,168,${(0.05 + 0.4 * share).toFixed(3)})` : undefined;
  };
  return element(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': table.caption ?? 'table' },
    element(
      'table',
      {},
      element('caption', {}, table.caption),
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          table.columns.map(({ label }, i) => element('th', { scope: 'col', class: i > 0 && 'number' }, label)),
        ),
      ),
      element(
        'tbody',
        {},
        table.rows.map(([first = '', ...cells]) =>
          element(
            'tr',
            {},
            element('th', { scope: 'row' }, textOf(first)),
            cells.map((cell) => element('td', { class: 'number', style: shade(cell) }, textOf(cell), noteOf(cell))),
          ),
        ),
      ),
    ),
  );
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function noteOf(cell: Cell): Markup | undefined {
  return typeof cell === 'string' || cell.note === undefined
    ? undefined
    : element('span', { class: 'note' }, cell.note);
}

function numberOf(cell: Cell): number {
  return Number(textOf(cell).replace('−', '-').replaceAll(',', '') || Number.NaN);
}
