/** Measures a model on a dev collection while it is being trained. */

import type { Document } from '../data/document.ts';
import type { BeirCollection } from '../data/load-beir.ts';
import { evaluateRun } from '../evaluate/evaluate-run.ts';
import { retrievalCost } from '../evaluate/retrieval-cost.ts';
import { retrieve } from '../model/retrieve.ts';
import type { SparseEncoder } from '../model/sparse-encoder.ts';
import { Random } from '../util/random.ts';

/** What an evaluation found. */
export interface DevResult {
  /** Means by measure name. */
  readonly measures: ReadonlyMap<string, number>;
  readonly queryActiveDims: number;
  readonly documentActiveDims: number;
  readonly flops: number;
}

/** Evaluates an encoder on a collection, to the depth that the measures look at. */
export async function evaluateOnDev(
  encoder: SparseEncoder,
  collection: BeirCollection,
  measures: readonly string[],
  signal?: AbortSignal,
): Promise<DevResult> {
  const k = Math.max(...measures.map((name) => Number(/@(\d+)$/.exec(name)?.[1] ?? 1000)));
  const { run, queries, documents } = await retrieve(encoder, collection, { k, signal });
  const { mean } = evaluateRun(collection.qrels, run, measures);
  const { queryActiveDims, documentActiveDims, flops } = retrievalCost(queries, documents);
  return { measures: mean, queryActiveDims, documentActiveDims, flops };
}

/**
 * A collection with at most `size` documents: the judged ones, and a seeded sample of the others. Measures come out
 * higher than on the whole collection; they serve to compare steps of a run (Hofstätter et al., arXiv 2104.06967).
 */
export async function sampleCollection(
  collection: BeirCollection,
  size: number,
  seed: number,
): Promise<BeirCollection> {
  const judged = new Set([...collection.qrels.values()].flatMap((grades) => [...grades.keys()]));
  const kept: Document[] = [];
  const others: Document[] = [];
  for await (const document of collection.documents()) (judged.has(document.docid) ? kept : others).push(document);
  new Random(seed).shuffle(others);
  kept.push(...others.slice(0, Math.max(0, size - kept.length)));
  return {
    ...collection,
    name: collection.name,
    documentCount: kept.length,
    async *documents() {
      yield* kept;
    },
    countDocuments: async () => kept.length,
  };
}
