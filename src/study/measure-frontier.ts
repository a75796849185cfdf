/**
 * Measures a frontier: prunes queries and documents to each point of a grid, indexes, searches exhaustively, and measures
 * what comes out and what it costs.
 *
 * Latency is that of the exact searcher of this process for one query at a time, on one thread; of each query the median of
 * several passes after a first one that is not counted. Other work on the machine shows in it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Qrels } from '../data/qrels.ts';
import { evaluateRun } from '../evaluate/evaluate-run.ts';
import type { Frontier, FrontierPoint } from '../evaluate/frontier.ts';
import type { Measure } from '../evaluate/measures/measure.ts';
import { retrievalCost } from '../evaluate/retrieval-cost.ts';
import { buildIndex } from '../search/inverted-index.ts';
import { searchAll } from '../search/search-all.ts';
import type { Searcher } from '../search/searcher.ts';
import { ExactSearcher } from '../search/searchers/exact.ts';
import { badInput, LexrayError, throwIfAborted } from '../util/errors.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import { pruneVectors } from '../vectors/prune/parse-prune-strategy.ts';
import { SparseVectors } from '../vectors/sparse-vectors.ts';
import { documentFrequency } from '../vectors/statistics.ts';
import { type GridPoint, strategiesLabel } from './pruning-grid.ts';

/** What is measured. */
export interface FrontierInput {
  /** Names the system. */
  readonly label: string;
  readonly queries: SparseVectors;
  readonly documents: SparseVectors;
  readonly qrels: Qrels;
}

/** Options of {@link measureFrontier}. */
export interface FrontierOptions {
  readonly grid: readonly GridPoint[];
  /** Measures, or their names. */
  readonly measures: readonly (Measure | string)[];
  /** Hits a query. @default 1000 */
  readonly k?: number | undefined;
  /** Passes over the queries whose time is taken. @default 3 */
  readonly passes?: number | undefined;
  /** Leave out the document whose docid is the qid. @default false */
  readonly dropSameId?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/**
 * Measures every point of a grid. The queries are those that are judged and have a vector.
 * @throws LexrayError BAD_INPUT when no query is, or the vocabularies differ; USAGE for an empty grid
 */
export async function measureFrontier(input: FrontierInput, options: FrontierOptions): Promise<Frontier> {
  const { grid, measures, k = 1000, passes = 3, dropSameId, signal, onProgress, onWarning } = options;
  if (grid.length === 0) throw new LexrayError('USAGE', 'the grid has no point');
  const { documents, qrels: allQrels, label } = input;
  const queries = judgedQueries(input.queries, allQrels, onWarning);
  const qrels: Qrels = new Map(queries.ids.map((qid) => [qid, allQrels.get(qid)!]));
  const points: FrontierPoint[] = [];
  for (const [i, { query, document }] of grid.entries()) {
    throwIfAborted(signal);
    onProgress?.({ phase: 'measure prunings', done: i, total: grid.length, unit: 'points' });
    const prunedQueries = pruneVectors(queries, query);
    const prunedDocuments = pruneVectors(documents, document);
    const cost = retrievalCost(prunedQueries, prunedDocuments);
    const searcher = new ExactSearcher(buildIndex(prunedDocuments));
    try {
      const run = await searchAll(searcher, prunedQueries, { k, signal });
      const milliseconds = await timeQueries(searcher, prunedQueries, { k, passes, signal });
      const { perQuery } = evaluateRun(qrels, run, measures, { dropSameId });
      points.push({
        query: strategiesLabel(query),
        document: strategiesLabel(document),
        cost,
        indexBytes: 8 * prunedDocuments.indices.length + 8 * (prunedDocuments.dimensions + 1),
        postingsTouched: postingsTouched(prunedQueries, prunedDocuments),
        milliseconds,
        measures: Object.fromEntries([...perQuery].map(([name, values]) => [name, [...values.values()]])),
      });
    } finally {
      await searcher.dispose();
    }
  }
  onProgress?.({ phase: 'measure prunings', done: grid.length, total: grid.length, unit: 'points' });
  return { label, documents: documents.length, dimensions: documents.dimensions, qids: queries.ids, k, points };
}

/** Query vectors that have judgements, in the order of the vectors. */
function judgedQueries(vectors: SparseVectors, qrels: Qrels, onWarning: WarningListener | undefined): SparseVectors {
  const rows = vectors.ids.flatMap((id, row) => (qrels.has(id) ? [row] : []));
  if (rows.length === 0) {
    throw badInput('no query vector has a judgement', { cure: 'give the qrels of these queries' });
  }
  const missing = qrels.size - rows.length;
  if (missing > 0) onWarning?.(`${missing} of ${qrels.size} judged queries have no vector and are left out`);
  const unjudged = vectors.length - rows.length;
  if (unjudged > 0) onWarning?.(`${unjudged} of ${vectors.length} query vectors have no judgements and are left out`);
  return SparseVectors.fromRows(
    rows.map((row) => vectors.ids[row]!),
    rows.map((row) => vectors.row(row)),
    vectors.dimensions,
  );
}

/** The sum of the lengths of the postings lists of each query's terms. */
function postingsTouched(queries: SparseVectors, documents: SparseVectors): number[] {
  const lengths = documentFrequency(documents);
  return Array.from(queries, ({ vector }) => vector.indices.reduce((sum, term) => sum + lengths[term]!, 0));
}

/** Milliseconds of each query: the median over the passes. */
async function timeQueries(
  searcher: Searcher,
  queries: SparseVectors,
  { k, passes, signal }: { readonly k: number; readonly passes: number; readonly signal: AbortSignal | undefined },
): Promise<number[]> {
  const times: number[][] = queries.ids.map(() => []);
  for (let pass = 0; pass < passes; pass++) {
    for (let row = 0; row < queries.length; row++) {
      if (row % 64 === 0) {
        await nextTurn();
        throwIfAborted(signal);
      }
      const vector = queries.row(row);
      const start = performance.now();
      await searcher.search(vector, { k });
      times[row]!.push(performance.now() - start);
    }
  }
  return times.map((each) => each.sort((a, b) => a - b)[Math.floor((each.length - 1) / 2)] ?? 0);
}
