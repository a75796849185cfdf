/**
 * The SPLADE head over several tiles, and a whole training step with dropout, against finite differences: in double
 * precision, and where the goldens from PyTorch do not reach.
 */
import { describe, expect, it } from 'vitest';
import { bertConfigSchema } from '../../src/checkpoint/families/bert-config.ts';
import { addGradients } from '../../src/compute/graph/autodiff.ts';
import { Graph } from '../../src/compute/graph/graph.ts';
import { Mul, sumAll } from '../../src/compute/graph/ops/index.ts';
import { fillDropoutMask } from '../../src/compute/runtime/dropout-mask.ts';
import type { DropoutFeed, Engine, Tensor } from '../../src/compute/runtime/engine.ts';
import { openReferenceEngine } from '../../src/compute/runtime/reference/reference-engine.ts';
import { modelVariables } from '../../src/model/splade-graph.ts';
import {
  pooledLogits,
  type SpladeActivation,
  spladeActivation,
  vocabularyTile,
} from '../../src/model/splade-pooling.ts';
import { declareTokenLayout, packTokens } from '../../src/model/token-layout.ts';
import { Random } from '../../src/util/random.ts';
import { regularizerWeights, spladeStep } from '../fixtures/training-step.ts';
import { checkGradients } from './check-gradients.ts';

/** Small steps: a maximum and ReLU have kinks, and many of them. */
const options = { step: 2 ** -14 };

function normal(dims: readonly number[], deviation: number, mean: number, random: Random): Tensor {
  const length = dims.reduce((product, dim) => product * dim, 1);
  const data = Float32Array.from({ length }, () => mean + deviation * random.normal());
  return { dtype: 'float32', dims, data };
}

function sequences(lengths: readonly number[], vocabulary: number, random: Random): Int32Array[] {
  return lengths.map((length) => Int32Array.from({ length }, () => random.integer(vocabulary)));
}

describe('the pooled head', () => {
  it.each(['relu', 'log1p_relu'] as const)(
    'over two tiles and two buckets, with %s',
    (activation: SpladeActivation) => {
      const random = new Random(3);
      const vocabulary = vocabularyTile + 6;
      const packed = packTokens(sequences([2, 4, 1, 4], vocabulary, random), { buckets: 2, heads: 1, headSize: 2 });
      const graph = new Graph();
      const layout = declareTokenLayout(graph, packed.bucketCount);
      const hidden = graph.variable('hidden', [packed.tokenCount, 2]);
      const weight = graph.variable('weight', [vocabulary, 2]);
      const bias = graph.variable('bias', [vocabulary]);
      const weights = spladeActivation(pooledLogits(hidden, weight, bias, layout, true), activation);
      const loss = sumAll(Mul(weights, Mul(weights, graph.variable('factor', [vocabulary, 1]))));
      addGradients(graph, loss);
      const variables = {
        hidden: normal([packed.tokenCount, 2], 1, 0, random),
        weight: normal([vocabulary, 2], 1, 0, random),
        bias: normal([vocabulary], 1, -1, random),
        factor: normal([vocabulary, 1], 1, 0, random),
      };
      const gradients = checkGradients({ graph, loss, variables, feeds: packed.feeds }, { ...options, elements: 4 });
      const inactive = gradients.get('bias')!.filter((g) => g === 0).length;
      expect(inactive).toBeGreaterThan(vocabulary / 10);
      expect(inactive).toBeLessThan((vocabulary * 9) / 10);
    },
  );
});

describe('a training step', () => {
  it.each([
    { tied: true, activation: 'gelu' },
    { tied: false, activation: 'gelu_new' },
  ])('of a model of two layers with dropout (tied: $tied, $activation)', async ({ tied, activation }) => {
    const random = new Random(11);
    const config = bertConfigSchema.parse({
      model_type: 'bert',
      vocab_size: 13,
      hidden_size: 4,
      num_hidden_layers: 2,
      num_attention_heads: 2,
      intermediate_size: 6,
      hidden_act: activation,
      max_position_embeddings: 8,
      tie_word_embeddings: tied,
    });
    const { graph, feeds } = await capture((engine) => {
      const step = spladeStep(engine, config, { buckets: 2, dropoutRate: 0.2, temperature: 0.7 });
      const batch = {
        queries: sequences([3, 2], 13, random),
        documents: sequences([4, 5, 3, 5], 13, random),
        otherPositives: [[0, 2]] as const,
        ownNegatives: [],
        teacherScores: [],
      };
      return step.run(batch, { regularizerWeights: regularizerWeights(0.3, 0.2), seed: 5, step: 1 });
    });
    const variables = Object.fromEntries(
      modelVariables(config, true).map(({ name, dims }) => {
        const mean = /LayerNorm.weight$/.test(name) ? 1 : 0;
        return [name, normal(dims, 0.5, mean, random)];
      }),
    );
    const loss = graph.outputs.get('loss')!;
    const gradients = checkGradients({ graph, loss, variables, feeds }, { ...options, elements: 2 });
    expect([...gradients.keys()].sort()).toEqual(Object.keys(variables).sort());
  });
});

/** The graph that an action compiles, and the feeds that it runs it with, dropout masks filled. */
async function capture(
  action: (engine: Engine) => Promise<unknown>,
): Promise<{ graph: Graph; feeds: Record<string, Tensor> }> {
  const engine = await openReferenceEngine();
  const captured: { graph?: Graph; feeds: Record<string, Tensor> } = { feeds: {} };
  const stopped = new Error('captured');
  const spying: Engine = Object.create(engine, {
    compile: {
      value: async (graph: Graph) => {
        captured.graph = graph;
        return {
          run: async (feeds: Readonly<Record<string, Tensor | DropoutFeed>>) => {
            for (const [name, feed] of Object.entries(feeds)) captured.feeds[name] = filled(feed);
            throw stopped;
          },
          dispose: async () => {},
        };
      },
    },
  });
  await expect(action(spying)).rejects.toBe(stopped);
  return { graph: captured.graph!, feeds: captured.feeds };
}

function filled(feed: Tensor | DropoutFeed): Tensor {
  if (!('dropout' in feed)) return feed;
  const data = new Float32Array(feed.dims.reduce((product, dim) => product * dim, 1));
  fillDropoutMask(data, feed.dropout.rate, feed.dropout.seed);
  return { dtype: 'float32', dims: feed.dims, data };
}
