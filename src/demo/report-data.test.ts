import { describe, expect, it } from 'vitest';
import type { BeirCollection } from '../data/load-beir.ts';
import type { Run } from '../data/run.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { SparseVectors } from '../vectors/sparse-vectors.ts';
import { comparison, devCurve, examples, expansions, systemRow, trainingSteps } from './report-data.ts';

const qids = Array.from({ length: 7 }, (_, i) => `q${i}`);
const collection: BeirCollection = {
  name: 'test',
  split: 'test',
  queries: qids.map((qid) => ({ qid, text: `text of ${qid}` })),
  qrels: new Map(qids.map((qid, i) => [qid, new Map([[`d${i}`, 1]])])),
  documentCount: 7,
  async *documents() {},
  countDocuments: async () => 7,
};
const titles = new Map(qids.map((_, i) => [`d${i}`, `title ${i}`]));
/** Finds the document of query i at rank i % 3 + 1, or not at all where `misses` says so. */
function runOf(misses: (i: number) => boolean): Run {
  return new Map(
    qids.map((qid, i) => {
      const others = ['x', 'y', 'z'].slice(0, i % 3).map((docid, at) => ({ docid, score: 9 - at }));
      return [qid, misses(i) ? others : [...others, { docid: `d${i}`, score: 1 }]];
    }),
  );
}
const good = { name: 'good', run: runOf(() => false) };
const bad = { name: 'bad', run: runOf((i) => i > 2) };

describe('the table', () => {
  it('has means over all held-out queries, in intervals that hold them', () => {
    const { name, measures, flops } = systemRow(bad, collection, { flops: 2 });
    expect({ name, flops }).toEqual({ name: 'bad', flops: 2 });
    expect(measures['RR@10']!.mean).toBeCloseTo((1 + 1 / 2 + 1 / 3) / 7, 12);
    expect(measures['R@10']!.mean).toBeCloseTo(3 / 7, 12);
    for (const { mean, low, high } of Object.values(measures)) {
      expect(low).toBeLessThanOrEqual(mean);
      expect(high).toBeGreaterThanOrEqual(mean);
    }
  });

  it('compares b with a', () => {
    const { a, b, measures } = comparison(bad, good, collection);
    expect([a, b]).toEqual(['bad', 'good']);
    expect(measures[0]!.measure).toBe('RR@10');
    expect(measures[0]!.difference.mean).toBeCloseTo((1 + 1 / 2 + 1 / 3 + 1) / 7, 12);
  });
});

describe('the training curves', () => {
  const rows = [
    { step: 10, epoch: 0, loss: 3, base_loss: 2, seconds: 5 },
    { step: 10, epoch: 0, 'eval_dot_mrr@10': 0.2, seconds: 6 },
    { step: 20, epoch: 1, loss: 2, base_loss: 1, seconds: 9 },
  ];

  it('take steps and evaluations from their own lines', () => {
    expect(trainingSteps(rows).map(({ step, loss, baseLoss, seconds }) => [step, loss, baseLoss, seconds])).toEqual([
      [10, 3, 2, 5],
      [20, 2, 1, 9],
    ]);
    expect(devCurve(rows)).toEqual([{ step: 10, value: 0.2 }]);
  });
});

describe('the examples', () => {
  it('are every n-th query, with the rank of the first relevant document', () => {
    const found = examples(collection, [good, bad], titles, 3);
    expect(found.map(({ query }) => query)).toEqual(['text of q0', 'text of q2', 'text of q4']);
    expect(found.map(({ relevant }) => relevant)).toEqual([['title 0'], ['title 2'], ['title 4']]);
    const [first, second, third] = found;
    expect(first!.rankings).toEqual([
      { system: 'good', rank: 1, hits: [{ title: 'title 0', relevant: true }] },
      { system: 'bad', rank: 1, hits: [{ title: 'title 0', relevant: true }] },
    ]);
    expect(second!.rankings[0]).toEqual({
      system: 'good',
      rank: 3,
      hits: [
        { title: 'x', relevant: false },
        { title: 'y', relevant: false },
        { title: 'title 2', relevant: true },
      ],
    });
    expect(third!.rankings[1]).toEqual({ system: 'bad', hits: [{ title: 'x', relevant: false }] });
  });

  it('are fewer where there are fewer queries, and a query without documents has no rank', () => {
    const run = { name: 'empty', run: new Map() };
    const found = examples(collection, [run], titles, 100);
    expect(found).toHaveLength(7);
    expect(found[0]!.rankings).toEqual([{ system: 'empty', hits: [] }]);
  });
});

describe('the expansions', () => {
  const tokenizer = {
    encode: (text: string) => Int32Array.from(text.split(' '), (word) => ['title', '0', '1'].indexOf(word)),
    token: (id: number) => ['title', '0', '1'][id],
  } as unknown as Tokenizer;

  it('are terms by weight, and say which are in the text', () => {
    const row = { indices: Uint32Array.of(0, 1, 2, 9), values: Float32Array.of(1, 0.5, 2, 0.25) };
    const vectors = SparseVectors.fromRows(['d0', 'd1'], [row, row], 10);
    const documents = ['d0', 'd1'].map((docid) => ({ docid, title: titles.get(docid)!, text: '' }));
    const [first, ...others] = expansions(documents, vectors, tokenizer, 1);
    expect(others).toEqual([]);
    expect(first).toEqual({
      title: 'title 0',
      terms: [
        { token: '1', weight: 2, inText: false },
        { token: 'title', weight: 1, inText: true },
        { token: '0', weight: 0.5, inText: true },
        { token: '#9', weight: 0.25, inText: false },
      ],
    });
    expect(expansions(documents, vectors, tokenizer, 10).map(({ title }) => title)).toEqual(['title 0', 'title 1']);
  });
});
