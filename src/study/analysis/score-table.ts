/**
 * Scores of a cell of a study: one row a seed, one column a query. Seeds and queries are crossed: every run answers every
 * query. Everything in this folder is a pure function of such tables.
 */
import { badInput } from '../../util/errors.ts';

/** `scores[seed][query]`. Seeds of all tables of a study stand in the same order, and so do queries. */
export type ScoreTable = readonly (readonly number[])[];

/** A weighted sum of cells: +1 and −1 for a difference, ±½ for a main effect of a 2 × 2 design. */
export interface WeightedCell {
  readonly scores: ScoreTable;
  readonly weight: number;
}

/**
 * Combines cells seed by seed and query by query: the table of a contrast, whose mean is the effect.
 * @throws LexrayError BAD_INPUT when the cells have not the same seeds and queries
 */
export function contrastTable(cells: readonly WeightedCell[]): number[][] {
  const [first] = cells;
  if (first === undefined) throw badInput('a contrast needs at least one cell');
  const { seeds, queries } = checkScoreTable(first.scores);
  for (const { scores } of cells) {
    const shape = checkScoreTable(scores);
    if (shape.seeds !== seeds || shape.queries !== queries) {
      throw badInput(
        `cells of a contrast need the same seeds and queries, got ${shape.seeds} × ${shape.queries} and ${seeds} × ${queries}`,
        { cure: 'run the cell that is missing; a run that failed counts with the scores that it has' },
      );
    }
  }
  return Array.from({ length: seeds }, (_, s) =>
    Array.from({ length: queries }, (_, q) =>
      cells.reduce((sum, { scores, weight }) => sum + weight * scores[s]![q]!, 0),
    ),
  );
}

/**
 * Checks that a table is a rectangle of finite numbers.
 * @throws LexrayError BAD_INPUT
 */
export function checkScoreTable(scores: ScoreTable): { readonly seeds: number; readonly queries: number } {
  const queries = scores[0]?.length ?? 0;
  if (queries === 0) throw badInput('a table of scores needs at least one seed and one query');
  for (const [s, row] of scores.entries()) {
    if (row.length !== queries) throw badInput(`seed ${s} has ${row.length} queries, and seed 0 has ${queries}`);
    const misfit = row.findIndex((value) => !Number.isFinite(value));
    if (misfit !== -1) throw badInput(`the score of seed ${s}, query ${misfit} is ${row[misfit]}`);
  }
  return { seeds: scores.length, queries };
}

/** The mean over queries of each seed. */
export function seedMeans(scores: ScoreTable): number[] {
  return scores.map((row) => row.reduce((sum, value) => sum + value, 0) / row.length);
}
