import { expect, it } from 'vitest';
import { addGradients } from '../../compute/graph/autodiff.ts';
import { Graph } from '../../compute/graph/graph.ts';
import { interpret } from '../../compute/runtime/reference/interpret.ts';
import { FlopsRegularizer } from './flops.ts';

it('is the sum of squared mean weights, with the gradient 2·mean/B', () => {
  const [terms, columns] = [3, 4];
  // biome-ignore format: one row a term
  const data = Float64Array.of(
    1, 0, 2, 1,
    0, 0, 0, 0,
    3, 0, 0, 0,
  );
  const graph = new Graph();
  const weights = graph.variable('weights', [terms, columns]);
  const value = new FlopsRegularizer().build(graph, { queries: weights, documents: weights }, 'documents');
  addGradients(graph, value);
  const values = interpret(graph, new Map([['weights', { dtype: 'float32', dims: [terms, columns], data }]]));
  expect(value.dims).toEqual([]);
  expect(values.get(value.name)!.data).toEqual(Float64Array.of(1 + 0 + 0.75 ** 2));
  const gradient = values.get(graph.gradientOutputs.get('weights')!.name)!.data;
  const slopes = [1, 0, 0.75].map((mean) => (2 * mean) / columns);
  expect([...gradient]).toEqual(slopes.flatMap((slope) => [slope, slope, slope, slope]));
});
