/**
 * Analysis of variance of a table with one value for each seed and query, both drawn from populations:
 *
 *     d_sq = μ + a_s + b_q + e_sq
 *
 *     M_A = Q·Σ(d̄_s − d̄)² / (S − 1)      E = Q·σ_a² + σ_e²
 *     M_B = S·Σ(d̄_q − d̄)² / (Q − 1)      E = S·σ_b² + σ_e²
 *     M_E = Σ(d_sq − d̄_s − d̄_q + d̄)² / ((S − 1)(Q − 1))      E = σ_e²
 *
 * Searle, Casella and McCulloch, "Variance Components", 1992, chapter 4: the two-way crossed classification without
 * interaction, here with the interaction as the residual.
 */
import { badInput } from '../../util/errors.ts';
import { checkScoreTable, type ScoreTable, seedMeans } from './score-table.ts';

/** Variances of the parts of a table. */
export interface VarianceComponents {
  /** σ_a²: between seeds, the same for all queries. */
  readonly seed: number;
  /** σ_b²: between queries, the same for all seeds. */
  readonly query: number;
  /** σ_e²: what is left. */
  readonly residual: number;
}

/** Mean squares of a table, and what they estimate. */
export interface MeanSquares {
  readonly mean: number;
  readonly seeds: number;
  readonly queries: number;
  readonly seed: number;
  readonly query: number;
  readonly residual: number;
  /** Estimates, none below 0. */
  readonly components: VarianceComponents;
}

/**
 * Computes the mean squares.
 * @throws LexrayError BAD_INPUT when there are fewer than two seeds or queries, or the table is none
 */
export function meanSquares(scores: ScoreTable): MeanSquares {
  const { seeds, queries } = checkScoreTable(scores);
  if (seeds < 2 || queries < 2) {
    throw badInput(`variances between seeds and queries need two of each, got ${seeds} seeds and ${queries} queries`);
  }
  const bySeed = seedMeans(scores);
  const mean = bySeed.reduce((sum, value) => sum + value, 0) / seeds;
  const byQuery = Array.from({ length: queries }, (_, q) => scores.reduce((sum, row) => sum + row[q]!, 0) / seeds);
  const squares = (values: readonly number[]): number => values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  let rest = 0;
  for (const [s, row] of scores.entries()) {
    for (const [q, value] of row.entries()) rest += (value - bySeed[s]! - byQuery[q]! + mean) ** 2;
  }
  const seed = (queries * squares(bySeed)) / (seeds - 1);
  const query = (seeds * squares(byQuery)) / (queries - 1);
  const residual = rest / ((seeds - 1) * (queries - 1));
  return {
    mean,
    seeds,
    queries,
    seed,
    query,
    residual,
    components: {
      seed: Math.max(0, seed - residual) / queries,
      query: Math.max(0, query - residual) / seeds,
      residual,
    },
  };
}
