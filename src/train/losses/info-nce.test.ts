import { describe, expect, it } from 'vitest';
import { addGradients } from '../../compute/graph/autodiff.ts';
import { Graph } from '../../compute/graph/graph.ts';
import { MatMul } from '../../compute/graph/ops/index.ts';
import type { Tensor } from '../../compute/runtime/engine.ts';
import { interpret } from '../../compute/runtime/reference/interpret.ts';
import { fromTensor } from '../../compute/runtime/reference/tensor.ts';
import { Random } from '../../util/random.ts';
import { InfoNceLoss } from './info-nce.ts';
import type { BatchRelevance } from './loss.ts';

const vocabulary = 7;

interface Case {
  readonly queryCount: number;
  readonly documentCount: number;
  readonly temperature?: number;
  readonly otherPositives?: BatchRelevance['otherPositives'];
  /** Weights are multiplied by this. */
  readonly scale?: number;
}

function run({ queryCount, documentCount, temperature, otherPositives = [], scale = 1 }: Case) {
  const random = new Random(4);
  const matrix = (columns: number): Tensor => {
    const data = Float32Array.from({ length: vocabulary * columns }, () => scale * random.uniform());
    return { dtype: 'float32', dims: [vocabulary, columns], data };
  };
  const [queries, documents] = [matrix(queryCount), matrix(documentCount)];
  const graph = new Graph();
  const loss = new InfoNceLoss(temperature === undefined ? {} : { temperature });
  const value = loss.build(
    graph,
    MatMul(graph.variable('queries', queries.dims), graph.variable('documents', documents.dims), { transA: true }),
  );
  addGradients(graph, value);
  const feeds = loss.feeds({ queryCount, documentCount, otherPositives, ownNegatives: [], teacherScores: [] });
  const inputs = Object.entries({ queries, documents, ...feeds }).map(([name, x]) => [name, fromTensor(x)] as const);
  const values = interpret(graph, new Map(inputs));
  const gradient = (name: string): Float64Array => values.get(graph.gradientOutputs.get(name)!.name)!.data;
  return {
    queries: queries.data as Float32Array,
    documents: documents.data as Float32Array,
    loss: values.get(value.name)!.data[0]!,
    gradients: { queries: gradient('queries'), documents: gradient('documents') },
  };
}

/** mean −log softmax at the positive, and its gradients ∂L/∂s_ij = (p_ij − [i = j]) / Q, s = q·d/τ. */
function closedForm(given: Case, queries: Float32Array, documents: Float32Array) {
  const { queryCount: Q, documentCount: D, temperature = 1, otherPositives = [] } = given;
  const gradients = { queries: new Float64Array(vocabulary * Q), documents: new Float64Array(vocabulary * D) };
  let loss = 0;
  for (let i = 0; i < Q; i++) {
    const counts = Array.from({ length: D }, (_, j) => !otherPositives.some(([q, d]) => q === i && d === j));
    const scores = counts.map((_, j) => {
      let dot = 0;
      for (let v = 0; v < vocabulary; v++) dot += queries[v * Q + i]! * documents[v * D + j]!;
      return dot / temperature;
    });
    const highest = Math.max(...scores.filter((_, j) => counts[j]));
    const exponentials = scores.map((score, j) => (counts[j] ? Math.exp(score - highest) : 0));
    const total = exponentials.reduce((a, b) => a + b);
    loss += (Math.log(total) + highest - scores[i]!) / Q;
    for (let j = 0; j < D; j++) {
      const slope = (exponentials[j]! / total - (i === j ? 1 : 0)) / Q / temperature;
      for (let v = 0; v < vocabulary; v++) {
        gradients.queries[v * Q + i]! += slope * documents[v * D + j]!;
        gradients.documents[v * D + j]! += slope * queries[v * Q + i]!;
      }
    }
  }
  return { loss, gradients };
}

describe('InfoNceLoss', () => {
  it.each([
    ['in-batch negatives', { queryCount: 3, documentCount: 3 }],
    ['hard negatives', { queryCount: 3, documentCount: 5 }],
    ['a temperature', { queryCount: 3, documentCount: 4, temperature: 0.05 }],
    ['large scores', { queryCount: 3, documentCount: 4, scale: 100 }],
    [
      'other positives',
      {
        queryCount: 3,
        documentCount: 5,
        otherPositives: [
          [0, 1],
          [0, 4],
          [2, 0],
        ],
      },
    ],
    ['one query and one document', { queryCount: 1, documentCount: 1 }],
  ] as const satisfies readonly (readonly [string, Case])[])('equals its closed form: %s', (_title, given) => {
    const { queries, documents, loss, gradients } = run(given);
    const wanted = closedForm(given, queries, documents);
    expect(loss).toBeCloseTo(wanted.loss, 10);
    for (const side of ['queries', 'documents'] as const) {
      gradients[side].forEach((x, i) => {
        expect(x).toBeCloseTo(wanted.gradients[side][i]!, 10);
      });
    }
  });

  it('pays no attention to a document that is relevant as well', () => {
    const given = { queryCount: 2, documentCount: 3, scale: 3 };
    const masked = run({
      ...given,
      otherPositives: [
        [0, 2],
        [1, 2],
      ],
    });
    const column = Array.from({ length: vocabulary }, (_, v) => masked.gradients.documents[v * 3 + 2]!);
    expect(column.every((x) => x === 0)).toBe(true);
    expect(masked.loss).toBeLessThan(run(given).loss);
  });

  it('is log D where all scores are equal', () => {
    expect(run({ queryCount: 4, documentCount: 6, scale: 0 }).loss).toBeCloseTo(Math.log(6), 12);
  });
});
