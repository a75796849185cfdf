import { describe, expect, it } from 'vitest';
import { checkGradients } from '../../test/gradient/check-gradients.ts';
import { addGradients } from '../compute/graph/autodiff.ts';
import { Graph, type Value } from '../compute/graph/graph.ts';
import { Add, Gather, Mul, sumAll } from '../compute/graph/ops/index.ts';
import type { Tensor } from '../compute/runtime/engine.ts';
import { openOrtEngine } from '../compute/runtime/ort-engine.ts';
import { interpretedGradients } from '../compute/runtime/reference/gradients.ts';
import { interpret } from '../compute/runtime/reference/interpret.ts';
import { fromTensor } from '../compute/runtime/reference/tensor.ts';
import { Random } from '../util/random.ts';
import { decoderTile, type MaskedPart, maskedCrossEntropy, maskedFigures } from './masked-cross-entropy.ts';

interface Case {
  readonly vocabulary: number;
  readonly width?: number;
  readonly tokens?: number;
  /** Masked rows of each part. */
  readonly parts: readonly (readonly number[])[];
  readonly bias?: boolean;
  readonly tied?: boolean;
  /** Standard deviation of hidden states: large ones make logits that overflow if taken as they are. */
  readonly deviation?: number;
}

function normal(dims: readonly number[], deviation: number, random: Random): Tensor {
  const length = dims.reduce((product, dim) => product * dim, 1);
  return { dtype: 'float32', dims, data: Float32Array.from({ length }, () => deviation * random.normal()) };
}

function int64(values: readonly number[]): Tensor {
  return { dtype: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) };
}

function problem({ vocabulary, width = 3, tokens = 6, parts, bias = true, tied = false, deviation = 1 }: Case) {
  const random = new Random(4);
  const variables: Record<string, Tensor> = {
    hidden: normal([tokens, width], deviation, random),
    weight: normal([vocabulary, width], 1, random),
    ...(bias ? { bias: normal([vocabulary], 1, random) } : {}),
  };
  const feeds: Record<string, Tensor> = {};
  const graph = new Graph();
  const table = graph.variable('weight', [vocabulary, width]);
  const declared = parts.map((rows, i): MaskedPart => {
    const labels = rows.map(() => random.integer(vocabulary));
    // The same label twice, and the last row of the last tile.
    if (labels.length > 2) labels.splice(0, 3, vocabulary - 1, labels[2]!, labels[2]!);
    feeds[`rows${i}`] = int64(rows);
    feeds[`labels${i}`] = int64(labels);
    feeds[`weights${i}`] = {
      dtype: 'float32',
      dims: [rows.length, 1],
      data: Float32Array.from(rows, () => 0.1 + random.uniform()),
    };
    return {
      rows: graph.feed(`rows${i}`, 'int64', [`M${i}`]),
      labels: graph.feed(`labels${i}`, 'int64', [`M${i}`]),
      weights: graph.feed(`weights${i}`, 'float32', [`M${i}`, 1]),
    };
  });
  let hidden: Value = graph.variable('hidden', [tokens, width]);
  if (tied) {
    feeds.ids = int64(Array.from({ length: tokens }, () => random.integer(vocabulary)));
    hidden = Add(Gather(table, graph.feed('ids', 'int64', [tokens])), hidden);
  }
  const decoder = { weight: table, bias: bias ? graph.variable('bias', [vocabulary]) : undefined };
  return { graph, hidden, decoder, parts: declared, variables, feeds };
}

/** All logits spelled out, in double precision: cross-entropy and largest logit of each masked row, part by part. */
function spelledOut(given: Case) {
  const { variables, feeds } = problem(given);
  const [hidden, weight] = [variables.hidden!, variables.weight!];
  const width = hidden.dims[1]!;
  const bias = variables.bias?.data as Float32Array | undefined;
  return given.parts.flatMap((rows, part) =>
    rows.map((row, i) => {
      const logits = Array.from({ length: given.vocabulary }, (_, v) => {
        let z = bias?.[v] ?? 0;
        for (let c = 0; c < width; c++)
          z += (hidden.data[row * width + c] as number) * (weight.data[v * width + c] as number);
        return z;
      });
      const largest = logits.reduce((a, b) => Math.max(a, b));
      const total = largest + Math.log(logits.reduce((sum, z) => sum + Math.exp(z - largest), 0));
      const label = Number(feeds[`labels${part}`]!.data[i]);
      return {
        loss: total - logits[label]!,
        weight: feeds[`weights${part}`]!.data[i] as number,
        prediction: logits.indexOf(largest),
      };
    }),
  );
}

function values({ graph, variables, feeds }: ReturnType<typeof problem>) {
  return interpret(
    graph,
    new Map(Object.entries({ ...variables, ...feeds }).map(([name, tensor]) => [name, fromTensor(tensor)])),
  );
}

const tiled = 2 * decoderTile + 5;

describe('maskedCrossEntropy', () => {
  it.each([
    ['one tile, one part', { vocabulary: 7, parts: [[4, 0, 2]] }],
    ['several parts', { vocabulary: 9, parts: [[4], [0, 2, 5], [1]] }],
    ['no bias', { vocabulary: 7, parts: [[4, 0, 2], [1]], bias: false }],
    ['three tiles, two parts', { vocabulary: tiled, parts: [[4, 0, 2], [5]] }],
    ['a vocabulary that fills its tiles', { vocabulary: 2 * decoderTile, parts: [[0, 1]] }],
    ['logits in the hundreds', { vocabulary: tiled, parts: [[4, 0], [2]], deviation: 200 }],
  ] as const satisfies readonly (readonly [string, Case])[])('equals all logits spelled out: %s', (_title, given) => {
    const set = problem(given);
    const loss = maskedCrossEntropy(set.hidden, set.decoder, set.parts);
    const figures = set.parts.map((part) => maskedFigures(set.hidden, set.decoder, part));
    const found = values(set);
    const wanted = spelledOut(given);
    expect(found.get(loss.name)!.data[0]).toBeCloseTo(
      wanted.reduce((sum, one) => sum + one.loss * one.weight, 0),
      9,
    );
    const all = (pick: (one: (typeof figures)[number]) => Value): number[] =>
      figures.flatMap((one) => [...found.get(pick(one).name)!.data]);
    for (const [i, one] of all(({ losses }) => losses).entries()) expect(one).toBeCloseTo(wanted[i]!.loss, 9);
    expect(all((one) => one.predictions)).toEqual(wanted.map(({ prediction }) => prediction));
  });

  it.each([
    ['untied', { vocabulary: 7, parts: [[4, 0, 2], [1]] }],
    ['tied to the word embeddings', { vocabulary: 7, parts: [[4, 0, 2], [1]], tied: true }],
    ['without bias', { vocabulary: 7, parts: [[4, 0, 2], [1]], bias: false }],
    ['over three tiles and two parts', { vocabulary: tiled, parts: [[4, 0, 2], [5]] }],
    ['over three tiles, tied', { vocabulary: tiled, parts: [[4, 0, 2], [5]], tied: true }],
  ] as const satisfies readonly (readonly [string, Case])[])(
    'has the gradients of finite differences: %s',
    (_title, given) => {
      const { graph, hidden, decoder, parts, variables, feeds } = problem(given);
      const loss = maskedCrossEntropy(hidden, decoder, parts);
      addGradients(graph, loss);
      const gradients = checkGradients(
        { graph, loss, variables, feeds },
        { elements: given.vocabulary > 100 ? 5 : 24 },
      );
      expect([...gradients.keys()].sort()).toEqual(Object.keys(variables).sort());
      // Rows of the decoder that are labels have the largest gradients; finite differences must have met some of them.
      const labels = parts.flatMap((_, i) => Array.from(feeds[`labels${i}`]!.data, Number));
      const width = variables.weight!.dims[1]!;
      const rows = graph.scatterGradients.get('weight')!;
      expect(rows.length).toBe('tied' in given ? 2 : 1);
      for (const label of labels) {
        const row = gradients.get('weight')!.subarray(label * width, (label + 1) * width);
        expect(row.some((x) => Math.abs(x) > 1e-3)).toBe(true);
      }
    },
  );

  it('is differentiated inside a larger loss too', () => {
    const { graph, hidden, decoder, parts, variables, feeds } = problem({ vocabulary: 7, parts: [[4, 0, 2], [1]] });
    const own = maskedCrossEntropy(hidden, decoder, parts);
    const loss = Add(Mul(Mul(own, own), 0.7), sumAll(Mul(hidden, hidden)));
    addGradients(graph, loss);
    checkGradients({ graph, loss, variables, feeds });
  });

  it('gives the same on onnxruntime', async () => {
    const given: Case = {
      vocabulary: tiled,
      width: 8,
      tokens: 40,
      parts: [
        [4, 0, 39, 7],
        [5, 12, 13],
      ],
      tied: true,
    };
    const set = problem(given);
    const loss = maskedCrossEntropy(set.hidden, set.decoder, set.parts);
    const { predictions } = maskedFigures(set.hidden, set.decoder, set.parts[0]!);
    addGradients(set.graph, loss);
    set.graph.output('loss', loss);
    set.graph.output('predictions', predictions);
    const wanted = values(set);
    const gradients = interpretedGradients(set.graph, wanted);
    const engine = await openOrtEngine({ threads: 2 });
    try {
      await engine.createVariables(
        Object.entries(set.variables).map(([name, { dims }]) => ({ name, dims, trainable: true })),
      );
      for (const [name, { data }] of Object.entries(set.variables))
        await engine.writeVariable(name, 'value', data as Float32Array);
      const outputs = await (await engine.compile(set.graph)).run(set.feeds);
      expect(outputs.loss!.data[0]).toBeCloseTo(wanted.get(loss.name)!.data[0]!, 5);
      expect(Array.from(outputs.predictions!.data, Number)).toEqual([...wanted.get(predictions.name)!.data]);
      for (const [name, gradient] of gradients) {
        const found = await engine.readVariable(name, 'gradient');
        const difference = gradient.reduce((most, x, i) => Math.max(most, Math.abs(x - found[i]!)), 0);
        expect(difference, name).toBeLessThan(1e-5);
      }
    } finally {
      await engine.dispose();
    }
  });
});
