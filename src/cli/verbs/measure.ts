/** `lexray measure QRELS RUN MEASURE…`: the figures of a run, with trec_eval's rules and ir_measures' names. */
import { z } from 'zod';
import { formatFixed } from '../format.ts';
import { flag, text, words } from '../option.ts';
import { defineVerb, type Verb } from '../verb.ts';

/** What is measured when nothing is named. */
export const defaultMeasures: readonly string[] = ['nDCG@10', 'RR@10', 'R@100', 'Judged@10'];

export const measureVerb: Verb = defineVerb({
  name: 'measure',
  group: 'Evaluation:',
  summary: 'measure a run with relevance judgements',
  arguments: {
    qrels: text('judgements: TREC qrels or a BEIR .tsv', { placeholder: 'QRELS' }),
    run: text('TREC run', { placeholder: 'RUN' }),
    measures: words('nDCG@k, RR@k, R@k, P@k, AP, Judged@k; each also as NAME(rel=n)@k', {
      placeholder: 'MEASURE',
      default: defaultMeasures,
    }),
  },
  options: {
    perQuery: flag('also the figures of each query'),
    min: words('least value of a measure, or the exit code is 5; may be repeated', {
      placeholder: 'MEASURE=VALUE',
      default: [],
    }),
  },
  examples: [
    'lexray measure qrels/test.tsv run.trec nDCG@10 RR@10 R@1000',
    'lexray measure qrels.trec run.trec nDCG@10 --min nDCG@10=0.3',
  ],
  result: z.strictObject({
    qrels: z.string(),
    run: z.string(),
    /** Queries of the qrels, over which the means go. */
    queries: z.int(),
    missingQueries: z.int(),
    unjudgedQueries: z.int(),
    queriesWithoutRelevant: z.int(),
    /** Means by measure. */
    measures: z.record(z.string(), z.number()),
    /** Values by measure and qid; with `--per-query`. */
    perQuery: z.record(z.string(), z.record(z.string(), z.number())).optional(),
    gates: z.array(z.strictObject({ measure: z.string(), least: z.number(), passed: z.boolean() })),
  }),
  async run({ qrels: qrelsPath, run: runPath, measures, perQuery, min }, { onWarning }) {
    const [{ readQrels }, { readRun }, { evaluateRun }, { parseMeasure }, { missedGates, parseGates }] =
      await Promise.all([
        import('../../data/qrels.ts'),
        import('../../data/run.ts'),
        import('../../evaluate/evaluate-run.ts'),
        import('../../evaluate/measures/parse-measure.ts'),
        import('../gate.ts'),
      ]);
    const gates = parseGates(min);
    const wanted = [...measures, ...gates.map(({ measure }) => measure)].map(parseMeasure);
    const evaluation = evaluateRun(await readQrels(qrelsPath), await readRun(runPath), wanted, { onWarning });
    const { mean, perQuery: values } = evaluation;
    const lines = perQuery
      ? [...values].flatMap(([name, byQuery]) => [...byQuery].map(([qid, v]) => `${qid}\t${name}\t${formatFixed(v)}`))
      : [];
    for (const [name, value] of mean) lines.push(`${perQuery ? 'all\t' : ''}${name}\t${formatFixed(value)}`);
    const failure = missedGates(gates, mean);
    return {
      data: {
        qrels: qrelsPath,
        run: runPath,
        queries: evaluation.queries,
        missingQueries: evaluation.missingQueries.length,
        unjudgedQueries: evaluation.unjudgedQueries.length,
        queriesWithoutRelevant: evaluation.queriesWithoutRelevant.length,
        measures: Object.fromEntries(mean),
        ...(perQuery && {
          perQuery: Object.fromEntries([...values].map(([name, byQuery]) => [name, Object.fromEntries(byQuery)])),
        }),
        gates: gates.map((gate) => ({ ...gate, passed: mean.get(gate.measure)! >= gate.least })),
      },
      text: lines.join('\n'),
      ...(failure !== undefined && { failure }),
    };
  },
});
