import { describe, expect, it } from 'vitest';
import { checkGradients } from '../../test/gradient/check-gradients.ts';
import { addGradients } from '../compute/graph/autodiff.ts';
import { Graph } from '../compute/graph/graph.ts';
import { Mul, sumAll } from '../compute/graph/ops/index.ts';
import type { Tensor } from '../compute/runtime/engine.ts';
import { interpret } from '../compute/runtime/reference/interpret.ts';
import { fromTensor } from '../compute/runtime/reference/tensor.ts';
import { Random } from '../util/random.ts';
import { attention } from './attention.ts';
import { declareTokenLayout, packTokens } from './token-layout.ts';

const [heads, headSize] = [2, 3];
const width = heads * headSize;
const lengths = [3, 1, 5, 2, 5];
const tokens = lengths.reduce((sum, length) => sum + length, 0);

function build(buckets: number) {
  const random = new Random(2);
  const normal = (): Tensor => {
    const data = Float32Array.from({ length: tokens * width }, () => random.normal());
    return { dtype: 'float32', dims: [tokens, width], data };
  };
  const variables = { query: normal(), key: normal(), value: normal() };
  const packed = packTokens(
    lengths.map((length) => new Int32Array(length)),
    { buckets, heads, headSize },
  );
  const graph = new Graph();
  const layout = declareTokenLayout(graph, buckets);
  const [query, key, value] = Object.keys(variables).map((name) => graph.variable(name, [tokens, width]));
  const result = attention(query!, key!, value!, heads, layout);
  const loss = sumAll(Mul(result, graph.feed('upstream', 'float32', ['T', width])));
  addGradients(graph, loss);
  return { variables, feeds: { ...packed.feeds, upstream: normal() }, graph, loss, result };
}

/** softmax(QKᵀ/√d)·V, sequence by sequence and head by head. Packed tokens are in order of length. */
function naive({ query, key, value }: Readonly<Record<'query' | 'key' | 'value', Tensor>>): number[] {
  const at = ({ data }: Tensor, token: number, column: number): number =>
    (data as Float32Array)[token * width + column]!;
  const result = new Array<number>(tokens * width).fill(0);
  let start = 0;
  for (const length of [...lengths].sort((a, b) => a - b)) {
    for (let head = 0; head < heads; head++) {
      const columns = Array.from({ length: headSize }, (_, i) => head * headSize + i);
      for (let i = start; i < start + length; i++) {
        const weights = Array.from({ length }, (_, j) => {
          const product = columns.reduce((sum, c) => sum + at(query, i, c) * at(key, start + j, c), 0);
          return Math.exp(product / Math.sqrt(headSize));
        });
        const total = weights.reduce((a, b) => a + b);
        for (const c of columns) {
          result[i * width + c] = weights.reduce((sum, w, j) => sum + (w / total) * at(value, start + j, c), 0);
        }
      }
    }
    start += length;
  }
  return result;
}

describe('attention', () => {
  it.each([1, 2, 4])('equals attention sequence by sequence, in %i buckets', (buckets) => {
    const { variables, feeds, graph, result } = build(buckets);
    const inputs = new Map(
      Object.entries({ ...variables, ...feeds }).map(([name, tensor]) => [name, fromTensor(tensor)]),
    );
    const { data } = interpret(graph, inputs).get(result.name)!;
    const wanted = naive(variables);
    expect(data).toHaveLength(wanted.length);
    data.forEach((x, i) => {
      expect(x).toBeCloseTo(wanted[i]!, 12);
    });
  });

  it.each([1, 3])('has the gradients of finite differences, in %i buckets', (buckets) => {
    const gradients = checkGradients(build(buckets), { elements: 12 });
    expect([...gradients.keys()].sort()).toEqual(['key', 'query', 'value']);
  });
});
