/**
 * What a measure is: a number between 0 and 1 that says how good the ranking of one query is.
 * Definitions are those of trec_eval (https://github.com/usnistgov/trec_eval), names those of ir_measures:
 * `nDCG@10`, `RR@10`, `R(rel=2)@1000`.
 */

/** The ranking of one query, seen through its judgements. */
export interface JudgedRanking {
  /** Grades of the returned documents, best first; undefined where a document is not judged. */
  readonly ranked: readonly (number | undefined)[];
  /** Grades of all judged documents of the query, returned or not. */
  readonly judged: readonly number[];
}

/** A measure with its parameters. */
export interface Measure {
  /** The name with parameters, as ir_measures prints it. */
  readonly name: string;
  /** The value for one query. */
  compute(ranking: JudgedRanking): number;
}

/** Parameters of a measure. */
export interface MeasureParameters {
  /** Only the first so many documents count: an integer of at least 1. @default all */
  readonly cutoff?: number | undefined;
  /** The lowest grade that is relevant: an integer of at least 1. @default 1 */
  readonly rel?: number | undefined;
}

/** A kind of measure, from which measures are made. */
export interface MeasureFamily {
  /** Its names, the one it is printed with first. */
  readonly names: readonly [string, ...string[]];
  /** One line that says what it measures. */
  readonly description: string;
  /** Whether `@k` must be given. */
  readonly needsCutoff: boolean;
  /** Whether `(rel=n)` may be given. */
  readonly takesRel: boolean;
  /** The value for one query; the cutoff is Infinity where none is given. */
  compute(ranking: JudgedRanking, cutoff: number, rel: number): number;
}

/** Number of judged documents of at least grade `rel`. */
export function countRelevant(judged: readonly number[], rel: number): number {
  let count = 0;
  for (const grade of judged) if (grade >= rel) count++;
  return count;
}

/** Number of relevant documents among the first `cutoff` of the ranking. */
export function countFound(ranked: readonly (number | undefined)[], cutoff: number, rel: number): number {
  const depth = Math.min(cutoff, ranked.length);
  let count = 0;
  for (let i = 0; i < depth; i++) {
    const grade = ranked[i];
    if (grade !== undefined && grade >= rel) count++;
  }
  return count;
}
