import { expect, it } from 'vitest';
import { Graph } from '../compute/graph/graph.ts';
import { fillDropoutMask } from '../compute/runtime/dropout-mask.ts';
import type { DropoutFeed } from '../compute/runtime/engine.ts';
import { Dropout } from './dropout.ts';

function maskOf({ dims, dropout: { rate, seed } }: DropoutFeed): Float32Array {
  const mask = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
  fillDropoutMask(mask, rate, seed);
  return mask;
}

it('builds nothing without a rate', () => {
  const graph = new Graph();
  const dropout = new Dropout(graph, 0);
  const x = graph.feed('x', 'float32', ['T', 4]);
  expect(dropout.apply(x)).toBe(x);
  expect(graph.nodes).toEqual([]);
  expect(dropout.feeds({ T: 3 }, 1, 1)).toEqual({});
});

it('has a mask for each site, of the size of its values, that follows from seed, step and site', () => {
  const graph = new Graph();
  const dropout = new Dropout(graph, 0.25);
  dropout.apply(graph.feed('x', 'float32', ['T', 4]));
  dropout.apply(graph.feed('y', 'float32', [2, 'T', 8]));
  const feeds = dropout.feeds({ T: 1000 }, 7, 3);
  expect(Object.values(feeds).map(({ dims }) => dims)).toEqual([
    [1000, 4],
    [2, 1000, 8],
  ]);
  expect([...graph.feeds.keys()]).toEqual(expect.arrayContaining(Object.keys(feeds)));
  expect(dropout.feeds({ T: 1000 }, 7, 3)).toEqual(feeds);
  const seedsOf = (some: Record<string, DropoutFeed>): number[] => Object.values(some).map((feed) => feed.dropout.seed);
  const others = [feeds, dropout.feeds({ T: 1000 }, 8, 3), dropout.feeds({ T: 1000 }, 7, 4)].flatMap(seedsOf);
  expect(new Set(others).size).toBe(6);
});

it('drops a share of about the rate, and keeps the mean', () => {
  const graph = new Graph();
  const dropout = new Dropout(graph, 0.25);
  dropout.apply(graph.feed('x', 'float32', ['T', 64]));
  const mask = maskOf(Object.values(dropout.feeds({ T: 1000 }, 7, 3))[0]!);
  const dropped = mask.filter((x) => x === 0).length / mask.length;
  // 64,000 draws: the standard deviation of the share is 0.0017
  expect(Math.abs(dropped - 0.25)).toBeLessThan(0.01);
  expect(new Set(mask)).toEqual(new Set([0, Math.fround(4 / 3)]));
});
