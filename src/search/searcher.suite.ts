/** What every searcher must do; each implementation's test runs it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareScoredDocuments } from '../data/run.ts';
import { type SparseVector, sparseVector } from '../vectors/sparse-vector.ts';
import { SparseVectors } from '../vectors/sparse-vectors.ts';
import { arbitraryVector } from '../vectors/vectors.suite.ts';
import { searchAll } from './search-all.ts';
import type { Hit, Searcher } from './searcher.ts';

const dimensions = 12;

/** Few different weights, so that sums tie; and exact ones, so that the order of additions cannot matter here. */
const coarseWeight = fc.constantFrom(0.25, 0.5, 1, 2);

/** Scores in float64 from term-weight maps: independent of the searchers' own arithmetic. */
function bruteForce(documents: SparseVectors, query: SparseVector, k: number): Hit[] {
  const weights = new Map(Array.from(query.indices, (term, i) => [term, query.values[i]!]));
  const hits = [...documents].map(({ id, vector }) => ({
    docid: id,
    score: vector.indices.reduce((sum, term, i) => sum + (weights.get(term) ?? 0) * vector.values[i]!, 0),
  }));
  return hits
    .filter(({ score }) => score > 0)
    .sort(compareScoredDocuments)
    .slice(0, k);
}

/** Collections with repeated documents under ids whose UTF-16 order is not their byte order. */
const collections = fc
  .uniqueArray(fc.string({ unit: fc.constantFrom('1', '10', 'd', '\uFFFD', '\u{1F600}'), minLength: 1 }), {
    maxLength: 70,
  })
  .chain((ids) =>
    fc.tuple(
      fc.constant(ids),
      fc.array(arbitraryVector(dimensions, { weight: coarseWeight, maxLength: 5 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(), { minLength: ids.length, maxLength: ids.length }),
    ),
  )
  .map(([ids, pool, choice]) =>
    SparseVectors.fromRows(
      ids,
      choice.map((i) => pool[i % pool.length]!),
      dimensions,
    ),
  );

/** Runs the suite against searchers that `create` makes. */
export function searcherSuite(create: (documents: SparseVectors) => Promise<Searcher>): void {
  const documents = SparseVectors.fromRows(
    ['a', 'b', 'c', 'd'],
    [
      sparseVector([
        [0, 1],
        [1, 2],
      ]),
      sparseVector([[1, 2]]),
      sparseVector([]),
      sparseVector([
        [1, 1],
        [5, 4],
      ]),
    ],
    dimensions,
  );
  const query = sparseVector([
    [0, 1],
    [1, 1],
  ]);

  describe('as every searcher', () => {
    it('ranks by inner product, equal scores by docid descending', async () => {
      const searcher = await create(documents);
      expect(searcher.documentCount).toBe(4);
      expect(await searcher.search(query, { k: 10 })).toEqual([
        { docid: 'a', score: 3 },
        { docid: 'b', score: 2 },
        { docid: 'd', score: 1 },
      ]);
      const tied = sparseVector([[1, 0.5]]);
      expect(await searcher.search(tied, { k: 1 })).toEqual([{ docid: 'b', score: 1 }]);
      await searcher.dispose();
    });

    it('agrees with brute force for any k, with ties everywhere', async () => {
      await fc.assert(
        fc.asyncProperty(
          collections,
          fc.array(arbitraryVector(dimensions, { weight: coarseWeight }), { maxLength: 4 }),
          fc.integer({ min: 1, max: 80 }),
          async (collection, queries, k) => {
            const searcher = await create(collection);
            for (const any of queries)
              expect(await searcher.search(any, { k })).toEqual(bruteForce(collection, any, k));
            await searcher.dispose();
          },
        ),
        { numRuns: 150 },
      );
    });

    it('takes negative weights, and returns only scores above 0', async () => {
      const searcher = await create(documents);
      const negative = sparseVector([
        [1, -1],
        [5, 1],
      ]);
      expect(await searcher.search(negative, { k: 10 })).toEqual([{ docid: 'd', score: 3 }]);
      await searcher.dispose();
    });

    it('finds nothing for a query without terms, with unknown terms, or in an empty collection', async () => {
      const searcher = await create(documents);
      expect(await searcher.search(sparseVector([]), { k: 3 })).toEqual([]);
      expect(await searcher.search(sparseVector([[7, 1]]), { k: 3 })).toEqual([]);
      await searcher.dispose();
      const empty = await create(SparseVectors.fromRows([], [], dimensions));
      expect(empty.documentCount).toBe(0);
      expect(await empty.search(query, { k: 3 })).toEqual([]);
      await empty.dispose();
    });

    it('forgets the query before', async () => {
      const searcher = await create(documents);
      await searcher.search(sparseVector([[5, 9]]), { k: 4 });
      expect(await searcher.search(sparseVector([[0, 1]]), { k: 4 })).toEqual([{ docid: 'a', score: 1 }]);
      await searcher.dispose();
    });

    it.each([
      ['a term outside the vocabulary', { indices: [12], values: [1] }, /index 12 is not below 12/],
      ['terms that do not ascend', { indices: [3, 3], values: [1, 1] }, /3 follows 3/],
      ['a NaN weight', { indices: [3], values: [Number.NaN] }, /NaN/],
      ['an infinite weight', { indices: [3], values: [Number.POSITIVE_INFINITY] }, /Infinity/],
      ['a weight of zero', { indices: [3], values: [0] }, /not zero/],
      ['fewer weights than terms', { indices: [3, 4], values: [1] }, /as many weights/],
    ])('refuses a query with %s', async (_, { indices, values }, message) => {
      const searcher = await create(documents);
      const bad = { indices: Uint32Array.from(indices), values: Float32Array.from(values) };
      const error: unknown = await searcher.search(bad, { k: 1 }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'BAD_INPUT', message: expect.stringMatching(message) });
      await searcher.dispose();
    });

    it('refuses a bad k, a fired signal, and work after its end', async () => {
      const searcher = await create(documents);
      for (const k of [0, -1, 1.5, Number.NaN]) {
        await expect(searcher.search(query, { k })).rejects.toThrow(/k must be/);
      }
      const signal = AbortSignal.abort();
      await expect(searcher.search(query, { k: 1, signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
      await searcher.dispose();
      await searcher.dispose();
      await expect(searcher.search(query, { k: 1 })).rejects.toMatchObject({ code: 'USAGE' });
    });

    it('answers a set of queries in order, the fruitless ones too', async () => {
      const searcher = await create(documents);
      const queries = SparseVectors.fromRows(['q2', 'q1'], [query, sparseVector([])], dimensions);
      const seen: number[] = [];
      const run = await searchAll(searcher, queries, { k: 2, onProgress: ({ done }) => seen.push(done) });
      expect([...run]).toEqual([
        ['q2', [expect.objectContaining({ docid: 'a' }), expect.objectContaining({ docid: 'b' })]],
        ['q1', []],
      ]);
      expect(seen).toEqual([1, 2]);
      await expect(searchAll(searcher, queries, { k: 2, signal: AbortSignal.abort() })).rejects.toMatchObject({
        code: 'INTERRUPTED',
      });
      await searcher.dispose();
    });
  });
}
