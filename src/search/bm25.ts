/**
 * BM25 as sparse vectors, so that the searchers of learned sparse vectors answer it too:
 *
 *     document weight = idf(t) · tf / (tf + k1·(1 − b + b·dl/avgdl))      idf(t) = ln(1 + (N − df + ½)/(df + ½))
 *     query weight    = how often the word occurs in the query
 *
 * Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, in Lucene's form: the idf is
 * never negative, and the constant factor k1 + 1 is left out. k1 = .9 and b = .4 are Anserini's values. Lengths are exact,
 * where Lucene rounds them to a byte. N and avgdl count documents without words too.
 */
import { type Document, joinTitle } from '../data/document.ts';
import { badInput, LexrayError, throwIfAborted } from '../util/errors.ts';
import { SparseVectorsBuilder } from '../vectors/builder.ts';
import { maxDimensions, type SparseVector, sparseVector } from '../vectors/sparse-vector.ts';
import { SparseVectors } from '../vectors/sparse-vectors.ts';
import { documentFrequency } from '../vectors/statistics.ts';
import { type AnalysisOptions, createAnalyzer, type Stemming } from './analysis.ts';

/** Options of {@link Bm25.fit}. */
export interface Bm25Options extends AnalysisOptions {
  /** How fast repeated words saturate: at least 0. @default 0.9 */
  readonly k1?: number | undefined;
  /** How much long documents are discounted: 0 to 1. @default 0.4 */
  readonly b?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The resolved options of a BM25 model, for manifests. */
export interface Bm25Config {
  readonly k1: number;
  readonly b: number;
  readonly stemming: Stemming;
}

/** A collection weighted by BM25. */
export class Bm25 {
  /** The documents, one row each. */
  readonly vectors: SparseVectors;
  /** The word of each term, in the order in which they first occur. */
  readonly tokens: readonly string[];
  readonly config: Bm25Config;
  /** Mean number of words in a document. */
  readonly averageLength: number;
  /** The vector of a query: its known words and how often it has them. */
  readonly encodeQuery: (text: string) => SparseVector;

  private constructor(vectors: SparseVectors, tokens: readonly string[], config: Bm25Config, averageLength: number) {
    this.vectors = vectors;
    this.tokens = tokens;
    this.config = config;
    this.averageLength = averageLength;
    this.encodeQuery = bm25QueryEncoder(tokens, config);
  }

  /**
   * Counts the words of a collection, title and text joined, and weights them.
   * @throws LexrayError USAGE for a `k1` or `b` out of range; BAD_INPUT for a docid that is empty or repeated
   */
  static async fit(
    documents: Iterable<Document> | AsyncIterable<Document>,
    { k1 = 0.9, b = 0.4, stemming = 'none', signal }: Bm25Options = {},
  ): Promise<Bm25> {
    if (!(k1 >= 0 && k1 < Number.POSITIVE_INFINITY)) throw new LexrayError('USAGE', `k1 must be at least 0, got ${k1}`);
    if (!(b >= 0 && b <= 1)) throw new LexrayError('USAGE', `b must be from 0 to 1, got ${b}`);
    const analyze = createAnalyzer({ stemming });
    const terms = new Map<string, number>();
    const counts = new SparseVectorsBuilder(maxDimensions);
    const lengths: number[] = [];
    let totalLength = 0;
    for await (const document of documents) {
      throwIfAborted(signal);
      const words = analyze(joinTitle(document));
      for (const word of words) if (!terms.has(word)) terms.set(word, terms.size);
      if (terms.size > maxDimensions) throw badInput(`the collection has more than ${maxDimensions} different words`);
      counts.add(document.docid, countTerms(words, terms));
      lengths.push(words.length);
      totalLength += words.length;
    }
    const { ids, offsets, indices, values } = counts.build();
    const averageLength = totalLength / ids.length || 0;
    // A collection without a word still needs a vocabulary of one dimension.
    const frequencies = new SparseVectors(ids, Math.max(1, terms.size), { offsets, indices, values });
    const idf = Float64Array.from(documentFrequency(frequencies), (df) =>
      Math.log1p((ids.length - df + 0.5) / (df + 0.5)),
    );
    const weights = new Float32Array(values.length);
    for (const [row, length] of lengths.entries()) {
      const saturation = k1 * (1 - b + (b * length) / averageLength);
      for (let p = offsets[row]!; p < offsets[row + 1]!; p++) {
        weights[p] = (idf[indices[p]!]! * values[p]!) / (values[p]! + saturation);
      }
    }
    const vectors = new SparseVectors(ids, frequencies.dimensions, { offsets, indices, values: weights });
    const tokens = terms.size === 0 ? [''] : [...terms.keys()];
    return new Bm25(vectors, tokens, { k1, b, stemming }, averageLength);
  }
}

/**
 * Encodes queries for a collection whose vectors and words were kept: `tokens` and `stemming` of the {@link Bm25} that
 * made them. Words that no document has are dropped.
 */
export function bm25QueryEncoder(
  tokens: readonly string[],
  options: AnalysisOptions = {},
): (text: string) => SparseVector {
  const terms = new Map(tokens.map((token, term) => [token, term]));
  const analyze = createAnalyzer(options);
  return (text) => countTerms(analyze(text), terms);
}

function countTerms(words: readonly string[], terms: ReadonlyMap<string, number>): SparseVector {
  const counts = new Map<number, number>();
  for (const word of words) {
    const term = terms.get(word);
    if (term !== undefined) counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  return sparseVector(counts);
}
