import { describe, expect, it } from 'vitest';
import { addGradients } from '../compute/graph/autodiff.ts';
import { Graph } from '../compute/graph/graph.ts';
import { Mul, sumAll } from '../compute/graph/ops/index.ts';
import type { Tensor } from '../compute/runtime/engine.ts';
import { interpretedGradients } from '../compute/runtime/reference/gradients.ts';
import { interpret } from '../compute/runtime/reference/interpret.ts';
import { fromTensor } from '../compute/runtime/reference/tensor.ts';
import { Random } from '../util/random.ts';
import { pooledLogits, type SpladeActivation, spladeActivation, vocabularyTile } from './splade-pooling.ts';
import { declareTokenLayout, packTokens } from './token-layout.ts';

interface Case {
  readonly vocabulary: number;
  readonly width: number;
  readonly lengths: readonly number[];
  readonly buckets: number;
  readonly activation: SpladeActivation;
  /** Added to every output bias. */
  readonly bias?: number;
}

/** Runs the head and its backward pass on random numbers; the loss is Σ upstream·weights. */
function runHead({ vocabulary, width, lengths, buckets, activation, bias = -1 }: Case) {
  const random = new Random(5);
  const normal = (dims: readonly number[], mean = 0): Tensor => {
    const length = dims.reduce((product, dim) => product * dim, 1);
    return { dtype: 'float32', dims, data: Float32Array.from({ length }, () => mean + random.normal()) };
  };
  const packed = packTokens(
    lengths.map((length) => new Int32Array(length)),
    { buckets, heads: 1, headSize: width },
  );
  const count = lengths.length;
  const inputs: Record<string, Tensor> = {
    hidden: normal([packed.tokenCount, width]),
    weight: normal([vocabulary, width]),
    bias: normal([vocabulary], bias),
    upstream: normal([vocabulary, count]),
  };
  const graph = new Graph();
  const layout = declareTokenLayout(graph, packed.bucketCount);
  const [hidden, weight, biases] = ['hidden', 'weight', 'bias'].map((name) => graph.variable(name, inputs[name]!.dims));
  const logits = pooledLogits(hidden!, weight!, biases!, layout, true);
  const weights = spladeActivation(logits, activation);
  const loss = sumAll(Mul(weights, graph.feed('upstream', 'float32', weights.dims)));
  addGradients(graph, loss);
  const tensors = Object.entries({ ...inputs, ...packed.feeds }).map(
    ([name, tensor]) => [name, fromTensor(tensor)] as const,
  );
  const values = interpret(graph, new Map(tensors));
  const gradients = interpretedGradients(graph, values);
  const found = (name: string): Float64Array => gradients.get(name)!;
  return {
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data as Float32Array])),
    weights: values.get(weights.name)!.data,
    gradients: { hidden: found('hidden'), weight: found('weight'), bias: found('bias') },
  };
}

/** The same with all logits spelled out, and gradients by the chain rule. Sequences are in order of length. */
function naive({ vocabulary, width, lengths, activation }: Case, inputs: Readonly<Record<string, Float32Array>>) {
  const { hidden, weight, bias, upstream } = inputs as Record<string, Float32Array>;
  const weights = new Float64Array(vocabulary * lengths.length);
  const gradients = {
    hidden: new Float64Array(hidden!.length),
    weight: new Float64Array(weight!.length),
    bias: new Float64Array(vocabulary),
  };
  let start = 0;
  [...lengths]
    .sort((a, b) => a - b)
    .forEach((length, s) => {
      for (let term = 0; term < vocabulary; term++) {
        const logits = Array.from({ length }, (_, i) => {
          let z = bias![term]!;
          for (let c = 0; c < width; c++) z += weight![term * width + c]! * hidden![(start + i) * width + c]!;
          return z;
        });
        const z = Math.max(...logits);
        if (z <= 0) continue;
        const token = start + logits.indexOf(z);
        const once = Math.log(1 + z);
        const at = term * lengths.length + s;
        weights[at] = activation === 'relu' ? once : Math.log(1 + once);
        const slope = 1 / (1 + z) / (activation === 'relu' ? 1 : 1 + once);
        const gradient = slope * upstream![at]!;
        gradients.bias[term]! += gradient;
        for (let c = 0; c < width; c++) {
          gradients.weight[term * width + c]! += gradient * hidden![token * width + c]!;
          gradients.hidden[token * width + c]! += gradient * weight![term * width + c]!;
        }
      }
      start += length;
    });
  return { weights, gradients };
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  expect(a).toHaveLength(b.length);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}

const small: Case = { vocabulary: 40, width: 4, lengths: [2, 5, 1, 3, 5], buckets: 2, activation: 'relu' };

describe('the pooled head', () => {
  it.each([
    ['in one bucket', { ...small, buckets: 1 }],
    ['in as many buckets as sequences', { ...small, buckets: 5 }],
    ['with log1p_relu', { ...small, activation: 'log1p_relu' }],
    ['with one sequence of one token', { ...small, lengths: [1], buckets: 1 }],
    ['over three tiles', { ...small, vocabulary: 2500, width: 8 }],
    ['over a vocabulary that fills its tiles', { ...small, vocabulary: 2 * vocabularyTile, width: 2, lengths: [2, 1] }],
    ['over one row more than a tile', { ...small, vocabulary: vocabularyTile + 1, width: 2, lengths: [2, 1] }],
  ] as const satisfies readonly (readonly [string, Case])[])('equals all logits spelled out: %s', (_title, given) => {
    const { inputs, weights, gradients } = runHead(given);
    const wanted = naive(given, inputs);
    const active = wanted.weights.filter((x) => x > 0).length / wanted.weights.length;
    expect(active).toBeGreaterThan(0.1);
    expect(active).toBeLessThan(0.9);
    expect(largestDifference(weights, wanted.weights)).toBeLessThan(1e-12);
    for (const name of ['hidden', 'weight', 'bias'] as const) {
      expect(largestDifference(gradients[name], wanted.gradients[name]), name).toBeLessThan(1e-10);
    }
  });

  it.each([small, { ...small, vocabulary: 2500 }])('has zero gradients where no term is active', (given) => {
    const { weights, gradients } = runHead({ ...given, bias: -1000 });
    expect(weights.every((x) => x === 0)).toBe(true);
    for (const [name, gradient] of Object.entries(gradients)) {
      expect(
        gradient.every((x) => x === 0),
        name,
      ).toBe(true);
      expect(gradient.length, name).toBeGreaterThan(0);
    }
  });
});
