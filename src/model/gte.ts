/**
 * GTE's encoder with its MLM head up to the decoder (Zhang et al., arXiv 2407.19669): BERT with rotary positions and a
 * gated feed-forward layer. `gte` is its type in transformers 5, `new` that of the published checkpoints.
 *
 * No published checkpoint has been at hand. Both types are checked against transformers 5 on random models, which also
 * renames the published weights; of the rotary scaling of `new` only the published formula is known.
 */
import type { GteConfig, NewConfig } from '../checkpoint/families/gte-config.ts';
import type { Graph, Value } from '../compute/graph/graph.ts';
import { Add, activationByName, Split } from '../compute/graph/ops/index.ts';
import { attention } from './attention.ts';
import type { Dropout } from './dropout.ts';
import type { EncoderGraph } from './encoder-graph.ts';
import { gatedUnit } from './gated-feed-forward.ts';
import { embedding, layerNorm, linear } from './named-layers.ts';
import { ntkFrequencies, rotaryFrequencies, rotaryRotation } from './rotary-positions.ts';
import type { TokenLayout } from './token-layout.ts';

/** GTE as a graph. */
export const gte: EncoderGraph<GteConfig | NewConfig> = { modelTypes: ['gte', 'new'], headInput };

function headInput(graph: Graph, config: GteConfig | NewConfig, layout: TokenLayout, dropout: Dropout): Value {
  const { model_type: base, hidden_size: hidden, layer_norm_eps: epsilon, type_vocab_size: types } = config;
  const { num_attention_heads: heads, intermediate_size: innerSize } = config;
  const activation = activationByName(config.hidden_act);
  const rotate = rotaryRotation(graph, frequenciesOf(config), layout);
  const table = (name: string, rows: number, ids: Value): Value =>
    embedding(graph, `${base}.embeddings.${name}_embeddings`, [rows, hidden], ids);

  const words = table('word', config.vocab_size, layout.ids);
  // Every token is of type 0: one row, added to all.
  const embedded = types === 0 ? words : Add(words, table('token_type', types, graph.int64([0])));
  let x = dropout.apply(layerNorm(embedded, `${base}.embeddings.LayerNorm`, epsilon));
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `${base}.encoder.layer.${i}`;
    const packed = linear(x, `${layer}.attention.qkv_proj`, 3 * hidden);
    const [query, key, value] = Split(packed, [hidden, hidden, hidden], 1) as [Value, Value, Value];
    const mixed = attention(rotate(query), rotate(key), value, heads, layout);
    const projected = dropout.apply(linear(mixed, `${layer}.attention.o_proj`, hidden));
    const middle = layerNorm(Add(x, projected), `${layer}.attn_ln`, epsilon);
    const inner = linear(middle, `${layer}.mlp.up_gate_proj`, 2 * innerSize, { bias: false });
    const gated = dropout.apply(gatedUnit(inner, activation, 'up'));
    const outer = dropout.apply(linear(gated, `${layer}.mlp.down_proj`, hidden));
    x = layerNorm(Add(middle, outer), `${layer}.mlp_ln`, epsilon);
    graph.layerOutputs.push(x);
  }
  return layerNorm(activation(linear(x, 'lm_head.dense', hidden)), 'lm_head.norm', epsilon);
}

function frequenciesOf(config: GteConfig | NewConfig): Float32Array {
  const headSize = config.hidden_size / config.num_attention_heads;
  if (config.model_type === 'gte') return rotaryFrequencies(config.rope_parameters.rope_theta, headSize);
  const { rope_theta: theta, rope_scaling: scaling } = config;
  return scaling ? ntkFrequencies(theta, headSize, scaling.factor) : rotaryFrequencies(theta, headSize);
}
