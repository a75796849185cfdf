import { describe, expect, it } from 'vitest';
import { checkGradients } from '../../test/gradient/check-gradients.ts';
import { addGradients } from '../compute/graph/autodiff.ts';
import { Graph, type Value } from '../compute/graph/graph.ts';
import { Mul, sumAll } from '../compute/graph/ops/index.ts';
import type { Engine, Tensor } from '../compute/runtime/engine.ts';
import { openOrtEngine } from '../compute/runtime/ort-engine.ts';
import { openReferenceEngine } from '../compute/runtime/reference/reference-engine.ts';
import {
  staticQueryFeeds,
  staticQueryWeights,
  tokenWeightsName,
  tokenWeightsVariable,
} from './static-query-weights.ts';

const dimensions = 7;
/** Token 4 in three queries, twice in the first; the third has no token. */
const queries = [[4, 2, 4], [4, 6], [], [0, 4]].map((ids) => Int32Array.from(ids));
const table = Float32Array.of(0.5, 1, -2, 4, 0.25, 3, -0.75);

/** Loss Σ c·q², so that gradients differ from place to place. */
function build(rectified: boolean): { graph: Graph; weights: Value; loss: Value; factors: Tensor } {
  const graph = new Graph();
  const weights = staticQueryWeights(graph, { dimensions, rectified });
  const factor = graph.feed('factor', 'float32', [dimensions, 'Q']);
  const loss = sumAll(Mul(factor, Mul(weights, weights)));
  addGradients(graph, loss);
  const data = Float32Array.from({ length: dimensions * queries.length }, (_, i) => 1 + i / 8);
  return { graph, weights, loss, factors: { dtype: 'float32', dims: [dimensions, queries.length], data } };
}

const engines: readonly (readonly [string, () => Promise<Engine> | Engine])[] = [
  ['the reference engine', () => openReferenceEngine()],
  ['onnxruntime', () => openOrtEngine({ threads: 1 })],
];

describe.each([false, true])('term weights of queries, rectified: %s', (rectified) => {
  const weight = (term: number): number => (rectified ? Math.max(0, table[term]!) : table[term]!);
  const expected = new Float32Array(dimensions * queries.length);
  queries.forEach((ids, query) => {
    for (const term of ids) expected[term * queries.length + query] = weight(term);
  });

  it.each(engines)('are the table at the tokens that occur, once, with %s', async (_, open) => {
    const { graph, weights, factors } = build(rectified);
    graph.output('weights', weights);
    const engine = await open();
    try {
      await engine.createVariables([tokenWeightsVariable(dimensions, true)]);
      await engine.writeVariable(tokenWeightsName, 'value', table);
      const program = await engine.compile(graph);
      const found = await program.run({ ...staticQueryFeeds(queries, dimensions), factor: factors });
      expect(found.weights!.dims).toEqual([dimensions, queries.length]);
      expect(found.weights!.data).toEqual(expected);
      // d/dw_t Σ_j c_tj·w_t² = 2·w_t·Σ_j c_tj over the queries j with token t
      const gradient = table.map((value, term) => {
        const sum = queries
          .map((ids, j) => (ids.includes(term) ? Number(factors.data[term * queries.length + j]) : 0))
          .reduce((total, factor) => total + factor);
        return 2 * (rectified && value <= 0 ? 0 : value) * sum;
      });
      expect(await engine.readVariable(tokenWeightsName, 'gradient')).toEqual(gradient);
      const none = await program.run({
        ...staticQueryFeeds([new Int32Array()], dimensions),
        factor: { dtype: 'float32', dims: [dimensions, 1], data: new Float32Array(dimensions) },
      });
      expect(none.weights!.data).toEqual(new Float32Array(dimensions));
      expect(await engine.readVariable(tokenWeightsName, 'gradient')).toEqual(new Float32Array(dimensions));
    } finally {
      await engine.dispose();
    }
  });

  it('have the gradient of finite differences', () => {
    const { graph, loss, factors } = build(rectified);
    const variables = { [tokenWeightsName]: { dtype: 'float32', dims: [dimensions, 1], data: table } as const };
    const feeds = { ...staticQueryFeeds(queries, dimensions), factor: factors };
    const gradient = checkGradients({ graph, loss, variables, feeds }).get(tokenWeightsName)!;
    expect([...gradient.keys()].filter((term) => gradient[term] !== 0)).toEqual(rectified ? [0, 4] : [0, 2, 4, 6]);
  });
});
