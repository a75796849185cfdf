/** `lexray evaluate MODEL --data DIR`: encode, index, search and measure a BEIR collection in one go. */
import { z } from 'zod';
import type { BeirCollection } from '../../data/load-beir.ts';
import { checkOutput } from '../check-output.ts';
import { formatCount, formatDuration, formatFigure, formatFixed, formatTable } from '../format.ts';
import { missedGates, parseGates } from '../gate.ts';
import { loadEncoder } from '../load-encoder.ts';
import { modelDescription } from '../model-folder.ts';
import {
  flag,
  integer,
  optionalInteger,
  optionalText,
  text,
  textWithDefault,
  weightPrecision,
  words,
} from '../option.ts';
import { defineVerb, type Verb, type VerbContext } from '../verb.ts';
import { defaultMeasures } from './measure.ts';

const postings = z.strictObject({
  lists: z.int(),
  mean: z.number(),
  cv2: z.number(),
  p99: z.number(),
  largest: z.number(),
});

export const evaluateVerb: Verb = defineVerb({
  name: 'evaluate',
  group: 'Evaluation:',
  summary: 'encode, index, search and measure a collection in one go',
  arguments: { model: text(modelDescription, { placeholder: 'MODEL' }) },
  options: {
    data: text('BEIR folder: corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv', { placeholder: 'DIR' }),
    split: textWithDefault('which qrels', { default: 'test' }),
    k: integer('documents a query', { default: 1000, min: 1, max: 1_000_000 }),
    maxLength: optionalInteger('most tokens of a text, special tokens included (default: what the model records)', {
      min: 1,
    }),
    maxActiveDims: optionalInteger("keep only the heaviest terms of a vector (default: the model's own limit)", {
      min: 1,
    }),
    weights: weightPrecision(),
    measures: words('what to measure, separated by commas', { placeholder: 'MEASURES', default: defaultMeasures }),
    min: words('least value of a measure, or the exit code is 5; may be repeated', {
      placeholder: 'MEASURE=VALUE',
      default: [],
    }),
    dropSameId: flag('leave out the document whose docid is the qid (ArguAna, Quora)'),
    runOut: optionalText('also write the run to this file', { placeholder: 'FILE' }),
    force: flag('replace the run file if it exists'),
  },
  examples: [
    'lexray evaluate model --data scifact',
    'lexray evaluate model --data scifact --measures nDCG@10,R@1000 --run-out run.trec --json',
  ],
  result: z.strictObject({
    model: z.string(),
    data: z.string(),
    split: z.string(),
    documents: z.int(),
    queries: z.int(),
    k: z.int(),
    maxLength: z.strictObject({ query: z.int(), document: z.int() }),
    /** Means over the queries, by measure. */
    measures: z.record(z.string(), z.number()),
    /** Mean number of active dimensions. */
    activeDims: z.strictObject({ query: z.number(), document: z.number() }),
    zeroVectors: z.strictObject({ query: z.int(), document: z.int() }),
    /** Σ_t p_q(t)·p_d(t): mean number of terms that a query and a document share. */
    flops: z.number(),
    /** Lengths of the postings lists that are not empty. */
    postings,
    /** The same over all terms of the vocabulary. */
    postingsWithEmpty: postings,
    seconds: z.strictObject({
      load: z.number(),
      encodeDocuments: z.number(),
      encodeQueries: z.number(),
      index: z.number(),
      search: z.number(),
    }),
    gates: z.array(z.strictObject({ measure: z.string(), least: z.number(), passed: z.boolean() })),
    runOut: z.string().optional(),
  }),
  async run(settings, context) {
    const { model, data, split, k, maxActiveDims, measures, min, dropSameId, runOut } = settings;
    const { signal, onProgress, onWarning, force } = context;
    const [{ retrieve }, { evaluateRun }, { retrievalCost }, { parseMeasure }] = await Promise.all([
      import('../../model/retrieve.ts'),
      import('../../evaluate/evaluate-run.ts'),
      import('../../evaluate/retrieval-cost.ts'),
      import('../../evaluate/measures/parse-measure.ts'),
    ]);
    const gates = parseGates(min);
    const wanted = [...measures, ...gates.map(({ measure }) => measure)].map(parseMeasure);
    if (runOut !== undefined) await checkOutput(runOut, force);
    const collection = await openCollection(data, split, context);
    const start = performance.now();
    const encoder = await loadEncoder(model, settings.maxLength, context, undefined, settings.weights);
    try {
      const load = (performance.now() - start) / 1000;
      const retrieval = await retrieve(encoder, collection, { k, maxActiveDims, signal, onProgress });
      const { mean } = evaluateRun(collection.qrels, retrieval.run, wanted, { dropSameId, onWarning });
      const cost = retrievalCost(retrieval.queries, retrieval.documents);
      if (runOut !== undefined) {
        const { writeRun } = await import('../../data/run.ts');
        await writeRun(runOut, retrieval.run, { force });
      }
      const result = {
        model,
        data,
        split,
        documents: retrieval.documents.length,
        queries: retrieval.queries.length,
        k,
        maxLength: { ...encoder.policy.maxLength },
        measures: Object.fromEntries(mean),
        activeDims: { query: cost.queryActiveDims, document: cost.documentActiveDims },
        zeroVectors: { query: cost.emptyQueries, document: cost.emptyDocuments },
        flops: cost.flops,
        postings: cost.postings,
        postingsWithEmpty: cost.postingsWithEmpty,
        seconds: { load, ...retrieval.seconds },
        gates: gates.map((gate) => ({ ...gate, passed: mean.get(gate.measure)! >= gate.least })),
        ...(runOut !== undefined && { runOut }),
      };
      const failure = missedGates(gates, mean);
      return { data: result, text: describe(result), ...(failure !== undefined && { failure }) };
    } finally {
      await encoder.dispose();
    }
  },
  async forecast({ model, data, split, maxLength, maxActiveDims, weights }, context) {
    const [{ forecastEncoding }, { joinTitle }] = await Promise.all([
      import('../encoding-forecast.ts'),
      import('../../data/document.ts'),
    ]);
    const collection = await openCollection(data, split, context);
    const encoder = await loadEncoder(model, maxLength, context, undefined, weights);
    try {
      const { titleSeparator } = encoder.policy;
      async function* documents(): AsyncGenerator<string> {
        for await (const document of collection.documents()) yield joinTitle(document, titleSeparator);
      }
      const queries = collection.queries.map((query) => query.text);
      return await forecastEncoding(
        encoder,
        [
          { kind: 'document', texts: documents(), total: await collection.countDocuments() },
          { kind: 'query', texts: queries, total: queries.length },
        ],
        // The vectors themselves, the index, and the searcher's own copy.
        { maxActiveDims, copiesInMemory: 3, written: false, signal: context.signal },
      );
    } finally {
      await encoder.dispose();
    }
  },
});

async function openCollection(
  folder: string,
  split: string,
  { onWarning, signal }: VerbContext,
): Promise<BeirCollection> {
  const { loadBeir } = await import('../../data/load-beir.ts');
  return loadBeir(folder, { split, onWarning, signal });
}

interface Described {
  readonly documents: number;
  readonly queries: number;
  readonly measures: Readonly<Record<string, number>>;
  readonly activeDims: { readonly query: number; readonly document: number };
  readonly zeroVectors: { readonly query: number; readonly document: number };
  readonly flops: number;
  readonly postings: z.infer<typeof postings>;
  readonly seconds: Readonly<Record<'load' | 'encodeDocuments' | 'encodeQueries' | 'index' | 'search', number>>;
  readonly runOut?: string | undefined;
}

function describe(result: Described): string {
  const { activeDims, zeroVectors, postings: lists, seconds } = result;
  const zero = zeroVectors.query + zeroVectors.document;
  const rate = result.documents / Math.max(seconds.encodeDocuments, 1e-9);
  const rows = [
    ...Object.entries(result.measures).map(([name, value]) => [name, formatFixed(value)]),
    ['active dimensions', `${activeDims.query.toFixed(2)} a query, ${activeDims.document.toFixed(2)} a document`],
    ...(zero > 0 ? [['zero vectors', `${zeroVectors.query} queries, ${zeroVectors.document} documents`]] : []),
    ['FLOPS', formatFixed(result.flops, 3)],
    [
      'postings lists',
      `${formatCount(lists.lists)} terms, mean ${formatFigure(lists.mean)}, CV² ${formatFigure(lists.cv2)}, p99 ${formatCount(lists.p99)}, largest ${formatCount(lists.largest)}`,
    ],
    ['texts', `${formatCount(result.queries)} queries, ${formatCount(result.documents)} documents`],
    [
      'time',
      `load ${formatDuration(seconds.load)}, documents ${formatDuration(seconds.encodeDocuments)} (${formatFigure(rate)}/s), queries ${formatDuration(seconds.encodeQueries)}, index ${formatDuration(seconds.index)}, search ${formatDuration(seconds.search)}`,
    ],
    ...(result.runOut !== undefined ? [['run', result.runOut]] : []),
  ];
  return formatTable(rows, ['left', 'left']);
}
