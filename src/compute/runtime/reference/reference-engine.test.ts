import { describe, expect, it } from 'vitest';
import { Graph } from '../../graph/graph.ts';
import { Add, sumAll } from '../../graph/ops/index.ts';
import { describeEngine } from '../engine.suite.ts';
import { openReferenceEngine } from './reference-engine.ts';

describeEngine('reference', openReferenceEngine);

describe('reference engine in float32', () => {
  it('rounds every result where float64 does not', async () => {
    const sums: number[] = [];
    for (const precision of ['float32', 'float64'] as const) {
      const engine = await openReferenceEngine({ precision });
      const graph = new Graph();
      const x = graph.feed('x', 'float32', [1]);
      // 1 + 2⁻³⁰ is 1 in float32; the second sum brings the difference into its range.
      graph.output('y', sumAll(Add(Add(x, 2 ** -30), -1)));
      const program = await engine.compile(graph);
      const { y } = await program.run({ x: { dtype: 'float32', dims: [1], data: Float32Array.of(1) } });
      sums.push(Number(y!.data[0]));
    }
    expect(sums).toEqual([0, 2 ** -30]);
  });
});
