import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sparseVector } from '../vectors/sparse-vector.ts';
import { SparseVectors } from '../vectors/sparse-vectors.ts';
import { retrievalCost } from './retrieval-cost.ts';

const dimensions = 12;

function vectorsOf(rows: readonly (readonly number[])[], width: number = dimensions): SparseVectors {
  return SparseVectors.fromRows(
    rows.map((_, i) => `v${i}`),
    rows.map((terms) => sparseVector(terms.map((term) => [term, term + 1]))),
    width,
  );
}

test('by hand: three documents, two queries, one term in no document', () => {
  const documents = vectorsOf([[0, 1], [0], []], 4);
  const queries = vectorsOf(
    [
      [0, 3],
      [0, 1],
    ],
    4,
  );
  const cost = retrievalCost(queries, documents);
  expect(cost.flops).toBeCloseTo(1 * (2 / 3) + 0.5 * (1 / 3), 15);
  expect(cost).toMatchObject({ queryActiveDims: 2, documentActiveDims: 1, emptyQueries: 0, emptyDocuments: 1 });
  expect(cost.postings).toEqual({ lists: 2, mean: 1.5, cv2: 0.25 / 2.25, p99: 2, largest: 2 });
  expect(cost.postingsWithEmpty).toMatchObject({ lists: 4, mean: 0.75, p99: 2, largest: 2 });
  expect(cost.postingsWithEmpty.cv2).toBeCloseTo((4 + 1) / 4 / 0.75 ** 2 - 1, 15);
});

test('FLOPS is the mean number of terms that a query and a document share', () => {
  const rows = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: dimensions - 1 }), { maxLength: 8 }), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(rows, rows, (queries, documents) => {
      let shared = 0;
      for (const q of queries) for (const d of documents) shared += q.filter((term) => d.includes(term)).length;
      const { flops } = retrievalCost(vectorsOf(queries), vectorsOf(documents));
      expect(flops).toBeCloseTo(shared / queries.length / documents.length, 12);
    }),
    { seed: 5, numRuns: 200 },
  );
});

test('p99 is the length that 99 of 100 lists do not exceed', () => {
  const documents = vectorsOf(
    Array.from({ length: 200 }, (_, row) => Array.from({ length: 200 - row }, (_, term) => term)),
    200,
  );
  expect(retrievalCost(vectorsOf([[0]], 200), documents).postings).toMatchObject({
    p99: 198,
    largest: 200,
    mean: 100.5,
  });
});

test('refuses vocabularies of different size, and nothing to measure', () => {
  expect(() => retrievalCost(vectorsOf([[0]], 4), vectorsOf([[0]], 5))).toThrow(
    'queries have 4 dimensions and documents 5',
  );
  expect(() => retrievalCost(vectorsOf([]), vectorsOf([[0]]))).toThrow(/got 0 and 1/);
});
