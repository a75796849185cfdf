import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../util/random.ts';
import { sparseVector } from '../../vectors/sparse-vector.ts';
import { SparseVectors } from '../../vectors/sparse-vectors.ts';
import { arbitraryVector, arbitraryVectors } from '../../vectors/vectors.suite.ts';
import { buildIndex, InvertedIndex } from '../inverted-index.ts';
import { searcherSuite } from '../searcher.suite.ts';
import type { Hit } from '../searcher.ts';
import { ExactSearcher } from './exact.ts';
import { ExhaustiveSearcher } from './exhaustive.ts';

searcherSuite(async (documents) => new ExactSearcher(buildIndex(documents)));

/** Vectors with a skewed choice of terms, and some documents that repeat others. */
function randomVectors(count: number, dimensions: number, random: Random, weight: () => number): SparseVectors {
  const rows = Array.from({ length: count }, () => {
    const terms = new Set(Array.from({ length: 20 }, () => Math.floor(dimensions * random.uniform() ** 3)));
    return sparseVector(Array.from(terms, (term) => [term, weight()] as const));
  });
  for (let i = 0; i < count; i += 7) rows[i] = rows[random.integer(count)]!;
  const ids = Array.from(rows, (_, i) => `d${i}`);
  return SparseVectors.fromRows(random.shuffle(ids), rows, dimensions);
}

const lines = (hits: readonly Hit[]): string => hits.map(({ docid, score }) => `${docid} ${score}`).join('\n');

describe('the exact searcher equals the exhaustive one to the last bit', () => {
  it.each([
    ['any weights', (random: Random) => (): number => Math.fround(Math.log1p(3 * random.uniform()) + 1e-3)],
    ['coarse weights', (random: Random) => (): number => (1 + random.integer(3)) / 2],
    ['weights of both signs', (random: Random) => (): number => random.normal() || 1],
  ])('%s, thousands of documents, k from 1 to all', async (_, weights) => {
    const random = new Random(7);
    const documents = randomVectors(3001, 200, random, weights(random));
    const queries = randomVectors(20, 200, random, weights(random));
    const exact = new ExactSearcher(buildIndex(documents));
    const exhaustive = new ExhaustiveSearcher(documents);
    for (const { vector } of queries) {
      for (const k of [1, 10, 100, 1000, 3001, 10_000]) {
        const hits = await exact.search(vector, { k });
        expect(hits.length).toBeGreaterThan(0);
        expect(lines(hits) === lines(await exhaustive.search(vector, { k }))).toBe(true);
      }
    }
  });

  it('whatever the weights: the greatest, the least, both signs', async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryVectors(10, 40),
        arbitraryVector(10),
        fc.integer({ min: 1, max: 45 }),
        async (documents, query, k) => {
          const hits = await new ExactSearcher(buildIndex(documents)).search(query, { k });
          expect(hits).toEqual(await new ExhaustiveSearcher(documents).search(query, { k }));
        },
      ),
      { numRuns: 300 },
    );
  });
});

it('says clearly when the postings do not fit into one memory', () => {
  const entries = 600_000_000;
  const postings = { length: entries } as Uint32Array;
  const index = Object.create(InvertedIndex.prototype, {
    docids: { value: ['a'] },
    postings: { value: { indices: postings } },
  }) as InvertedIndex;
  expect(() => new ExactSearcher(index)).toThrow(/at most 4 GiB, but 600000000 postings of 1 documents need 4.5 GiB/);
});
