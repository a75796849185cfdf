/**
 * A grid of prunings: `QUERY/DOCUMENT` a point, each side a number of terms, `all` (or 0), or strategies with their values as
 * `vectors/prune/parse-prune-strategy.ts` reads them: `7/20`, `all/mass=0.9`, `5/top-k=50+max-postings=1000`.
 */
import { LexrayError } from '../util/errors.ts';
import { parsePruneStrategies } from '../vectors/prune/parse-prune-strategy.ts';
import type { PruneStrategy } from '../vectors/prune/prune-strategy.ts';

/** One point of a grid. */
export interface GridPoint {
  readonly query: readonly PruneStrategy[];
  readonly document: readonly PruneStrategy[];
}

/** The prunings of arXiv 2605.01407: none, then ever stricter. */
export const defaultGrid: readonly string[] = ['0/0', '7/20', '5/20', '5/10'];

/**
 * Reads a point.
 * @throws LexrayError USAGE when it has not two sides, and as `parsePruneStrategies` does
 */
export function parseGridPoint(text: string): GridPoint {
  const sides = text.split('/');
  const [query, document] = sides;
  if (sides.length !== 2 || query === undefined || document === undefined) {
    throw new LexrayError('USAGE', `a point of the grid is QUERY/DOCUMENT, got ${JSON.stringify(text)}`, {
      cure: 'write for example 7/20, 0/0 or all/mass=0.9',
    });
  }
  return { query: parsePruneStrategies(query), document: parsePruneStrategies(document) };
}

/** Strategies as one text; `all` for none. */
export function strategiesLabel(strategies: readonly PruneStrategy[]): string {
  return strategies.length === 0 ? 'all' : strategies.map(({ label }) => label).join('+');
}
