import { describe, expect, it } from 'vitest';
import { Graph } from '../compute/graph/graph.ts';
import { interpret } from '../compute/runtime/reference/interpret.ts';
import { fromTensor } from '../compute/runtime/reference/tensor.ts';
import { Random } from '../util/random.ts';
import { ntkFrequencies, rotaryFrequencies, rotaryRotation } from './rotary-positions.ts';
import { declareTokenLayout, packTokens } from './token-layout.ts';

describe('rotaryFrequencies', () => {
  it('are those of PyTorch, to the last place but one', () => {
    // 1 / θ ** (torch.arange(0, d, 2, dtype=torch.float) / d), at some places
    const frequencies = rotaryFrequencies(160_000, 64);
    expect(frequencies).toHaveLength(32);
    for (const [at, expected] of [
      [0, 1],
      [1, 0.687656044960022],
      [5, 0.15376456081867218],
      [17, 0.0017191400984302163],
      [31, 9.088847036764491e-6],
    ] as const) {
      expect(Math.abs(frequencies[at]! / expected - 1)).toBeLessThan(2 ** -22);
    }
    expect([...rotaryFrequencies(10_000, 8)]).toEqual([1, 0.1, 0.01, 0.001].map(Math.fround));
  });

  it('grow slower with NTK scaling, and are the same with a factor of 1', () => {
    expect(ntkFrequencies(20_000, 16, 1)).toEqual(rotaryFrequencies(20_000, 16));
    const [plain, scaled] = [rotaryFrequencies(20_000, 16), ntkFrequencies(20_000, 16, 8)];
    expect(scaled[0]).toBeCloseTo(8 ** (-2 / 16), 6);
    // The slowest pair turns slower by the whole factor: θ to the power (d − 2)/d, and 2/d on top.
    expect(plain[7]! / scaled[7]!).toBeCloseTo(8, 4);
  });
});

describe('rotaryRotation', () => {
  const [heads, headSize] = [2, 6];
  const width = heads * headSize;
  const length = 9;

  it('keeps lengths, and makes products depend on how far apart tokens are', () => {
    const packed = packTokens([new Int32Array(length)], { buckets: 1, heads, headSize });
    const graph = new Graph();
    const layout = declareTokenLayout(graph, 1);
    const rotate = rotaryRotation(graph, rotaryFrequencies(100, headSize), layout);
    const query = rotate(graph.feed('query', 'float32', ['T', width]));
    const key = rotate(graph.feed('key', 'float32', ['T', width]));
    const random = new Random(1);
    // The same query and key at every token.
    const repeated = () => {
      const one = Array.from({ length: width }, () => random.normal());
      const data = Float32Array.from({ length: length * width }, (_, i) => one[i % width]!);
      return { dtype: 'float32', dims: [length, width], data } as const;
    };
    const feeds = { ...packed.feeds, query: repeated(), key: repeated() };
    const values = interpret(graph, new Map(Object.entries(feeds).map(([name, tensor]) => [name, fromTensor(tensor)])));
    const product = (a: string, i: number, b: string, j: number, head: number): number => {
      let sum = 0;
      for (let f = head * headSize; f < (head + 1) * headSize; f++) {
        sum += values.get(a)!.data[i * width + f]! * values.get(b)!.data[j * width + f]!;
      }
      return sum;
    };
    for (const head of [0, 1]) {
      for (let i = 0; i < length; i++) {
        expect(product(query.name, i, query.name, i, head)).toBeCloseTo(product('query', 0, 'query', 0, head), 5);
        for (let j = 1; j <= i; j++) {
          const moved = product(query.name, i - 1, key.name, j - 1, head);
          expect(product(query.name, i, key.name, j, head)).toBeCloseTo(moved, 5);
        }
      }
      expect(product(query.name, 4, key.name, 0, head)).not.toBeCloseTo(product(query.name, 0, key.name, 0, head), 2);
    }
    for (let f = 0; f < width; f++) expect(values.get(query.name)!.data[f]).toBe(values.get('query')!.data[f]);
  });
});
