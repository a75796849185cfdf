/** A whole retrieval experiment on one collection: encode both sides, index, search. Or its first half. */
import { joinTitle } from '../data/document.ts';
import type { BeirCollection } from '../data/load-beir.ts';
import type { Run } from '../data/run.ts';
import { buildIndex, type InvertedIndex } from '../search/inverted-index.ts';
import { searchAll } from '../search/search-all.ts';
import { ExactSearcher } from '../search/searchers/exact.ts';
import type { ProgressListener } from '../util/progress.ts';
import { SparseVectorsBuilder } from '../vectors/builder.ts';
import type { SparseVectors } from '../vectors/sparse-vectors.ts';
import type { EncodeOptions, SparseEncoder } from './sparse-encoder.ts';

/** Options of {@link retrieve}. */
export interface RetrieveOptions {
  /** Documents a query at most. @default 1000 */
  readonly k?: number | undefined;
  /** Heaviest terms kept in a vector. @default the model's own limit, else all */
  readonly maxActiveDims?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** The vectors of a collection. */
export interface EncodedCollection {
  readonly queries: SparseVectors;
  readonly documents: SparseVectors;
  /** Seconds of each part. */
  readonly seconds: { readonly encodeDocuments: number; readonly encodeQueries: number };
}

/** What {@link retrieve} made. */
export interface Retrieval extends EncodedCollection {
  readonly run: Run;
  readonly index: InvertedIndex;
  readonly seconds: EncodedCollection['seconds'] & { readonly index: number; readonly search: number };
}

/** Encodes a collection and answers its queries by exact search. */
export async function retrieve(
  encoder: SparseEncoder,
  collection: BeirCollection,
  options: RetrieveOptions = {},
): Promise<Retrieval> {
  const { k = 1000, signal, onProgress } = options;
  const { queries, documents, seconds } = await encodeCollection(encoder, collection, options);
  const clock = stopwatch();
  const index = buildIndex(documents);
  const searcher = new ExactSearcher(index);
  const indexed = clock();
  try {
    const run = await searchAll(searcher, queries, { k, signal, onProgress });
    return { run, queries, documents, index, seconds: { ...seconds, index: indexed, search: clock() } };
  } finally {
    await searcher.dispose();
  }
}

/** Encodes the documents of a collection, then its queries. */
export async function encodeCollection(
  encoder: SparseEncoder,
  collection: BeirCollection,
  options: Omit<RetrieveOptions, 'k'> = {},
): Promise<EncodedCollection> {
  const { signal } = options;
  const clock = stopwatch();
  const total = await collection.countDocuments();
  const separator = encoder.policy.titleSeparator;
  const documents = await encodeAll(encoder, documentTexts(collection, separator, signal), {
    ...options,
    kind: 'document',
    total,
  });
  const encodeDocuments = clock();
  const queryTexts = collection.queries.map(({ qid, text }) => ({ id: qid, text }));
  const queries = await encodeAll(encoder, queryTexts, { ...options, kind: 'query', total: queryTexts.length });
  return { queries, documents, seconds: { encodeDocuments, encodeQueries: clock() } };
}

/** Encodes named texts into one matrix. */
export async function encodeAll(
  encoder: SparseEncoder,
  texts: Iterable<NamedText> | AsyncIterable<NamedText>,
  options: EncodeOptions,
): Promise<SparseVectors> {
  const builder = new SparseVectorsBuilder(encoder.dimensions);
  const ids: string[] = [];
  async function* onlyTexts(): AsyncGenerator<string> {
    for await (const { id, text } of texts) {
      ids.push(id);
      yield text;
    }
  }
  for await (const vector of encoder.encode(onlyTexts(), options)) builder.add(ids[builder.length]!, vector);
  return builder.build();
}

interface NamedText {
  readonly id: string;
  readonly text: string;
}

async function* documentTexts(
  collection: BeirCollection,
  separator: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<NamedText> {
  for await (const document of collection.documents(signal ? { signal } : {})) {
    yield { id: document.docid, text: joinTitle(document, separator) };
  }
}

/** Returns the seconds since the last call. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const seconds = (now - last) / 1000;
    last = now;
    return seconds;
  };
}
