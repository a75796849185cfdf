import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Run } from '../data/run.ts';
import { reciprocalRankFusion } from './reciprocal-rank-fusion.ts';

/** A run of one query whose documents have falling scores. */
const run = (...docids: string[]): Run => new Map([['q', docids.map((docid, i) => ({ docid, score: 9 - i }))]]);

describe('reciprocalRankFusion', () => {
  it('adds reciprocal ranks', () => {
    const fused = reciprocalRankFusion([run('a', 'b', 'c'), run('c', 'a')]).get('q');
    expect(fused?.map(({ docid }) => docid)).toEqual(['a', 'c', 'b']);
    expect(fused?.map(({ score }) => score)).toEqual(
      [1 / 61 + 1 / 62, 1 / 63 + 1 / 61, 1 / 62].map((score) => Math.fround(score)),
    );
  });

  it('breaks ties by docid descending, and they tie exactly whichever runs the ranks come from', () => {
    const three = [run('a', 'b', 'c'), run('b', 'c', 'a'), run('c', 'a', 'b')];
    const hits = reciprocalRankFusion(three).get('q')!;
    expect(hits.map(({ docid }) => docid)).toEqual(['c', 'b', 'a']);
    expect(new Set(hits.map(({ score }) => score)).size).toBe(1);
  });

  it('ranks by score and tie rule, not by the order given', () => {
    const unsorted: Run = new Map([
      [
        'q',
        [
          { docid: 'a', score: 1 },
          { docid: 'b', score: 1 },
          { docid: 'c', score: 2 },
        ],
      ],
    ]);
    expect(
      reciprocalRankFusion([unsorted])
        .get('q')!
        .map(({ docid }) => docid),
    ).toEqual(['c', 'b', 'a']);
  });

  it('weights runs, cuts, and keeps queries of any run', () => {
    const other: Run = new Map([['r', []]]);
    const options = { weights: [1, 3, 1], rankConstant: 0, k: 2 };
    const fused = reciprocalRankFusion([run('a', 'b', 'c'), run('b', 'a', 'c'), other], options);
    expect([...fused]).toEqual([
      [
        'q',
        [
          { docid: 'b', score: 3.5 },
          { docid: 'a', score: 2.5 },
        ],
      ],
      ['r', []],
    ]);
  });

  it('of a run with itself keeps its order, and the order of runs does not matter', () => {
    const docids = fc.uniqueArray(fc.stringMatching(/^[a-f]{1,3}$/), { maxLength: 12 });
    fc.assert(
      fc.property(docids, docids, docids, (a, b, c) => {
        expect(
          reciprocalRankFusion([run(...a), run(...a)])
            .get('q')!
            .map(({ docid }) => docid),
        ).toEqual(a);
        const runs = [run(...a), run(...b), run(...c)];
        expect(reciprocalRankFusion(runs)).toEqual(reciprocalRankFusion([...runs].reverse()));
      }),
    );
  });

  it('refuses repeated documents and options out of range', () => {
    expect(() => reciprocalRankFusion([run('a', 'a')])).toThrow(/a occurs twice for query q/);
    expect(() => reciprocalRankFusion([run('a')], { weights: [1, 2] })).toThrow(/1 weights/);
    expect(() => reciprocalRankFusion([run('a')], { weights: [-1] })).toThrow(/weights/);
    expect(() => reciprocalRankFusion([run('a')], { rankConstant: -1 })).toThrow(/rankConstant/);
    expect(() => reciprocalRankFusion([run('a')], { k: 0 })).toThrow(/k must be/);
  });
});
