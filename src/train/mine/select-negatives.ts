/**
 * Chooses the negatives of one pair of query and positive from what a search found. Ranks count from 1 in the order of the
 * scores, the positives of the query left out. Of the ranks in the window these are left out:
 *
 *     duplicates        the text of a positive, exactly or after normalisation, or that of the query, or of an earlier candidate
 *     false negatives   a score above `excludeAbove` times that of the positive (de Souza P. Moreira et al., NV-Retriever,
 *                       arXiv 2407.15831: TopK-PercPos)
 *
 * Of what remains, the first or a random sample is taken, in the order of ranks.
 */
import type { Random } from '../../util/random.ts';
import type { TextKey } from './text-keys.ts';

/** A document that was found. */
export interface Candidate {
  readonly docid: string;
  readonly score: number;
  readonly key: TextKey;
}

/** How negatives are chosen. */
export interface SelectionOptions {
  /** First and last rank, from 1. */
  readonly ranks: readonly [from: number, to: number];
  /** Negatives of a pair at most. */
  readonly count: number;
  /** Take the best ones, or a random sample. */
  readonly pick: 'random' | 'top';
  /** Share of the positive's score above which a document may be a positive nobody marked; undefined keeps all. */
  readonly excludeAbove: number | undefined;
}

/** What a query's negatives must not be. */
export interface Forbidden {
  readonly docids: ReadonlySet<string>;
  /** Keys of the positives. */
  readonly positives: readonly TextKey[];
  readonly query: TextKey;
}

/** How many candidates were left out, and why; how many pairs got fewer negatives than asked for. */
export interface MiningCounts {
  /** Positives among what was found, down to the last rank. */
  positives: number;
  exactDuplicates: number;
  normalizedDuplicates: number;
  /** Documents with the text of the query, or of a candidate of a better rank. */
  repeated: number;
  aboveMargin: number;
  /** Pairs with fewer negatives than asked for, those without any included. */
  short: number;
  /** Pairs without any. */
  none: number;
  /** Pairs whose positive has no score above 0, so that nothing can be told from it. */
  withoutScore: number;
}

/** Counts of nothing. */
export function noCounts(): MiningCounts {
  const zero = { positives: 0, exactDuplicates: 0, normalizedDuplicates: 0, repeated: 0, aboveMargin: 0 };
  return { ...zero, short: 0, none: 0, withoutScore: 0 };
}

/**
 * Chooses negatives.
 * @param found best first
 * @param positiveScore the score of the positive of this pair; undefined where it is not in the corpus
 */
export function selectNegatives(
  found: readonly Candidate[],
  forbidden: Forbidden,
  positiveScore: number | undefined,
  options: SelectionOptions,
  random: Random,
  counts: MiningCounts,
): Candidate[] {
  const [from, to] = options.ranks;
  const seen = new Set<number>([forbidden.query.normalized]);
  const exact = new Set(forbidden.positives.map((key) => key.exact));
  const normalized = new Set(forbidden.positives.map((key) => key.normalized));
  const limit = scoreLimit(positiveScore, options.excludeAbove, counts);
  const kept: Candidate[] = [];
  let rank = 0;
  for (const candidate of found) {
    if (forbidden.docids.has(candidate.docid)) {
      if (rank < to) counts.positives++;
      continue;
    }
    if (++rank > to) break;
    if (rank < from) continue;
    const { key, score } = candidate;
    if (exact.has(key.exact)) counts.exactDuplicates++;
    else if (normalized.has(key.normalized)) counts.normalizedDuplicates++;
    else if (seen.has(key.normalized)) counts.repeated++;
    else if (score > limit) counts.aboveMargin++;
    else {
      seen.add(key.normalized);
      kept.push(candidate);
    }
  }
  const chosen = options.pick === 'top' ? kept.slice(0, options.count) : sample(kept, options.count, random);
  if (chosen.length < options.count) counts.short++;
  if (chosen.length === 0) counts.none++;
  return chosen;
}

/** The highest score of a negative. A positive that the system does not find says nothing about the others. */
function scoreLimit(score: number | undefined, excludeAbove: number | undefined, counts: MiningCounts): number {
  if (excludeAbove === undefined) return Number.POSITIVE_INFINITY;
  if (score !== undefined && score > 0) return excludeAbove * score;
  counts.withoutScore++;
  return Number.NEGATIVE_INFINITY;
}

/** A random sample, in the order of the items. */
function sample<T>(items: readonly T[], count: number, random: Random): T[] {
  const places = Array.from(items.keys());
  const drawn: number[] = [];
  while (drawn.length < count && places.length > 0) drawn.push(...places.splice(random.integer(places.length), 1));
  return drawn.sort((a, b) => a - b).map((place) => items[place]!);
}
