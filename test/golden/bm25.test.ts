/**
 * BM25 on real collections, through analysis, vectors, index, search and evaluation, against a brute-force computation in
 * float64 that trec_eval measured (`scripts/golden/bm25.py`).
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadBeir } from '../../src/data/load-beir.ts';
import { evaluateRun } from '../../src/evaluate/evaluate-run.ts';
import { parseMeasure } from '../../src/evaluate/measures/parse-measure.ts';
import { Bm25 } from '../../src/search/bm25.ts';
import { buildIndex } from '../../src/search/inverted-index.ts';
import { searchAll } from '../../src/search/search-all.ts';
import { ExactSearcher } from '../../src/search/searchers/exact.ts';
import { SparseVectors } from '../../src/vectors/sparse-vectors.ts';

const shared = fileURLToPath(new URL('../../../shared/data', import.meta.url));

describe('BM25 (k1 .9, b .4, no stemming) has the effectiveness that brute force has', () => {
  it.skipIf(!existsSync(shared)).each([
    ['esci-titles', 0.66709, 0.89306],
    ['scifact', 0.67112, 0.64573],
    ['dbpedia-titles', 0.28128, 0.57436],
  ])('on %s (needs ../shared/data): nDCG@10 %d, RR %d', async (name, ndcg, rr) => {
    const collection = await loadBeir(`${shared}/${name}`, { split: 'test' });
    const bm25 = await Bm25.fit(collection.documents());
    const queries = SparseVectors.fromRows(
      collection.queries.map(({ qid }) => qid),
      collection.queries.map(({ text }) => bm25.encodeQuery(text)),
      bm25.vectors.dimensions,
    );
    const searcher = new ExactSearcher(buildIndex(bm25.vectors));
    const run = await searchAll(searcher, queries, { k: searcher.documentCount });
    const { mean } = evaluateRun(collection.qrels, run, [parseMeasure('nDCG@10'), parseMeasure('RR')]);
    // Float32 sums tie where float64 sums differ in the last places, and the other way round.
    expect(Math.abs(mean.get('nDCG@10')! - ndcg)).toBeLessThan(2e-4);
    expect(Math.abs(mean.get('RR')! - rr)).toBeLessThan(2e-4);
  });
});
