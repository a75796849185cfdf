/** The systems that the demo compares, each ready to answer a text: the trained model, and BM25 with and without stemming. */
import { cpus } from 'node:os';
import type { Document } from '../data/document.ts';
import type { BeirCollection } from '../data/load-beir.ts';
import type { Run } from '../data/run.ts';
import { retrievalCost } from '../evaluate/retrieval-cost.ts';
import { retrieve } from '../model/retrieve.ts';
import type { SparseEncoder } from '../model/sparse-encoder.ts';
import { Bm25 } from '../search/bm25.ts';
import { buildIndex, type InvertedIndex } from '../search/inverted-index.ts';
import { searchAll } from '../search/search-all.ts';
import type { Hit } from '../search/searcher.ts';
import { ExactSearcher } from '../search/searchers/exact.ts';
import type { ProgressListener } from '../util/progress.ts';
import type { SparseVector } from '../vectors/sparse-vector.ts';
import { SparseVectors } from '../vectors/sparse-vectors.ts';

/** A retrieval system over the demo's documents. */
export interface DemoSearchSystem {
  readonly name: string;
  readonly run: Run;
  readonly index: InvertedIndex;
  readonly queries: SparseVectors;
  readonly documents: SparseVectors;
  readonly cost: ReturnType<typeof retrievalCost>;
  search(text: string, k: number): Promise<readonly Hit[]>;
  dispose(): Promise<void>;
}

/** What the systems are made from. */
export interface SystemSources {
  readonly collection: BeirCollection;
  readonly documents: readonly Document[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** Documents that a run lists for each query. */
const runDepth = 100;

/** The trained model. */
export async function lexraySystem(encoder: SparseEncoder, sources: SystemSources): Promise<DemoSearchSystem> {
  const { collection, signal, onProgress } = sources;
  const { run, queries, documents, index } = await retrieve(encoder, collection, { k: runDepth, signal, onProgress });
  const encodeQuery = (text: string): Promise<SparseVector> => encoder.encodeOne(text, { kind: 'query' });
  return searchSystem('Lexray', { run, queries, documents, index }, encodeQuery);
}

/** BM25. */
export async function bm25System(stemmed: boolean, sources: SystemSources): Promise<DemoSearchSystem> {
  const { collection, documents, signal } = sources;
  const bm25 = await Bm25.fit(documents, { stemming: stemmed ? 'porter' : 'none', signal });
  const ids = collection.queries.map(({ qid }) => qid);
  const vectors = collection.queries.map(({ text }) => bm25.encodeQuery(text));
  const queries = SparseVectors.fromRows(ids, vectors, bm25.vectors.dimensions);
  const index = buildIndex(bm25.vectors);
  const searcher = new ExactSearcher(index);
  const run = await searchAll(searcher, queries, { k: runDepth, signal });
  await searcher.dispose();
  const parts = { run, queries, documents: bm25.vectors, index };
  return searchSystem(stemmed ? 'BM25 stemmed' : 'BM25', parts, async (text) => bm25.encodeQuery(text));
}

/** Milliseconds from a query's text to its ranking: the median and the 95th percentile. */
export async function queryLatency(
  system: Pick<DemoSearchSystem, 'search'>,
  texts: readonly string[],
): Promise<{ median: number; p95: number }> {
  const times: number[] = [];
  for (const text of texts) {
    const start = performance.now();
    await system.search(text, 10);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(share * times.length))]!;
  return { median: at(0.5), p95: at(0.95) };
}

/** The processor's name. */
export function cpuName(): string {
  return cpus()[0]?.model.trim() ?? 'unknown';
}

function searchSystem(
  name: string,
  parts: Pick<DemoSearchSystem, 'run' | 'queries' | 'documents' | 'index'>,
  encodeQuery: (text: string) => Promise<SparseVector>,
): DemoSearchSystem {
  const searcher = new ExactSearcher(parts.index);
  return {
    name,
    ...parts,
    cost: retrievalCost(parts.queries, parts.documents),
    search: async (text, k) => searcher.search(await encodeQuery(text), { k }),
    dispose: () => searcher.dispose(),
  };
}
