/**
 * What a figure of the head that is known before training says of collapse. Units are cells, since seeds of a cell start from one
 * head; each counts with its runs.
 *
 * A figure is judged in two ways: by the area under its ROC curve, on the heads that are too large and on those that are too small
 * by themselves, and as a rule with two thresholds, *collapse outside of [low, high]*. The thresholds that judge a cell are those
 * with the best balanced accuracy on the cells that share none of its groups: another backbone, and another arm where arms are
 * groups too. In the bootstrap over cells, thresholds are chosen anew in each draw.
 */
import type { BootstrapOptions, Interval } from '../../evaluate/significance/bootstrap-interval.ts';
import { badInput } from '../../util/errors.ts';
import { bootstrapCells } from './cell-bootstrap.ts';
import { areaUnderCurve, balancedAccuracy, type Confusion, confusionOf, type ValuedOutcome } from './discrimination.ts';
import { bestWindow, isOutside, type Window } from './healthy-range.ts';
import { heldOutGroups } from './held-out-groups.ts';

/** A cell. */
export interface PredictedCell extends ValuedOutcome {
  /** What must not be shared by cells that choose thresholds and cells that are judged; the first is the backbone. */
  readonly groups: readonly string[];
  /** Whether its head is larger than the backbone's, smaller, or neither: then it counts on both sides. */
  readonly side: 'larger' | 'smaller' | 'neither';
}

/** What cells with these groups were judged by. */
export interface JudgedGroup {
  readonly groups: readonly string[];
  /** Undefined where the others knew only one outcome: nothing is judged to collapse. */
  readonly window: Window | undefined;
  readonly confusion: Confusion;
}

/** A figure, judged. Undefined is what needs both outcomes and had one. */
export interface JudgedPredictor {
  readonly cells: number;
  /** That a larger value goes with collapse, among heads that are not smaller than the backbone's. */
  readonly areaLarger: Interval | undefined;
  /** That a smaller value does, among heads that are not larger. */
  readonly areaSmaller: Interval | undefined;
  readonly accuracy: Interval | undefined;
  readonly confusion: Confusion;
  readonly judged: readonly JudgedGroup[];
}

/**
 * Judges a figure.
 * @throws LexrayError BAD_INPUT when a value is not finite, or all cells are of one backbone
 */
export function judgePredictor(cells: readonly PredictedCell[], options: BootstrapOptions = {}): JudgedPredictor {
  if (!cells.every(({ value }) => Number.isFinite(value))) throw badInput('a predictor needs a finite value a cell');
  const backbones = [...new Set(cells.map(({ groups }) => groups[0]))];
  if (backbones.length < 2) throw badInput(`leaving one backbone out needs two, got ${backbones.length}`);
  const [areaLarger, areaSmaller, accuracy] = bootstrapCells(
    cells,
    [largerArea, smallerArea, heldOutAccuracy],
    options,
  );
  const judged = judgeHeldOut(cells);
  return {
    cells: cells.length,
    areaLarger,
    areaSmaller,
    accuracy,
    confusion: confusionOf(judged.flatMap(({ members }) => members)),
    judged: judged.map(({ groups, window, members }) => ({ groups, window, confusion: confusionOf(members) })),
  };
}

/**
 * Balanced accuracy of a rule that has no threshold to be chosen.
 * @returns undefined where only one outcome came
 */
export function judgeFixedRule(
  cells: readonly (Omit<PredictedCell, 'value'> & { readonly judged: boolean })[],
  options: BootstrapOptions = {},
): Interval | undefined {
  return bootstrapCells(cells, [(drawn) => balancedAccuracy(confusionOf(drawn))], options)[0];
}

function largerArea(cells: readonly PredictedCell[]): number | undefined {
  return areaUnderCurve(cells.filter(({ side }) => side !== 'smaller'));
}

function smallerArea(cells: readonly PredictedCell[]): number | undefined {
  const area = areaUnderCurve(cells.filter(({ side }) => side !== 'larger'));
  return area === undefined ? undefined : 1 - area;
}

function heldOutAccuracy(cells: readonly PredictedCell[]): number | undefined {
  return balancedAccuracy(confusionOf(judgeHeldOut(cells).flatMap(({ members }) => members)));
}

interface HeldOutGroup {
  readonly groups: readonly string[];
  readonly window: Window | undefined;
  readonly members: readonly (PredictedCell & { readonly judged: boolean })[];
}

/** Each combination of groups, judged by the window of the cells that share none of them. */
function judgeHeldOut(cells: readonly PredictedCell[]): HeldOutGroup[] {
  return heldOutGroups(cells).map(({ groups, members, others }) => {
    const window = bestWindow(others)?.window;
    return { groups, window, members: members.map((cell) => ({ ...cell, judged: isOutside(cell.value, window) })) };
  });
}

/**
 * Balanced accuracy of a figure's range from the cells that share no group with those that are judged.
 * @returns undefined where only one outcome came
 */
export function judgeHeldOutRange(
  cells: readonly PredictedCell[],
  options: BootstrapOptions = {},
): Interval | undefined {
  return bootstrapCells(cells, [heldOutAccuracy], options)[0];
}
