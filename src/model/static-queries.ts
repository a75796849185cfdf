/**
 * Token weights for inference-free queries, from how many documents have each token:
 *
 *     idf_t = ln(1 + (N − df_t + ½) / (df_t + ½))
 *
 * N documents with at least one token, of which df_t have token t: BM25's idf in the form of Lucene, which is never below 0.
 * OpenSearch's models start from it, with MS MARCO's passages as documents (arXiv 2411.04403, §3; `get_idf.py` of its tuning
 * sample). Special tokens have the weight 0. A token that no document has, has the weight of df = 0, the largest of all, as
 * the rarest one that was met almost has; OpenSearch's idf.json says 1 there.
 */
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { LexrayError, throwIfAborted } from '../util/errors.ts';
import type { ProgressListener } from '../util/progress.ts';

/** Options of {@link makeStaticQueries}. */
export interface StaticQueriesOptions {
  /** Width of the documents' vectors; dimensions without a token have the weight 0. @default the tokenizer's size */
  readonly dimensions?: number | undefined;
  /** Lower-case texts before the tokenizer, whatever that does itself. @default 'keep' */
  readonly casing?: 'keep' | 'lower' | undefined;
  /** Number of documents, if known, for progress. */
  readonly total?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** Texts between two reports of progress. */
const reportEvery = 1000;

/**
 * Counts the tokens of documents and gives each its idf.
 * @param tokenizer of the queries and the documents
 * @returns the weight of each token by id, for `writeModelFolder`'s `query: { kind: 'static', weights }`
 * @throws LexrayError FAILED when no document has a token; INTERRUPTED when the signal fires
 */
export async function makeStaticQueries(
  tokenizer: Tokenizer,
  documents: Iterable<string> | AsyncIterable<string>,
  options: StaticQueriesOptions = {},
): Promise<Float32Array> {
  const { dimensions = tokenizer.size, casing, total, signal, onProgress } = options;
  const frequencies = new Uint32Array(tokenizer.size);
  let read = 0;
  let counted = 0;
  const report = (): void =>
    onProgress?.({ phase: 'count tokens', done: read, unit: 'texts', ...(total === undefined ? {} : { total }) });
  for await (const text of documents) {
    throwIfAborted(signal);
    const prepared = casing === 'lower' ? text.toLowerCase() : text;
    const terms = new Set(tokenizer.encode(prepared, { addSpecialTokens: false }));
    for (const id of tokenizer.specialIds) terms.delete(id);
    for (const id of terms) frequencies[id]!++;
    if (terms.size > 0) counted++;
    if (++read % reportEvery === 0) report();
  }
  report();
  if (counted === 0) {
    throw new LexrayError('FAILED', 'no document has a token, so that none can be weighted', {
      cure: 'give the documents that will be searched, or a sample of them',
    });
  }
  const weights = new Float32Array(dimensions);
  for (let id = 0; id < Math.min(dimensions, tokenizer.size); id++) {
    if (tokenizer.specialIds.has(id) || tokenizer.token(id) === undefined) continue;
    weights[id] = inverseDocumentFrequency(frequencies[id]!, counted);
  }
  return weights;
}

/** ln(1 + (N − df + ½) / (df + ½)) */
function inverseDocumentFrequency(frequency: number, documents: number): number {
  return Math.log1p((documents - frequency + 0.5) / (frequency + 0.5));
}
