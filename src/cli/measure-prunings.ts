/** What `lexray prune --grid` does: reads or encodes a collection, measures its frontier, and writes it out. */
import { existsSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { CostAxis, Frontier } from '../evaluate/frontier.ts';
import type { PostingsCost } from '../evaluate/retrieval-cost.ts';
import type { EqualCostRow, PointSummary } from '../evaluate/summarise-frontier.ts';
import type { FrontierInput } from '../study/measure-frontier.ts';
import { LexrayError } from '../util/errors.ts';
import { checkOutput } from './check-output.ts';
import type { VerbContext, VerbResult } from './verb.ts';

/** Settings of a measurement, as the verb has them. */
export interface PruningSettings {
  readonly grid: readonly string[];
  readonly data: string | undefined;
  readonly split: string;
  readonly model: string | undefined;
  readonly maxLength: number | undefined;
  readonly queries: string | undefined;
  readonly documents: string | undefined;
  readonly qrels: string | undefined;
  readonly measures: readonly string[];
  readonly k: number;
  readonly passes: number;
  readonly samples: number;
  readonly allowOtherModel: boolean;
  readonly dropSameId: boolean;
  readonly label: string | undefined;
  readonly baseline: string | undefined;
  readonly equal: CostAxis;
}

const interval = z.strictObject({ mean: z.number(), low: z.number(), high: z.number(), confidence: z.number() });
const postings = z.strictObject({
  lists: z.int(),
  mean: z.number(),
  cv2: z.number(),
  p99: z.number(),
  largest: z.number(),
});

/** The object that `--json` prints. */
export type FrontierResult = {
  label: string;
  documents: number;
  queries: number;
  k: number;
  points: (Omit<PointSummary, 'cost'> & {
    flops: number;
    activeDims: { query: number; document: number };
    zeroVectors: { query: number; document: number };
    /** Lengths of the postings lists that are not empty. */
    postings: PostingsCost;
    /** The same over all terms of the vocabulary. */
    postingsWithEmpty: PostingsCost;
  })[];
  /** Curves at the cost of points of others. */
  equalCost: EqualCostRow[];
  output?: string | undefined;
};

/** Schema of {@link FrontierResult}. */
export const frontierResult: z.ZodType<FrontierResult> = z.strictObject({
  label: z.string(),
  documents: z.int(),
  queries: z.int(),
  k: z.int(),
  points: z.array(
    z.strictObject({
      name: z.string(),
      query: z.string(),
      document: z.string(),
      measures: z.record(z.string(), interval),
      /** Paired differences to the first point. */
      differences: z.record(z.string(), interval).optional(),
      flops: z.number(),
      activeDims: z.strictObject({ query: z.number(), document: z.number() }),
      zeroVectors: z.strictObject({ query: z.int(), document: z.int() }),
      /** Lengths of the postings lists that are not empty. */
      postings,
      /** The same over all terms of the vocabulary. */
      postingsWithEmpty: postings,
      indexBytes: z.number(),
      postingsTouched: z.strictObject({ mean: z.number(), median: z.number(), p99: z.number() }),
      /** Of a query, on this machine; noisy. */
      milliseconds: z.strictObject({ median: z.number(), p99: z.number() }),
    }),
  ),
  /** Curves at the cost of points of others. */
  equalCost: z.array(
    z.strictObject({
      measure: z.string(),
      axis: z.enum(['flops', 'bytes']),
      curve: z.string(),
      point: z.string(),
      cost: z.number(),
      range: z.tuple([z.number(), z.number()]),
      /** Missing where the cost lies outside the curve, which is not extrapolated. */
      comparison: z
        .strictObject({ cost: z.number(), a: interval, b: interval, difference: interval, outside: z.number() })
        .optional(),
    }),
  ),
  output: z.string().optional(),
});

/** Measures every point of the grid. */
export async function measurePrunings(
  settings: PruningSettings,
  context: VerbContext,
): Promise<VerbResult<FrontierResult>> {
  const { output, force, seed, config, signal, onProgress, onWarning } = context;
  if (output !== '') await checkOutput(output, force);
  const [
    grids,
    { measureFrontier },
    folders,
    summaries,
    { parseMeasure },
    report,
    tables,
    { textTable },
    { toolName },
  ] = await Promise.all([
    import('../study/pruning-grid.ts'),
    import('../study/measure-frontier.ts'),
    import('../study/frontier-folder.ts'),
    import('../evaluate/summarise-frontier.ts'),
    import('../evaluate/measures/parse-measure.ts'),
    import('../report/frontier-report.ts'),
    import('../report/frontier-tables.ts'),
    import('../report/markdown-table.ts'),
    import('../util/version.ts'),
  ]);
  const points = settings.grid.flatMap((text) => (text === 'default' ? grids.defaultGrid : [text]));
  const grid = points.map(grids.parseGridPoint);
  const measures = settings.measures.map(parseMeasure);
  const baseline = settings.baseline === undefined ? undefined : await folders.readFrontier(settings.baseline);
  const { input, parents } = await openInput(settings, context);
  const { k, passes, samples, dropSameId, equal: axis } = settings;
  const options = { grid, measures, k, passes, dropSameId, signal, onProgress, onWarning };
  const frontier: Frontier = await measureFrontier(input, options);
  const summary = summaries.summariseFrontier(frontier, { seed, samples });
  const equalCost = [
    ...summaries.compareFamilies(frontier, { seed, samples, axis }),
    ...(baseline ? summaries.compareFrontiers(frontier, baseline, { seed, samples, axis }) : []),
  ];
  const data = {
    frontier,
    summary,
    baseline,
    equalCost,
    machine: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} threads, Node ${process.versions.node}`,
    tool: toolName,
    created: new Date().toISOString(),
  };
  if (output !== '') {
    const html = report.frontierReport(data);
    const markdown = report.frontierMarkdown(data);
    await folders.writeFrontier(output, frontier, { config, parents, seed, markdown, html, force });
  }
  const shown = [
    tables.effectivenessTable(summary),
    ...(equalCost.length > 0 ? [tables.equalCostTable(equalCost)] : []),
    tables.costTable(summary),
  ];
  return {
    data: resultOf(frontier, summary, equalCost, output),
    text: [
      ...shown.map((table) => `${table.caption}\n${textTable(table)}`),
      `latencies are those of this machine, one query at a time on one thread, and noisy`,
      ...(output === '' ? [] : [`wrote ${output}: frontier.html, frontier.md, frontier.json`]),
    ].join('\n'),
  };
}

function resultOf(
  frontier: Frontier,
  summary: readonly PointSummary[],
  equalCost: readonly EqualCostRow[],
  output: string,
): FrontierResult {
  return {
    label: frontier.label,
    documents: frontier.documents,
    queries: frontier.qids.length,
    k: frontier.k,
    points: summary.map(({ cost, ...point }) => ({
      ...point,
      flops: cost.flops,
      activeDims: { query: cost.queryActiveDims, document: cost.documentActiveDims },
      zeroVectors: { query: cost.emptyQueries, document: cost.emptyDocuments },
      postings: cost.postings,
      postingsWithEmpty: cost.postingsWithEmpty,
    })),
    equalCost: [...equalCost],
    ...(output !== '' && { output }),
  };
}

/** The vectors and judgements: given as folders, or encoded from a collection. */
async function openInput(
  settings: PruningSettings,
  context: VerbContext,
): Promise<{ input: FrontierInput; parents: Record<string, string> }> {
  const { data, model, queries, documents, qrels, label, allowOtherModel } = settings;
  if (data !== undefined && model !== undefined && queries === undefined && documents === undefined) {
    return encodeInput(data, model, settings, context);
  }
  if (queries === undefined || documents === undefined || qrels === undefined || model !== undefined) {
    throw new LexrayError('USAGE', '--grid needs a collection', {
      cure: 'give --data DIR --model MODEL, or --queries VECTORS --documents VECTORS --qrels FILE',
    });
  }
  const { signal } = context;
  const [{ readVectors, readVectorsManifest }, { checkEncoders }, { readQrels }, manifests] = await Promise.all([
    import('../vectors/read-vectors.ts'),
    import('./check-encoders.ts'),
    import('../data/qrels.ts'),
    import('../util/manifest.ts'),
  ]);
  const { hashFile, manifestFileName } = manifests;
  if (!allowOtherModel) {
    checkEncoders(await readVectorsManifest(queries), await readVectorsManifest(documents), queries);
  }
  return {
    input: {
      label: label ?? documents,
      queries: await readVectors(queries, { signal }),
      documents: await readVectors(documents, { signal }),
      qrels: await readQrels(qrels),
    },
    parents: {
      queries: await hashFile(join(queries, manifestFileName)),
      documents: await hashFile(join(documents, manifestFileName)),
      qrels: await hashFile(qrels),
    },
  };
}

async function encodeInput(
  data: string,
  model: string,
  { split, maxLength, label }: PruningSettings,
  context: VerbContext,
): Promise<{ input: FrontierInput; parents: Record<string, string> }> {
  const { signal, onProgress, onWarning } = context;
  const [{ loadBeir }, { loadEncoder }, { modelFolder }, { modelParents }, { encodeCollection }, { hashFile }] =
    await Promise.all([
      import('../data/load-beir.ts'),
      import('./load-encoder.ts'),
      import('./model-folder.ts'),
      import('./model-parents.ts'),
      import('../model/retrieve.ts'),
      import('../util/manifest.ts'),
    ]);
  const collection = await loadBeir(data, { split, onWarning, signal });
  const folder = await modelFolder(model, context);
  const encoder = await loadEncoder(folder, maxLength, context);
  const parents = await modelParents(folder);
  try {
    const { queries, documents } = await encodeCollection(encoder, collection, { signal, onProgress });
    for (const name of ['corpus.jsonl', 'queries.jsonl', `qrels/${split}.tsv`]) {
      const path = [join(data, name), join(data, `${name}.gz`)].find((candidate) => existsSync(candidate));
      if (path !== undefined) parents[`data/${name}`] = await hashFile(path);
    }
    return { input: { label: label ?? model, queries, documents, qrels: collection.qrels }, parents };
  } finally {
    await encoder.dispose();
  }
}
