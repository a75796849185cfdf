/** Rows that are used many times: their gradients must not depend on how many threads add them up. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addGradients } from '../../src/compute/graph/autodiff.ts';
import { Graph } from '../../src/compute/graph/graph.ts';
import { Gather, sumAll, Tanh } from '../../src/compute/graph/ops/index.ts';
import type { Engine } from '../../src/compute/runtime/engine.ts';
import { openOrtEngine } from '../../src/compute/runtime/ort-engine.ts';

describe('repeated rows on two threads', () => {
  const [rows, width, count] = [5, 64, 20_000];
  const ids = BigInt64Array.from({ length: count }, (_, i) => BigInt((i * 7919) % rows));
  let engine: Engine;
  beforeAll(async () => {
    engine = await openOrtEngine({ threads: 2 });
    await engine.createVariables([{ name: 'table', dims: [rows, width], trainable: true }]);
  });
  afterAll(() => engine.dispose());

  it.each(['of a variable', 'of a value in the graph'])('counts every use %s', async (which) => {
    const graph = new Graph();
    const table = graph.variable('table', [rows, width]);
    const gathered = which === 'of a variable' ? table : Tanh(table); // tanh′(0) = 1
    addGradients(graph, sumAll(Gather(gathered, graph.feed('ids', 'int64', ['n']))));
    const program = await engine.compile(graph);
    for (let run = 0; run < 3; run++) {
      await program.run({ ids: { dtype: 'int64', dims: [count], data: ids } });
      expect(new Set(await engine.readVariable('table', 'gradient'))).toEqual(new Set([count / rows]));
    }
    await program.dispose();
  });
});
