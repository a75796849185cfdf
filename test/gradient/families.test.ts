/**
 * The gradients of whole models of every family, with dropout, against finite differences in double precision: tiny
 * models with random weights, in which every kind of weight is far from its usual 0 or 1; and the same in onnxruntime.
 */
import { describe, expect, it } from 'vitest';
import { findFamily, modelShape } from '../../src/checkpoint/families/registry.ts';
import { addGradients } from '../../src/compute/graph/autodiff.ts';
import { Graph, type Value } from '../../src/compute/graph/graph.ts';
import { Mul, sumAll } from '../../src/compute/graph/ops/index.ts';
import { fillDropoutMask } from '../../src/compute/runtime/dropout-mask.ts';
import type { DropoutFeed, Tensor } from '../../src/compute/runtime/engine.ts';
import { openOrtEngine } from '../../src/compute/runtime/ort-engine.ts';
import type { Dropout } from '../../src/model/dropout.ts';
import { buildSpladeGraph, modelVariables } from '../../src/model/splade-graph.ts';
import { packTokens } from '../../src/model/token-layout.ts';
import { Random } from '../../src/util/random.ts';
import { checkGradients } from './check-gradients.ts';

const sizes = { hidden_size: 8, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 3 };
const modern = { model_type: 'modernbert', ...sizes, num_hidden_layers: 3, pad_token_id: 0, local_attention: 4 };
const biases = { norm_bias: true, attention_bias: true, mlp_bias: true, classifier_bias: true };

const configs: readonly { readonly title: string; readonly config: Readonly<Record<string, unknown>> }[] = [
  { title: 'DistilBERT', config: { model_type: 'distilbert', dim: 8, n_layers: 2, n_heads: 2, hidden_dim: 3 } },
  { title: 'RoBERTa, with padding tokens', config: { model_type: 'roberta', ...sizes } },
  { title: 'XLM-RoBERTa, untied', config: { model_type: 'xlm-roberta', ...sizes, tie_word_embeddings: false } },
  {
    title: 'ALBERT, three layers in two groups of two',
    config: {
      model_type: 'albert',
      ...sizes,
      num_hidden_layers: 3,
      num_hidden_groups: 2,
      inner_group_num: 2,
      embedding_size: 5,
    },
  },
  { title: 'ModernBERT, texts longer than the window', config: modern },
  { title: 'ModernBERT with biases, untied', config: { ...modern, ...biases, tie_word_embeddings: false } },
  { title: 'ModernBERT without a decoder bias', config: { ...modern, num_hidden_layers: 2, decoder_bias: false } },
  { title: 'GTE', config: { model_type: 'gte', ...sizes, type_vocab_size: 0 } },
  { title: 'published GTE', config: { model_type: 'new', ...sizes, rope_scaling: { type: 'ntk', factor: 2 } } },
];

/** Small steps, since a maximum has kinks; LayerNorms of few features are curved, so that differences are no better than this. */
const checks = { step: 2 ** -14, elements: 2, tolerance: 1e-5 };

describe('gradients of a model, also in onnxruntime,', () => {
  it.each(configs)('$title', async ({ config: fields }) => {
    const random = new Random(4);
    const vocabulary = 9;
    const family = findFamily(fields.model_type, 'test');
    const config = family.configSchema.parse({ vocab_size: vocabulary, max_position_embeddings: 12, ...fields });
    const lengths = [6, 2, 4];
    const sequences = lengths.map((length) => Int32Array.from({ length }, () => random.integer(vocabulary)));
    const packed = packTokens(sequences, { buckets: 2, ...modelShape(config) });

    const build = (recomputeLayers: boolean): { graph: Graph; loss: Value; dropout: Dropout } => {
      const graph = new Graph();
      const options = { activation: 'relu', buckets: packed.bucketCount, trained: true, dropoutRate: 0.2 } as const;
      const { logits, dropout } = buildSpladeGraph(graph, config, { ...options, recomputeLayers });
      const loss = sumAll(Mul(logits, logits));
      addGradients(graph, loss);
      return { graph, loss, dropout };
    };
    const { graph, loss, dropout } = build(false);
    const masks = Object.entries(dropout.feeds({ T: packed.tokenCount }, 3, 1)).map(([name, feed]) => [
      name,
      filled(feed),
    ]);
    const feeds = { ...packed.feeds, ...(Object.fromEntries(masks) as Record<string, Tensor>) };
    const variables = Object.fromEntries(
      modelVariables(config, true).map(({ name, dims }) => {
        const mean = dims.length === 1 && name.endsWith('.weight') ? 1 : 0;
        return [name, normal(dims, 0.5, mean, random)];
      }),
    );
    const gradients = checkGradients({ graph, loss, variables, feeds }, checks);
    expect([...gradients.keys()].sort()).toEqual(Object.keys(variables).sort());

    const engine = await openOrtEngine({ threads: 1 });
    await engine.createVariables(modelVariables(config, true));
    for (const [name, { data }] of Object.entries(variables)) {
      await engine.writeVariable(name, 'value', data as Float32Array);
    }
    const gradientsOf = async (compiled: Graph): Promise<Map<string, Float32Array>> => {
      const program = await engine.compile(compiled);
      await program.run(feeds);
      await program.dispose();
      const read = [...gradients.keys()].map(
        async (name) => [name, await engine.readVariable(name, 'gradient')] as const,
      );
      return new Map(await Promise.all(read));
    };
    const kept = await gradientsOf(graph);
    const largest = Math.max(...[...gradients.values()].map((gradient) => gradient.reduce(greater, 0)));
    for (const [name, wanted] of gradients) {
      const found = kept.get(name)!;
      const scale = Math.max(wanted.reduce(greater, 0), 1e-3 * largest);
      const difference = wanted.reduce((most, g, i) => greater(most, g - found[i]!), 0);
      expect(difference / scale, `${name} in onnxruntime`).toBeLessThan(1e-4);
    }
    const { graph: recomputing } = build(true);
    expect(recomputing.nodes.length).toBeGreaterThan(graph.nodes.length);
    expect(await gradientsOf(recomputing), 'the same, layers computed once more').toEqual(kept);
    await engine.dispose();
  });
});

function greater(a: number, b: number): number {
  return Math.max(a, Math.abs(b));
}

function normal(dims: readonly number[], deviation: number, mean: number, random: Random): Tensor {
  const length = dims.reduce((product, dim) => product * dim, 1);
  return { dtype: 'float32', dims, data: Float32Array.from({ length }, () => mean + deviation * random.normal()) };
}

function filled(feed: DropoutFeed): Tensor {
  const data = new Float32Array(feed.dims.reduce((product, dim) => product * dim, 1));
  fillDropoutMask(data, feed.dropout.rate, feed.dropout.seed);
  return { dtype: 'float32', dims: feed.dims, data };
}
