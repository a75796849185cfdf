/** Answers many queries and collects a run. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Run } from '../data/run.ts';
import { badInput, LexrayError, throwIfAborted } from '../util/errors.ts';
import type { ProgressListener } from '../util/progress.ts';
import type { SparseVectors } from '../vectors/sparse-vectors.ts';
import type { Hit, Searcher } from './searcher.ts';

/** Options of {@link searchAll}. */
export interface SearchAllOptions {
  /** The most hits a query: an integer of at least 1. */
  readonly k: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/**
 * Searches for every query, in order. A query without hits is in the run, with an empty list.
 * @throws LexrayError as {@link Searcher.search} does, with the qid; INTERRUPTED when the signal fires
 */
export async function searchAll(
  searcher: Searcher,
  queries: SparseVectors,
  { k, signal, onProgress }: SearchAllOptions,
): Promise<Run> {
  const run: Run = new Map<string, readonly Hit[]>();
  let turn = performance.now();
  for (const { id, vector } of queries) {
    // Searching in this process never waits, so timers and signals get a turn of the event loop from here.
    if (performance.now() - turn > 20) {
      await nextTurn();
      turn = performance.now();
    }
    throwIfAborted(signal);
    try {
      run.set(id, await searcher.search(vector, { k, signal }));
    } catch (error) {
      throw withQuery(error, id);
    }
    onProgress?.({ phase: 'search', done: run.size, total: queries.length, unit: 'queries' });
  }
  return run;
}

function withQuery(error: unknown, qid: string): unknown {
  if (!(error instanceof LexrayError) || error.code !== 'BAD_INPUT' || error.where !== undefined) return error;
  const cure = error.cure === undefined ? {} : { cure: error.cure };
  return badInput(error.message, { where: `query ${JSON.stringify(qid)}`, cause: error, ...cure });
}
