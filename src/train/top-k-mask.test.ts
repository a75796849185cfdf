import { describe, expect, it } from 'vitest';
import { columnsOf } from '../../test/fixtures/batch-weights.ts';
import { checkGradients } from '../../test/gradient/check-gradients.ts';
import { addGradients } from '../compute/graph/autodiff.ts';
import { Graph } from '../compute/graph/graph.ts';
import { Mul, sumAll } from '../compute/graph/ops/index.ts';
import { openOrtEngine } from '../compute/runtime/ort-engine.ts';
import { openReferenceEngine } from '../compute/runtime/reference/reference-engine.ts';
import { Random } from '../util/random.ts';
import { keepTopTerms } from '../vectors/prune/keep-top-terms.ts';
import { keepTopWeights } from './top-k-mask.ts';

/** What encoding with `maxActiveDims` would keep of a vector. */
function pruned(vector: readonly number[], k: number): number[] {
  const active = [...vector.keys()].filter((v) => vector[v] !== 0);
  const kept = keepTopTerms(
    { indices: Uint32Array.from(active), values: Float32Array.from(active, (v) => vector[v]!) },
    k,
  );
  const result = vector.map(() => 0);
  kept.indices.forEach((v, i) => {
    result[v] = kept.values[i]!;
  });
  return result;
}

describe('keepTopWeights', () => {
  it.each([
    ['reference', openReferenceEngine],
    ['onnxruntime', () => openOrtEngine({ threads: 2 })],
  ] as const)('keeps what maxActiveDims keeps, ties included (%s)', async (_name, open) => {
    const random = new Random(2);
    const engine = await open();
    try {
      for (const [terms, vectors, k, levels] of [
        [9, 3, 1, 3],
        [9, 1, 8, 2],
        [400, 5, 7, 6],
        [400, 5, 150, 6],
        [400, 4, 399, 1000],
        [3000, 3, 1000, 40],
      ] as const) {
        const rows = Array.from({ length: vectors }, () =>
          Array.from({ length: terms }, () => Math.max(0, random.integer(levels) - levels / 3)),
        );
        const graph = new Graph();
        graph.output('kept', keepTopWeights(graph.feed('weights', 'float32', [terms, 'B']), k));
        const program = await engine.compile(graph);
        const { kept } = await program.run({ weights: columnsOf(rows) });
        expect(kept).toEqual(columnsOf(rows.map((row) => pruned(row, k))));
        await program.dispose();
      }
    } finally {
      await engine.dispose();
    }
  });

  it('lets a gradient through kept terms only', () => {
    const random = new Random(3);
    const [terms, vectors, k] = [8, 4, 3];
    const rows = Array.from({ length: vectors }, () =>
      random.shuffle(Array.from({ length: terms }, (_, v) => 0.5 + 0.2 * v)),
    );
    const graph = new Graph();
    const kept = keepTopWeights(graph.variable('weights', [terms, vectors]), k);
    const loss = sumAll(Mul(kept, kept));
    addGradients(graph, loss);
    const gradient = checkGradients({ graph, loss, variables: { weights: columnsOf(rows) }, feeds: {} }).get(
      'weights',
    )!;
    const wanted = columnsOf(rows.map((row) => pruned(row, k).map((weight) => 2 * weight))).data as Float32Array;
    gradient.forEach((g, i) => {
      expect(g).toBeCloseTo(wanted[i]!, 6);
    });
  });

  it('is nothing where all terms may stay, and refuses to keep none', () => {
    const graph = new Graph();
    const weights = graph.variable('weights', [3, 2]);
    expect(keepTopWeights(weights, 3)).toBe(weights);
    expect(keepTopWeights(weights, 4)).toBe(weights);
    for (const k of [0, -1, 1.5, Number.NaN]) expect(() => keepTopWeights(weights, k)).toThrow('at least 1 expected');
  });
});
