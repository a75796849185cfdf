/**
 * Compares two runs on the same queries: is B better than A, by how much, and could it be chance? For each measure the
 * means, the paired difference B − A with its bootstrap interval, two tests (Fisher's randomisation and Student's t) with p
 * values raw and corrected by Holm over the measures, and the queries won and lost.
 *
 * Per-query evaluation is that of `evaluate-run.ts`: the queries are those of the qrels, one that a run lacks counts 0.
 */
import type { Qrels } from '../data/qrels.ts';
import type { Run } from '../data/run.ts';
import { type EvaluateOptions, type Evaluation, evaluateRun } from './evaluate-run.ts';
import type { Measure } from './measures/measure.ts';
import { bootstrapInterval, type Interval } from './significance/bootstrap-interval.ts';
import { holm } from './significance/holm.ts';
import { pairedTTest, type TTest } from './significance/paired-t-test.ts';
import { type RandomizationTest, randomizationTest } from './significance/randomization-test.ts';

/** The values of one query in both runs. */
export interface QueryDifference {
  readonly qid: string;
  readonly a: number;
  readonly b: number;
  /** b − a */
  readonly difference: number;
}

/** What one measure says of two runs. */
export interface MeasureComparison {
  /** Name of the measure. */
  readonly measure: string;
  readonly a: Interval;
  readonly b: Interval;
  /** Mean of B − A, and its interval. */
  readonly difference: Interval;
  readonly tTest: TTest & { readonly pHolm: number };
  readonly randomization: RandomizationTest & { readonly pHolm: number };
  /** Queries where B is better, equal (to 1e-12), and worse. */
  readonly wins: number;
  readonly ties: number;
  readonly losses: number;
  /** Every query, from B's largest loss to its largest gain; equal ones by qid. */
  readonly perQuery: readonly QueryDifference[];
}

/** Comparison of run B with run A. */
export interface Comparison {
  /** Number of queries: those of the qrels. */
  readonly queries: number;
  /** One a measure, in the order given. */
  readonly measures: readonly MeasureComparison[];
}

/** Options of {@link compareRuns}. */
export interface CompareOptions extends EvaluateOptions {
  /** Of the randomisation test and the bootstrap; the same seed gives the same figures. @default 0 */
  readonly seed?: number | undefined;
  /** Sign assignments of the randomisation test, and resamples of the bootstrap. @default 10000 */
  readonly samples?: number | undefined;
  /** Of the intervals. @default 0.95 */
  readonly confidence?: number | undefined;
}

/** Differences this small are rounding. */
const equal = 1e-12;

/**
 * Compares run B with run A; a positive difference says that B is better.
 * @param measures measures, or their names
 * @throws LexrayError as `evaluateRun` does
 */
export function compareRuns(
  qrels: Qrels,
  runA: Run,
  runB: Run,
  measures: readonly (Measure | string)[],
  options: CompareOptions = {},
): Comparison {
  const evaluationA = evaluateRun(qrels, runA, measures, tellWhich('run A', options));
  const evaluationB = evaluateRun(qrels, runB, measures, tellWhich('run B', options));
  const raw = [...evaluationA.perQuery.keys()].map((name) => compareMeasure(name, evaluationA, evaluationB, options));
  const tTests = holm(raw.map(({ tTest }) => tTest.pValue));
  const randomizations = holm(raw.map(({ randomization }) => randomization.pValue));
  return {
    queries: qrels.size,
    measures: raw.map((comparison, i) => ({
      ...comparison,
      tTest: { ...comparison.tTest, pHolm: tTests[i]! },
      randomization: { ...comparison.randomization, pHolm: randomizations[i]! },
    })),
  };
}

type RawComparison = Omit<MeasureComparison, 'tTest' | 'randomization'> & {
  readonly tTest: TTest;
  readonly randomization: RandomizationTest;
};

function compareMeasure(
  measure: string,
  evaluationA: Evaluation,
  evaluationB: Evaluation,
  options: CompareOptions,
): RawComparison {
  const valuesB = evaluationB.perQuery.get(measure)!;
  const perQuery = [...evaluationA.perQuery.get(measure)!].map(([qid, a]): QueryDifference => {
    const b = valuesB.get(qid)!;
    return { qid, a, b, difference: Math.abs(b - a) <= equal ? 0 : b - a };
  });
  const differences = perQuery.map(({ difference }) => difference);
  return {
    measure,
    a: bootstrapInterval(
      perQuery.map(({ a }) => a),
      options,
    ),
    b: bootstrapInterval(
      perQuery.map(({ b }) => b),
      options,
    ),
    difference: bootstrapInterval(differences, options),
    tTest: pairedTTest(differences),
    randomization: randomizationTest(differences, options),
    wins: differences.filter((difference) => difference > 0).length,
    ties: differences.filter((difference) => difference === 0).length,
    losses: differences.filter((difference) => difference < 0).length,
    perQuery: perQuery.sort((x, y) => x.difference - y.difference || (x.qid < y.qid ? -1 : 1)),
  };
}

function tellWhich(run: string, { dropSameId, onWarning }: EvaluateOptions): EvaluateOptions {
  return { dropSameId, onWarning: onWarning && ((message) => onWarning(`${run}: ${message}`)) };
}
