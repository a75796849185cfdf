import { describe, expect, it } from 'vitest';
import { type Frontier, type FrontierPoint, frontierFamilies, operatingPoint, pointName } from './frontier.ts';
import { compareFamilies, compareFrontiers, summariseFrontier } from './summarise-frontier.ts';

const lists = { lists: 3, mean: 2, cv2: 0.5, p99: 4, largest: 4 };

function pointOf(query: string, document: string, flops: number, values: readonly number[]): FrontierPoint {
  return {
    query,
    document,
    cost: {
      flops,
      queryActiveDims: 2,
      documentActiveDims: 3,
      emptyQueries: 0,
      emptyDocuments: 0,
      postings: lists,
      postingsWithEmpty: lists,
    },
    indexBytes: 1000 * flops,
    // Postings of 10 documents, so that their mean is 10 · FLOPS.
    postingsTouched: values.map((_, i) => 10 * flops + (i % 2 === 0 ? 1 : -1)),
    milliseconds: values.map((_, i) => i + 1),
    measures: { 'RR@10': values },
  };
}

function frontierOf(points: readonly FrontierPoint[], qids: readonly string[] = ['a', 'b', 'c', 'd']): Frontier {
  return { label: 'system', documents: 10, dimensions: 8, qids, k: 100, points };
}

const points = [
  pointOf('all', 'all', 8, [1, 0.5, 1, 0.5]),
  pointOf('top-k=5', 'top-k=10', 1, [0.5, 0, 0.5, 0]),
  pointOf('top-k=5', 'all', 2, [0.75, 0.25, 0.75, 0.25]),
  pointOf('all', 'mass=0.5', 4, [0.5, 0.5, 0.5, 0.5]),
];

describe('frontier', () => {
  it('names points as papers do, and by their strategies', () => {
    const name = (query: string, document: string): string => pointName({ query, document });
    expect(name('top-k=7', 'top-k=20')).toBe('(7, 20)');
    expect(name('all', 'all')).toBe('(0, 0)');
    expect(name('all', 'top-k=9')).toBe('(0, 9)');
    expect(name('all', 'mass=0.9')).toBe('all / mass=0.9');
    expect(name('top-k=7', 'top-k=20+max-postings=9')).toBe('top-k=7 / top-k=20+max-postings=9');
  });

  it('makes a curve of each way of pruning, with what is not pruned at the end of each', () => {
    const families = frontierFamilies(points).map(({ name, points: members }) => [name, members.map(pointName)]);
    expect(families).toEqual([
      ['top-k', ['(5, 10)', '(5, 0)', '(0, 0)']],
      ['mass', ['all / mass=0.5', '(0, 0)']],
    ]);
    expect(frontierFamilies([points[0]!]).map(({ name }) => name)).toEqual(['all']);
    const both = pointOf('top-k=5', 'mass=0.5+max-postings=3', 1, [0, 0, 0, 0]);
    expect(frontierFamilies([both])[0]!.name).toBe('top-k + mass + max-postings');
  });

  it('the mean cost of a point is its FLOPS', () => {
    const { cost } = operatingPoint(points[1]!, 'RR@10', 'flops', 10);
    expect((cost as number[]).reduce((sum, value) => sum + value, 0) / 4).toBeCloseTo(1, 12);
    expect(operatingPoint(points[1]!, 'RR@10', 'bytes', 10).cost).toBe(1000);
  });
});

describe('summariseFrontier', () => {
  const summary = summariseFrontier(frontierOf(points), { samples: 500 });

  it('has means, paired differences to the first point, and percentiles by nearest rank', () => {
    expect(summary[0]).toMatchObject({ name: '(0, 0)', measures: { 'RR@10': { mean: 0.75 } } });
    expect(summary[0]).not.toHaveProperty('differences');
    // Every query loses .5: the difference is certain where the means are not.
    expect(summary[1]!.differences!['RR@10']).toMatchObject({ mean: -0.5, low: -0.5, high: -0.5 });
    expect(summary[1]!.measures['RR@10']!.high).toBeGreaterThan(summary[1]!.measures['RR@10']!.low);
    expect(summary[1]).toMatchObject({
      indexBytes: 1000,
      postingsTouched: { mean: 10, median: 9, p99: 11 },
      milliseconds: { median: 2, p99: 4 },
    });
  });
});

describe('curves at equal cost', () => {
  it('of one frontier: other ways of pruning against the first', () => {
    const rows = compareFamilies(frontierOf(points), { samples: 200 });
    expect(rows.map(({ curve, point, cost, comparison }) => [curve, point, cost, comparison?.a.mean])).toEqual([
      ['system, mass', 'system (5, 10)', 1, undefined],
      ['system, mass', 'system (5, 0)', 2, undefined],
    ]);
    expect(rows[0]!.range).toEqual([4, 8]);
    expect(compareFamilies(frontierOf(points.slice(0, 3)), { samples: 200 })).toEqual([]);
  });

  it('of two frontiers: by hand, whatever the order of their queries', () => {
    const turned = [pointOf('all', 'all', 4, [0.1, 0.2, 0.3, 0.4])];
    const baseline = { ...frontierOf(turned, ['d', 'c', 'b', 'a']), label: 'other' };
    const curve = frontierOf([
      pointOf('all', 'all', 8, [1, 1, 1, 0.2]),
      pointOf('top-k=1', 'all', 2, [0.5, 0.5, 0.5, 0]),
    ]);
    const [row] = compareFrontiers(curve, baseline, { samples: 200 });
    // log 4 is half-way between log 2 and log 8: A is (.8 + .375) / 2, B is .25.
    expect(row).toMatchObject({ curve: 'system, top-k', point: 'other (0, 0)', measure: 'RR@10', cost: 4 });
    expect(row!.comparison!.a.mean).toBeCloseTo(0.5875, 12);
    expect(row!.comparison!.difference.mean).toBeCloseTo(0.3375, 12);
    // Per query, after reordering: (.75, .75, .75, .1) − (.4, .3, .2, .1), which is never negative.
    expect(row!.comparison!.difference.low).toBeGreaterThanOrEqual(0);
    expect(compareFrontiers(curve, baseline, { samples: 200, axis: 'bytes' })[0]).toMatchObject({ cost: 4000 });
  });

  it('refuses frontiers of other queries', () => {
    expect(() => compareFrontiers(frontierOf(points), frontierOf(points, ['a', 'b', 'c', 'x']))).toThrow(
      /measured on other queries: 4 there, 4 here, 3 in both/,
    );
  });

  it('leaves out what finds nothing', () => {
    const dead = pointOf('all', 'threshold=9', 0, [0, 0, 0, 0]);
    expect(compareFrontiers(frontierOf(points), frontierOf([dead]))).toEqual([]);
    expect(compareFrontiers(frontierOf([dead]), frontierOf(points))).toEqual([]);
  });
});
