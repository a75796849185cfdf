import { describe, expect, it } from 'vitest';
import { Graph } from '../compute/graph/graph.ts';
import { interpret } from '../compute/runtime/reference/interpret.ts';
import { fromTensor } from '../compute/runtime/reference/tensor.ts';
import { localWindow } from './local-window.ts';
import { declareTokenLayout, maskedScore, packTokens } from './token-layout.ts';

/** Which tokens see which, for each bucket: [B][L][L]. */
function seen(lengths: readonly number[], buckets: number, distance: number): boolean[][][][] {
  const packed = packTokens(
    lengths.map((length) => new Int32Array(length)),
    { buckets, heads: 1, headSize: 2 },
  );
  const graph = new Graph();
  const layout = declareTokenLayout(graph, packed.bucketCount);
  const mask = localWindow(layout, distance);
  const masks = layout.buckets.map((bucket) => mask(bucket));
  const feeds = Object.entries(packed.feeds).map(([name, tensor]) => [name, fromTensor(tensor)] as const);
  const values = interpret(graph, new Map(feeds));
  return masks.map(({ name }) => {
    const { dims, data } = values.get(name)!;
    const [sequences, one, rows, columns] = dims as [number, number, number, number];
    expect([one, rows]).toEqual([1, columns]);
    for (const score of data) expect([0, maskedScore, 2 * maskedScore]).toContain(score);
    return Array.from({ length: sequences }, (_, b) =>
      Array.from({ length: rows }, (_, i) =>
        Array.from({ length: columns }, (_, j) => data[(b * rows + i) * columns + j] === 0),
      ),
    );
  });
}

describe('localWindow', () => {
  it.each([0, 1, 2, 6, 100])('lets tokens see others up to a distance of %i, and no padding', (distance) => {
    const lengths = [7, 1, 4, 3];
    const sorted = [...lengths].sort((a, b) => a - b);
    for (const buckets of [1, 2, 4]) {
      const found = seen(lengths, buckets, distance).flat();
      expect(found).toHaveLength(lengths.length);
      found.forEach((rows, s) => {
        rows.forEach((row, i) => {
          row.forEach((sees, j) => {
            expect(sees, `${i} sees ${j}`).toBe(j < sorted[s]! && Math.abs(i - j) <= distance);
          });
        });
      });
    }
  });

  it('makes one mask a bucket, however many layers ask', () => {
    const graph = new Graph();
    const layout = declareTokenLayout(graph, 2);
    const mask = localWindow(layout, 3);
    expect(mask(layout.buckets[0]!)).toBe(mask(layout.buckets[0]!));
    expect(mask(layout.buckets[0]!)).not.toBe(mask(layout.buckets[1]!));
  });
});
