import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchSampler, type SamplerState } from './batch-sampler.ts';
import { batchesPerEpoch } from './run-steps.ts';
import type { TrainingQuery, TrainingSet } from './training-set.ts';
import type { TrainingBatch } from './training-step.ts';

type QueryData = readonly [
  positives: readonly number[],
  negatives?: readonly number[],
  scores?: readonly (Float32Array | undefined)[] | undefined,
];

/** Queries by their positives and negatives; the tokens of query i are [1000 + i], those of document j are [j]. */
function dataOf(queries: readonly QueryData[]): TrainingSet {
  const highest = Math.max(0, ...queries.flatMap(([positives, negatives = []]) => [...positives, ...negatives]));
  return {
    queries: queries.map(
      ([positives, negatives = [], scores], i): TrainingQuery => ({
        tokens: Int32Array.of(1000 + i),
        positives,
        negatives,
        ...(scores === undefined ? {} : { scores }),
      }),
    ),
    documents: Array.from({ length: highest + 1 }, (_, j) => Int32Array.of(j)),
  };
}

const queriesOf = (batch: TrainingBatch): number[] => batch.queries.map((tokens) => tokens[0]! - 1000);
const documentsOf = (batch: TrainingBatch): number[] => batch.documents.map((tokens) => tokens[0]!);

/** Negatives of one query may be positives of another, and may have been drawn by another. */
const anyQuery = fc
  .tuple(
    fc.uniqueArray(fc.nat(12), { minLength: 1, maxLength: 3 }),
    fc.uniqueArray(fc.integer({ min: 8, max: 25 }), { maxLength: 4 }),
    fc.option(fc.array(fc.option(fc.array(fc.constantFrom(Number.NaN, 0.5, 2, -3))), { minLength: 3, maxLength: 3 })),
  )
  .map(([positives, others, given]): QueryData => {
    const negatives = others.filter((document) => !positives.includes(document));
    const scores = given?.slice(0, positives.length).map((row) => {
      if (row === null) return undefined;
      return Float32Array.from([7, ...negatives], (_, i) => (i === 0 ? 7 : (row[i] ?? Number.NaN)));
    });
    return [positives, negatives, scores];
  });
const anyData = fc.array(anyQuery, { minLength: 2, maxLength: 20 }).map(dataOf);
const anyOptions = fc.record({
  batchSize: fc.integer({ min: 2, max: 8 }),
  negativesPerQuery: fc.nat(3),
  seed: fc.nat(1000),
});

describe('a batch', () => {
  it('has no query and no document twice, positives in the order of their queries, then negatives of theirs', () => {
    fc.assert(
      fc.property(anyData, anyOptions, (data, options) => {
        const sampler = new BatchSampler(data, options);
        for (let i = 0; i < 10; i++) {
          const batch = sampler.next();
          const [queries, documents] = [queriesOf(batch), documentsOf(batch)];
          expect(queries.length).toBeGreaterThan(0);
          expect(queries.length).toBeLessThanOrEqual(Math.min(options.batchSize, data.queries.length));
          expect(new Set(queries).size).toBe(queries.length);
          expect(new Set(documents).size).toBe(documents.length);
          queries.forEach((query, at) => {
            expect(data.queries[query]!.positives).toContain(documents[at]);
          });
          const negatives = documents.slice(queries.length);
          expect(negatives.length).toBeLessThanOrEqual(queries.length * options.negativesPerQuery);
          const allowed = new Set(queries.flatMap((query) => data.queries[query]!.negatives));
          for (const negative of negatives) expect(allowed).toContain(negative);
        }
      }),
    );
  });

  it('says which other documents are relevant to which queries, and no more', () => {
    fc.assert(
      fc.property(anyData, anyOptions, (data, options) => {
        const sampler = new BatchSampler(data, options);
        for (let i = 0; i < 10; i++) {
          const batch = sampler.next();
          const documents = documentsOf(batch);
          const wanted = queriesOf(batch).flatMap((query, row) =>
            documents.flatMap((document, column) =>
              column !== row && data.queries[query]!.positives.includes(document) ? [[row, column]] : [],
            ),
          );
          expect(batch.otherPositives).toEqual(wanted);
        }
      }),
    );
  });

  it('names the negatives of each query: as many as there are, up to the number wanted', () => {
    fc.assert(
      fc.property(anyData, anyOptions, (data, options) => {
        const sampler = new BatchSampler(data, options);
        for (let i = 0; i < 10; i++) {
          const batch = sampler.next();
          const documents = documentsOf(batch);
          queriesOf(batch).forEach((query, row) => {
            const columns = batch.ownNegatives.flatMap(([of, column]) => (of === row ? [column] : []));
            const { negatives } = data.queries[query]!;
            expect(columns).toHaveLength(Math.min(options.negativesPerQuery, negatives.length));
            expect(new Set(columns).size).toBe(columns.length);
            for (const column of columns) expect(negatives).toContain(documents[column]);
          });
          // every hard negative is some query's own
          const owned = new Set(batch.ownNegatives.map(([, column]) => column));
          for (let column = batch.queries.length; column < documents.length; column++) expect(owned).toContain(column);
        }
      }),
    );
  });

  it('carries the scores of the positive that was drawn and of the own negatives, the scored ones drawn first', () => {
    fc.assert(
      fc.property(anyData, anyOptions, (data, options) => {
        const sampler = new BatchSampler(data, options);
        for (let i = 0; i < 10; i++) {
          const batch = sampler.next();
          const documents = documentsOf(batch);
          const wanted = queriesOf(batch).flatMap((query, row) => {
            const { positives, negatives, scores } = data.queries[query]!;
            const given = scores?.[positives.indexOf(documents[row]!)];
            if (given === undefined) return [];
            const own = batch.ownNegatives.flatMap(([of, column]) => (of === row ? [column] : []));
            const found = own
              .map((column) => ({
                query: row,
                document: column,
                score: given[1 + negatives.indexOf(documents[column]!)]!,
              }))
              .filter(({ score }) => !Number.isNaN(score));
            const scored = given.subarray(1).filter((score) => !Number.isNaN(score)).length;
            expect(found).toHaveLength(Math.min(options.negativesPerQuery, scored));
            return [{ query: row, document: row, score: 7 }, ...found];
          });
          expect(batch.teacherScores).toEqual(wanted);
        }
      }),
    );
  });

  it('takes a document that two queries drew, or that is a positive of another, once', () => {
    const data = dataOf([
      [[0], [2, 1], [Float32Array.of(9, 4, 3)]],
      [[1], [2], [Float32Array.of(8, 5)]],
    ]);
    const batch = new BatchSampler(data, { batchSize: 2, negativesPerQuery: 2, seed: 1 }).next();
    expect(documentsOf(batch).toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
    const score = (query: number, document: number): number | undefined => {
      const [row, column] = [queriesOf(batch).indexOf(query), documentsOf(batch).indexOf(document)];
      const owned = row === column || batch.ownNegatives.some(([q, d]) => q === row && d === column);
      expect(owned).toBe(query !== 1 || document !== 0);
      return batch.teacherScores.find((given) => given.query === row && given.document === column)?.score;
    };
    expect([score(0, 0), score(0, 1), score(0, 2)]).toEqual([9, 3, 4]);
    expect([score(1, 0), score(1, 1), score(1, 2)]).toEqual([undefined, 8, 5]);
  });

  it('draws as many negatives as there are, up to the number wanted', () => {
    const data = dataOf([
      [[0], [2, 3, 4]],
      [[1], [5]],
    ]);
    const sampler = new BatchSampler(data, { batchSize: 2, negativesPerQuery: 2, seed: 1 });
    const negatives = documentsOf(sampler.next()).slice(2);
    expect(negatives.filter((document) => document < 5)).toHaveLength(2);
    expect(negatives.filter((document) => document === 5)).toHaveLength(1);
  });
});

describe('an epoch', () => {
  it.each([
    [12, 4, 3],
    [14, 4, 3],
    [3, 8, 1],
  ])('visits the queries once: %i queries in batches of %i', (count, batchSize, batches) => {
    const data = dataOf(Array.from({ length: count }, (_, i) => [[i]]));
    const sampler = new BatchSampler(data, { batchSize, negativesPerQuery: 0, seed: 5 });
    expect(batchesPerEpoch(count, batchSize)).toBe(batches);
    const orders = [0, 1, 2].map((epoch) => {
      const seen = Array.from({ length: batches }, () => queriesOf(sampler.next())).flat();
      expect(sampler.state.epoch).toBe(epoch);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toHaveLength(batches * Math.min(batchSize, count));
      return seen;
    });
    if (count > 3) expect(orders[0]).not.toEqual(orders[1]);
  });

  it('visits queries that share a positive too: one waits for the next batch', () => {
    // queries 0 to 3 have the document 0, the others one of their own
    const data = dataOf(Array.from({ length: 12 }, (_, i) => [[i < 4 ? 0 : i]]));
    for (let seed = 0; seed < 20; seed++) {
      const sampler = new BatchSampler(data, { batchSize: 3, negativesPerQuery: 0, seed });
      const batches = Array.from({ length: 4 }, () => queriesOf(sampler.next()));
      for (const batch of batches) expect(batch.filter((query) => query < 4).length).toBeLessThanOrEqual(1);
      const seen = batches.flat();
      expect(new Set(seen).size).toBe(seen.length);
      // Where the last batches have nothing but those left, they are smaller.
      expect(seen.length).toBeGreaterThanOrEqual(10);
      expect(sampler.state.epoch).toBe(0);
    }
  });

  it('goes on where all queries have one positive: batches of one query', () => {
    const data = dataOf([[[0]], [[0]], [[0]], [[0]]]);
    const sampler = new BatchSampler(data, { batchSize: 2, negativesPerQuery: 0, seed: 1 });
    const seen = Array.from({ length: 6 }, () => queriesOf(sampler.next()));
    expect(seen.every((batch) => batch.length === 1)).toBe(true);
    expect(new Set(seen.slice(0, 3).flat()).size).toBe(3);
  });
});

describe('the state', () => {
  it('is plain data from which the same batches follow', () => {
    fc.assert(
      fc.property(anyData, anyOptions, fc.nat(9), (data, options, before) => {
        const sampler = new BatchSampler(data, options);
        for (let i = 0; i < before; i++) sampler.next();
        const state = JSON.parse(JSON.stringify(sampler.state)) as SamplerState;
        const wanted = Array.from({ length: 8 }, () => sampler.next());
        const other = new BatchSampler(data, options);
        other.restore(state);
        expect(Array.from({ length: 8 }, () => other.next())).toEqual(wanted);
        expect(other.state).toEqual(sampler.state);
      }),
    );
  });

  it('differs from seed to seed', () => {
    const data = dataOf(Array.from({ length: 30 }, (_, i) => [[i]]));
    const first = (seed: number): number[] =>
      queriesOf(new BatchSampler(data, { batchSize: 10, negativesPerQuery: 0, seed }).next());
    expect(first(1)).toEqual(first(1));
    expect(first(1)).not.toEqual(first(2));
  });

  it.each([{ position: 5 }, { waiting: [4] }])('is refused where it is of other data: %o', (change) => {
    const data = dataOf([[[0]], [[1]], [[2]], [[3]]]);
    const sampler = new BatchSampler(data, { batchSize: 2, negativesPerQuery: 0, seed: 1 });
    expect(() => sampler.restore({ ...sampler.state, ...change })).toThrow(/does not fit 4 queries/);
  });
});
