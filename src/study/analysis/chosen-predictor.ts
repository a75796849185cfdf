/**
 * What collapse can be foreseen by when nothing is known beforehand: both the figure and its healthy range are chosen on the cells
 * that share no group with those that are judged. So the choice among figures is paid for, as it is not in the rows of the
 * figures themselves.
 */
import type { BootstrapOptions, Interval } from '../../evaluate/significance/bootstrap-interval.ts';
import { badInput } from '../../util/errors.ts';
import { bootstrapCells } from './cell-bootstrap.ts';
import { balancedAccuracy, confusionOf, type Outcome } from './discrimination.ts';
import { bestWindow, isOutside, type Window } from './healthy-range.ts';
import { heldOutGroups } from './held-out-groups.ts';

/** A cell with the values of all figures. */
export interface ManyValuedCell extends Outcome {
  /** What must not be shared by cells that choose and cells that are judged; the first is the backbone. */
  readonly groups: readonly string[];
  readonly values: readonly number[];
}

/** A choice. */
export interface ChosenRange {
  readonly groups: readonly string[];
  /** Index of the figure; undefined with the window, where the others knew only one outcome. */
  readonly figure: number | undefined;
  readonly window: Window | undefined;
}

/**
 * Judges the choice; of figures that are equally good on the others, the first is taken.
 * @throws LexrayError BAD_INPUT when a value is not finite, there is no figure, or all cells are of one backbone
 */
export function judgeChosenPredictor(
  cells: readonly ManyValuedCell[],
  options: BootstrapOptions = {},
): { readonly accuracy: Interval | undefined; readonly chosen: readonly ChosenRange[] } {
  if (!cells.every(({ values }) => values.length > 0 && values.every(Number.isFinite))) {
    throw badInput('figures to be chosen from need a finite value a cell');
  }
  const backbones = new Set(cells.map(({ groups }) => groups[0])).size;
  if (backbones < 2) throw badInput(`leaving one backbone out needs two, got ${backbones}`);
  const accuracy = (drawn: readonly ManyValuedCell[]): number | undefined =>
    balancedAccuracy(
      confusionOf(
        heldOutGroups(drawn).flatMap(({ members, others }) => {
          const { figure, window } = choose(others);
          return members.map((cell) => ({ ...cell, judged: isOutside(cell.values[figure ?? 0]!, window) }));
        }),
      ),
    );
  return {
    accuracy: bootstrapCells(cells, [accuracy], options)[0],
    chosen: heldOutGroups(cells).map(({ groups, others }) => ({ groups, ...choose(others) })),
  };
}

/** The figure and the range with the best balanced accuracy. */
function choose(cells: readonly ManyValuedCell[]): Omit<ChosenRange, 'groups'> {
  let best: Omit<ChosenRange, 'groups'> = { figure: undefined, window: undefined };
  let most = Number.NEGATIVE_INFINITY;
  for (let figure = 0; figure < (cells[0]?.values.length ?? 0); figure++) {
    const found = bestWindow(cells.map((cell) => ({ ...cell, value: cell.values[figure]! })));
    if (found !== undefined && found.accuracy > most + 1e-12) {
      most = found.accuracy;
      best = { figure, window: found.window };
    }
  }
  return best;
}
