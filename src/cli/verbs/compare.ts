/** `lexray compare QRELS RUN_A RUN_B MEASURE…`: is B better than A, by how much, and could it be chance? */
import { z } from 'zod';
import type { MeasureComparison } from '../../evaluate/compare-runs.ts';
import { formatFixed, formatTable } from '../format.ts';
import { decimal, flag, integer, text, words } from '../option.ts';
import { defineVerb, type Verb } from '../verb.ts';

const interval = z.strictObject({ mean: z.number(), low: z.number(), high: z.number(), confidence: z.number() });

const comparison = z.strictObject({
  measure: z.string(),
  a: interval,
  b: interval,
  /** B − A. */
  difference: interval,
  tTest: z.strictObject({
    /** Null where it is not a finite number. */
    statistic: z.number().nullable(),
    degreesOfFreedom: z.int(),
    pValue: z.number(),
    pHolm: z.number(),
  }),
  randomization: z.strictObject({
    pValue: z.number(),
    pHolm: z.number(),
    exact: z.boolean(),
    samples: z.number(),
  }),
  wins: z.int(),
  ties: z.int(),
  losses: z.int(),
  /** From B's largest loss to its largest gain; with `--per-query`. */
  perQuery: z
    .array(z.strictObject({ qid: z.string(), a: z.number(), b: z.number(), difference: z.number() }))
    .optional(),
});

export const compareVerb: Verb = defineVerb({
  name: 'compare',
  group: 'Evaluation:',
  summary: 'compare two runs: paired tests, intervals, queries won and lost',
  arguments: {
    qrels: text('judgements: TREC qrels or a BEIR .tsv', { placeholder: 'QRELS' }),
    runA: text('TREC run of the base line', { placeholder: 'RUN_A' }),
    runB: text('TREC run that may be better', { placeholder: 'RUN_B' }),
    measures: words('nDCG@k, RR@k, R@k, P@k, AP, Judged@k; each also as NAME(rel=n)@k', {
      placeholder: 'MEASURE',
      default: ['nDCG@10', 'RR@10', 'R@100'],
    }),
  },
  options: {
    perQuery: flag('also the difference of each query, from the largest loss to the largest gain'),
    samples: integer('draws of the randomisation test and of the bootstrap', { default: 10_000, min: 100, max: 1e7 }),
    confidence: decimal('share of the means that an interval holds', { default: 0.95, min: 0.5, max: 0.9999 }),
  },
  examples: ['lexray compare qrels/test.tsv bm25.trec splade.trec nDCG@10 RR@10'],
  result: z.strictObject({
    qrels: z.string(),
    runA: z.string(),
    runB: z.string(),
    queries: z.int(),
    seed: z.int(),
    measures: z.array(comparison),
  }),
  async run(settings, { seed, onWarning }) {
    const { qrels, runA, runB, measures, perQuery, samples, confidence } = settings;
    const [{ readQrels }, { readRun }, { compareRuns }, { parseMeasure }] = await Promise.all([
      import('../../data/qrels.ts'),
      import('../../data/run.ts'),
      import('../../evaluate/compare-runs.ts'),
      import('../../evaluate/measures/parse-measure.ts'),
    ]);
    const parsed = measures.map(parseMeasure);
    const [judgements, a, b] = [await readQrels(qrels), await readRun(runA), await readRun(runB)];
    const result = compareRuns(judgements, a, b, parsed, { seed, samples, confidence, onWarning });
    return {
      data: {
        qrels,
        runA,
        runB,
        queries: result.queries,
        seed,
        measures: result.measures.map(({ tTest, perQuery: queries, ...rest }) => ({
          ...rest,
          tTest: { ...tTest, statistic: Number.isFinite(tTest.statistic) ? tTest.statistic : null },
          ...(perQuery && { perQuery: [...queries] }),
        })),
      },
      text: [
        `A = ${runA}, B = ${runB}, ${result.queries} queries`,
        describe(result.measures),
        'p values are two-sided; those in parentheses are corrected by Holm over the measures',
        ...(perQuery ? ['', describeQueries(result.measures)] : []),
      ].join('\n'),
    };
  },
});

function describe(measures: readonly MeasureComparison[]): string {
  const share = `${formatPercent(measures[0]!.difference.confidence)} interval`;
  const header = ['measure', 'A', 'B', 'B − A', share, 'p randomisation', 'p t-test', 'won/tied/lost'];
  const rows = measures.map(({ measure, a, b, difference, randomization, tTest, wins, ties, losses }) => [
    measure,
    formatFixed(a.mean),
    formatFixed(b.mean),
    formatSigned(difference.mean),
    `[${formatSigned(difference.low)}, ${formatSigned(difference.high)}]`,
    `${formatFixed(randomization.pValue)} (${formatFixed(randomization.pHolm)})`,
    `${formatFixed(tTest.pValue)} (${formatFixed(tTest.pHolm)})`,
    `${wins}/${ties}/${losses}`,
  ]);
  return formatTable([header, ...rows]);
}

function describeQueries(measures: readonly MeasureComparison[]): string {
  const rows = measures.flatMap(({ measure, perQuery }) =>
    perQuery
      .filter(({ difference }) => difference !== 0)
      .map(({ qid, a, b, difference }) => [qid, measure, formatFixed(a), formatFixed(b), formatSigned(difference)]),
  );
  return formatTable([['qid', 'measure', 'A', 'B', 'B − A'], ...rows]);
}

function formatSigned(value: number): string {
  return `${value < 0 ? '−' : '+'}${formatFixed(Math.abs(value))}`;
}

function formatPercent(share: number): string {
  return `${Number((share * 100).toPrecision(4))} %`;
}
