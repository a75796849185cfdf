import { describe, expect, it } from 'vitest';
import type { Qrels } from '../data/qrels.ts';
import { evaluateRun } from '../evaluate/evaluate-run.ts';
import { searchAll } from '../search/search-all.ts';
import { ExhaustiveSearcher } from '../search/searchers/exhaustive.ts';
import { Random } from '../util/random.ts';
import { keepTopTerms } from '../vectors/prune/keep-top-terms.ts';
import { sparseVector } from '../vectors/sparse-vector.ts';
import { SparseVectors } from '../vectors/sparse-vectors.ts';
import { measureFrontier } from './measure-frontier.ts';
import { defaultGrid, parseGridPoint } from './pruning-grid.ts';

const dimensions = 50;

function randomVectors(prefix: string, count: number, terms: number, random: Random): SparseVectors {
  return SparseVectors.fromRows(
    Array.from({ length: count }, (_, i) => `${prefix}${i}`),
    Array.from({ length: count }, () =>
      sparseVector(
        new Map(Array.from({ length: terms }, () => [random.integer(dimensions), 0.1 + random.uniform()] as const)),
      ),
    ),
    dimensions,
  );
}

const random = new Random(4);
const documents = randomVectors('d', 60, 25, random);
const queries = randomVectors('q', 12, 10, random);
const qrels: Qrels = new Map(
  queries.ids.map((qid) => [qid, new Map(Array.from({ length: 5 }, () => [`d${random.integer(60)}`, 1]))]),
);
const input = { label: 'random', queries, documents, qrels };
const prune = (vectors: SparseVectors, k: number): SparseVectors =>
  k === 0
    ? vectors
    : SparseVectors.fromRows(
        vectors.ids,
        Array.from(vectors, ({ vector }) => keepTopTerms(vector, k)),
        dimensions,
      );

describe('measureFrontier', () => {
  it('says of every point what pruning, searching and measuring by hand say', async () => {
    const grid = defaultGrid.map(parseGridPoint);
    const frontier = await measureFrontier(input, { grid, measures: ['RR@10', 'nDCG@10'], k: 20, passes: 1 });
    expect(frontier).toMatchObject({ label: 'random', documents: 60, dimensions, k: 20, qids: queries.ids });
    for (const [i, [qk, dk]] of (
      [
        [0, 0],
        [7, 20],
        [5, 20],
        [5, 10],
      ] as const
    ).entries()) {
      const [q, d] = [prune(queries, qk), prune(documents, dk)];
      const { perQuery } = evaluateRun(qrels, await searchAll(new ExhaustiveSearcher(d), q, { k: 20 }), ['RR@10']);
      const point = frontier.points[i]!;
      expect(point.measures['RR@10']).toEqual([...perQuery.get('RR@10')!.values()]);
      expect(Object.keys(point.measures)).toEqual(['RR@10', 'nDCG@10']);
      const touched = Array.from(q, ({ vector }) =>
        Array.from(d).reduce(
          (sum, other) => sum + other.vector.indices.filter((t) => vector.indices.includes(t)).length,
          0,
        ),
      );
      expect(point.postingsTouched).toEqual(touched);
      expect(touched.reduce((sum, value) => sum + value, 0) / 12 / 60).toBeCloseTo(point.cost.flops, 12);
      expect(point.indexBytes).toBe(8 * d.indices.length + 8 * 51);
      expect(point.milliseconds).toHaveLength(12);
      expect(Math.min(...point.milliseconds)).toBeGreaterThan(0);
    }
  });

  it('takes the queries that are judged and have vectors, and says what it left out', async () => {
    const warnings: string[] = [];
    const some: Qrels = new Map([...[...qrels].slice(3, 5), ['x', new Map([['d1', 1]])]]);
    const frontier = await measureFrontier(
      { ...input, qrels: some },
      { grid: [parseGridPoint('0/0')], measures: ['RR@10'], passes: 1, onWarning: (message) => warnings.push(message) },
    );
    expect(frontier.qids).toEqual(['q3', 'q4']);
    expect(frontier.points[0]!.cost.queryActiveDims).toBe(
      (queries.row(3).indices.length + queries.row(4).indices.length) / 2,
    );
    expect(warnings).toEqual([
      '1 of 3 judged queries have no vector and are left out',
      '10 of 12 query vectors have no judgements and are left out',
    ]);
  });

  it('measures what finds nothing', async () => {
    const grid = [parseGridPoint('0/threshold=99')];
    const { points } = await measureFrontier(input, { grid, measures: ['RR@10'], passes: 1 });
    expect(points[0]).toMatchObject({ cost: { flops: 0, emptyDocuments: 60 } });
    expect(points[0]!.measures['RR@10']!.every((value) => value === 0)).toBe(true);
  });

  it('refuses an empty grid, queries without judgements, and stops when it is told to', async () => {
    const grid = [parseGridPoint('0/0')];
    const measures = ['RR@10'];
    await expect(measureFrontier(input, { grid: [], measures })).rejects.toThrow(/grid has no point/);
    const qrelsOfOthers: Qrels = new Map([['x', new Map([['d1', 1]])]]);
    await expect(measureFrontier({ ...input, qrels: qrelsOfOthers }, { grid, measures })).rejects.toThrow(
      /no query vector/,
    );
    await expect(measureFrontier(input, { grid, measures, signal: AbortSignal.abort() })).rejects.toThrow(
      /interrupted/,
    );
  });
});

describe('parseGridPoint', () => {
  it('reads numbers and strategies of both sides', () => {
    const point = parseGridPoint('5/top-k=20+max-postings=9');
    expect([point.query, point.document].map((side) => side.map(({ label }) => label))).toEqual([
      ['top-k=5'],
      ['top-k=20', 'max-postings=9'],
    ]);
    expect(parseGridPoint('0/all')).toEqual({ query: [], document: [] });
    for (const text of ['5', '5/6/7', '', '/']) expect(() => parseGridPoint(text)).toThrow(/QUERY\/DOCUMENT|unknown/);
  });
});
