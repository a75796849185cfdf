/**
 * The terms that matter to a search over factors: a term that no text activates at any factor adds nothing to a score. A
 * cache of the others gives the same scores, and is often much smaller.
 */
import type { Correction } from './correction.ts';
import type { EncodingCache } from './encoding-cache.ts';

/**
 * A cache of the terms that a correction can make active, whatever its factor. Only scores may be asked of it: terms have
 * other numbers, and the token-level histograms are those of all terms.
 */
export function withActiveTerms(cache: EncodingCache, { arm, shift }: Correction): EncodingCache {
  const { vocabularySize, bias } = cache;
  const largest = new Float32Array(vocabularySize).fill(Number.NEGATIVE_INFINITY);
  for (const u of [...cache.pooled, ...cache.pairs.flat()]) {
    for (let v = 0; v < vocabularySize; v++) if (u[v]! > largest[v]!) largest[v] = u[v]!;
  }
  const kept: number[] = [];
  for (let v = 0; v < vocabularySize; v++) {
    if (cache.dropped.has(v)) continue;
    const [u, b] = [largest[v]!, bias[v]!];
    // The sums are those of `correctLogits`, so that rounding decides alike.
    if (arm === 'B' ? u > 0 || b > 0 : u + (arm === 'D' ? b - shift : b) > 0) kept.push(v);
  }
  if (kept.length > 0.8 * vocabularySize) return cache;
  const choose = (values: Float32Array): Float32Array => {
    const chosen = new Float32Array(kept.length);
    for (let i = 0; i < kept.length; i++) chosen[i] = values[kept[i]!]!;
    return chosen;
  };
  return {
    ...cache,
    vocabularySize: kept.length,
    bias: choose(bias),
    relativeNorms: choose(cache.relativeNorms),
    pooled: cache.pooled.map(choose),
    pairs: cache.pairs.map(([query, document]) => [choose(query), choose(document)] as const),
    dropped: new Set(),
  };
}
