/** Cells in groups that one plot can show: those of a panel of the sweep and one arm, at most as many as there are colours. */
import { seriesColors } from '../plot/theme.ts';
import { levelsLabel, type ReportCell, type ReportStudy } from './data.ts';

/** Cells of one plot. */
export interface CellGroup {
  /** The levels that all of them share; empty where they share none by design. */
  readonly label: string;
  readonly cells: readonly ReportCell[];
}

/** The cells in their order, along the swept factor where there is one. */
export function groupsOfCells({ cells, factors, sweep }: ReportStudy): readonly CellGroup[] {
  const names = Object.keys(factors).filter((name) => name !== sweep?.axis);
  const found = new Map<string, ReportCell[]>();
  for (const cell of cells) {
    const label = sweep === undefined ? '' : levelsLabel(cell.levels, names);
    found.set(label, [...(found.get(label) ?? []), cell]);
  }
  return [...found].flatMap(([label, members]) => {
    if (sweep !== undefined) members.sort((a, b) => Number(a.levels[sweep.axis]) - Number(b.levels[sweep.axis]));
    return spread(members).map((some) => ({ label, cells: some }));
  });
}

/** What tells a cell from the others of its group. */
export function cellLabel({ levels }: ReportCell, { factors, sweep }: ReportStudy, group: string): string {
  const names = group === '' || sweep === undefined ? Object.keys(factors) : [sweep.axis];
  return levelsLabel(levels, names) || 'all';
}

/** Parts of nearly the same size. */
function spread(cells: readonly ReportCell[]): readonly (readonly ReportCell[])[] {
  const parts = Math.ceil(cells.length / seriesColors);
  const size = Math.ceil(cells.length / parts);
  return Array.from({ length: parts }, (_, i) => cells.slice(i * size, (i + 1) * size));
}
