/** Remembers what was seen of a cache, so that calibrations of one head that look at the same factors share the work. */
import { withActiveTerms } from './active-terms.ts';
import type { Correction } from './correction.ts';
import type { EncodingCache } from './encoding-cache.ts';
import { observeScores, type ScoreFigures } from './observed.ts';

export class SeenScores {
  readonly #scores = new Map<EncodingCache, Map<string, ScoreFigures>>();
  readonly #active = new Map<EncodingCache, Map<string, EncodingCache>>();

  /** The scores of unrelated texts. */
  scores(cache: EncodingCache, correction: Correction): ScoreFigures {
    const { arm, factor, shift } = correction;
    return remembered(this.#scores, cache, `${arm} ${factor} ${shift}`, () => observeScores(cache, correction));
  }

  /** The terms that a correction can make active, whatever its factor; see `active-terms.ts`. */
  activeTerms(cache: EncodingCache, correction: Correction): EncodingCache {
    const { arm, shift } = correction;
    return remembered(this.#active, cache, `${arm} ${shift}`, () => withActiveTerms(cache, correction));
  }
}

function remembered<T>(
  memory: Map<EncodingCache, Map<string, T>>,
  cache: EncodingCache,
  key: string,
  make: () => T,
): T {
  const known = memory.get(cache) ?? new Map<string, T>();
  memory.set(cache, known);
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}
