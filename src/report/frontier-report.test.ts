import { describe, expect, it } from 'vitest';
import type { Frontier, FrontierPoint } from '../evaluate/frontier.ts';
import { compareFamilies, compareFrontiers, summariseFrontier } from '../evaluate/summarise-frontier.ts';
import { type FrontierReportData, frontierMarkdown, frontierReport } from './frontier-report.ts';
import { equalCostTable } from './frontier-tables.ts';
import { unbalancedTags } from './unbalanced-tags.suite.ts';

const hostile = '<script>alert(1)</script>"\'&|`';
const lists = { lists: 3, mean: 2, cv2: 0.517, p99: 4, largest: 4 };
const qids = Array.from({ length: 20 }, (_, i) => `q${i}`);

function pointOf(query: string, document: string, flops: number, gain: number): FrontierPoint {
  return {
    query,
    document,
    cost: {
      flops,
      queryActiveDims: 2,
      documentActiveDims: 3,
      emptyQueries: 1,
      emptyDocuments: 2,
      postings: lists,
      postingsWithEmpty: { ...lists, cv2: 7.31 },
    },
    indexBytes: 2048 * flops,
    postingsTouched: qids.map((_, i) => 10 * flops * (0.5 + i / 19)),
    milliseconds: qids.map((_, i) => flops * (1 + i)),
    measures: { 'RR@10': qids.map((_, i) => ((i * 7) % 20) / 40 + gain), 'R@10': qids.map((_, i) => (i % 3) / 3) },
  };
}

function frontierOf(label: string, gain: number, points: readonly FrontierPoint[]): Frontier {
  const raised = points.map((point) => ({
    ...point,
    measures: { ...point.measures, 'RR@10': point.measures['RR@10']!.map((value) => value + gain) },
  }));
  return { label, documents: 10, dimensions: 8, qids, k: 100, points: raised };
}

const frontier = frontierOf(hostile, 0, [
  pointOf('all', 'all', 8, 0.4),
  pointOf('top-k=7', 'top-k=20', 3, 0.35),
  pointOf('top-k=5', 'top-k=10', 1, 0.2),
  pointOf('all', 'mass=0.5', 2, 0.3),
]);
const baseline = frontierOf('other', -0.1, [pointOf('all', 'all', 5, 0.4), pointOf('top-k=5', 'top-k=10', 0.5, 0.3)]);

function dataOf(changes: Partial<FrontierReportData> = {}): FrontierReportData {
  const samples = 200;
  return {
    frontier,
    summary: summariseFrontier(frontier, { samples }),
    baseline,
    equalCost: [...compareFamilies(frontier, { samples }), ...compareFrontiers(frontier, baseline, { samples })],
    machine: hostile,
    tool: 'lexray 0',
    created: '2026-01-01T00:00:00Z',
    ...changes,
  };
}

describe('frontierReport', () => {
  const html = frontierReport(dataOf());

  it('is well-formed, escapes every text and fetches nothing', () => {
    expect(unbalancedTags(html)).toEqual([]);
    expect(html).not.toContain('<script>');
    expect(html.replace(/xmlns="http:\/\/www\.w3\.org\/2000\/svg"/g, '')).not.toMatch(/https?:|url\(/);
  });

  it('plots every measure against FLOPS, and the first against bytes and latency, with both systems', () => {
    for (const title of ['RR@10 against FLOPS', 'R@10 against FLOPS', 'RR@10 against bytes', 'RR@10 against median']) {
      expect(html).toContain(`<title>${title}`);
    }
    expect(html.match(/<svg[^>]*class="plot"/g)).toHaveLength(4);
    expect(html).toContain('other, top-k (5, 10): 0.438 at 0.500');
  });

  it('says of CV² whether empty lists count, and that latencies are noisy', () => {
    expect(html).toContain('CV², empty lists counted');
    expect(html).toContain('7.31');
    expect(html).toContain('a noisy one');
  });

  it('does with one point and no other system', () => {
    const single = { ...frontier, points: frontier.points.slice(0, 1) };
    const data = dataOf({
      frontier: single,
      summary: summariseFrontier(single, { samples: 100 }),
      baseline: undefined,
      equalCost: [],
    });
    expect(unbalancedTags(frontierReport(data))).toEqual([]);
    expect(frontierReport(data)).not.toContain('At equal cost');
    expect(frontierMarkdown(data)).not.toContain('Δ');
  });

  it('draws what finds nothing without a place for it', () => {
    const dead = { ...frontier, points: [pointOf('all', 'threshold=9', 0, 0), ...frontier.points] };
    const data = dataOf({ frontier: dead, summary: summariseFrontier(dead, { samples: 100 }) });
    expect(unbalancedTags(frontierReport(data))).toEqual([]);
    expect(frontierReport(data)).not.toContain('NaN');
  });
});

describe('tables of a frontier', () => {
  it('Markdown has them all, with hostile names escaped', () => {
    const markdown = frontierMarkdown(dataOf());
    expect(markdown.match(/^## /gm)).toHaveLength(4);
    expect(markdown).toMatch(/\| \(7, 20\) +\| +3\.000 \| +0\.\d{3} \[/);
    expect(markdown).toContain('\\<script\\>');
    expect(markdown).toContain('CV², empty lists counted');
  });

  it('at equal cost: certain differences are strong, refused ones are said once, ends are told', () => {
    const { equalCost } = dataOf();
    const table = equalCostTable(equalCost);
    const refused = table.rows.filter((row) => JSON.stringify(row).includes('outside A'));
    // Curve mass spans 2 to 8: (5, 10) at 1 is outside, for both measures. Baseline (5, 10) at .5 is outside both curves.
    expect(refused).toHaveLength(3);
    expect(table.rows).toHaveLength(3 + equalCost.filter(({ comparison }) => comparison).length);
    const better = table.rows.find((row) => row[1] === 'other (0, 0)' && row[2] === 'RR@10');
    expect(better?.[6]).toMatchObject({ strong: true, text: expect.stringMatching(/^\+0\.\d+/) as string });
    const [row] = equalCost.filter(({ comparison }) => comparison);
    const unsure = equalCostTable([{ ...row!, comparison: { ...row!.comparison!, outside: 0.4 } }]);
    expect(unsure.rows[0]?.[6]).toMatchObject({
      strong: false,
      note: expect.stringContaining('in 40 % of the draws') as string,
    });
    expect(equalCostTable([{ ...row!, axis: 'bytes', cost: 4096 }]).rows[0]?.[3]).toBe('4.0 KiB');
  });
});
