/**
 * ModernBERT and Ettin with their MLM head up to the decoder (Warner et al., arXiv 2412.13663): rotary positions, and
 * layers that normalise before their sublayers, with a GeGLU and with attention that is local in most layers and global
 * in every third. The first layer's attention follows the embeddings' LayerNorm and has none of its own.
 */
import type { ModernBertConfig } from '../checkpoint/families/modernbert-config.ts';
import type { Graph, Value } from '../compute/graph/graph.ts';
import { Add, activationByName, Split } from '../compute/graph/ops/index.ts';
import { attention, wholeSequence } from './attention.ts';
import type { Dropout } from './dropout.ts';
import type { EncoderGraph } from './encoder-graph.ts';
import { gatedUnit } from './gated-feed-forward.ts';
import { localWindow } from './local-window.ts';
import { embedding, layerNorm, linear } from './named-layers.ts';
import { rotaryFrequencies, rotaryRotation } from './rotary-positions.ts';
import type { TokenLayout } from './token-layout.ts';

/** ModernBERT as a graph. */
export const modernBert: EncoderGraph<ModernBertConfig> = { modelTypes: ['modernbert'], headInput };

function headInput(graph: Graph, config: ModernBertConfig, layout: TokenLayout, dropout: Dropout): Value {
  const { hidden_size: hidden, num_attention_heads: heads, norm_eps: epsilon } = config;
  const norm = (x: Value, name: string): Value => layerNorm(x, name, epsilon, { bias: config.norm_bias });
  const inAttention = { bias: config.attention_bias };
  const inMlp = { bias: config.mlp_bias };
  const activation = activationByName(config.hidden_activation);
  const rotationOf = (kind: keyof ModernBertConfig['rope_parameters']): ((x: Value) => Value) =>
    rotaryRotation(graph, rotaryFrequencies(config.rope_parameters[kind].rope_theta, hidden / heads), layout);
  const views = {
    full_attention: { rotate: rotationOf('full_attention'), mask: wholeSequence },
    sliding_attention: {
      rotate: rotationOf('sliding_attention'),
      mask: localWindow(layout, Math.floor(config.local_attention / 2)),
    },
  };

  const words = embedding(graph, 'model.embeddings.tok_embeddings', [config.vocab_size, hidden], layout.ids);
  let x = dropout.apply(norm(words, 'model.embeddings.norm'));
  config.layer_types.forEach((kind, i) => {
    const layer = `model.layers.${i}`;
    const { rotate, mask } = views[kind];
    const before = i === 0 ? x : norm(x, `${layer}.attn_norm`);
    const packed = linear(before, `${layer}.attn.Wqkv`, 3 * hidden, inAttention);
    const [query, key, value] = Split(packed, [hidden, hidden, hidden], 1) as [Value, Value, Value];
    const mixed = attention(rotate(query), rotate(key), value, heads, layout, mask);
    x = Add(x, dropout.apply(linear(mixed, `${layer}.attn.Wo`, hidden, inAttention)));
    const inner = linear(norm(x, `${layer}.mlp_norm`), `${layer}.mlp.Wi`, 2 * config.intermediate_size, inMlp);
    const gated = dropout.apply(gatedUnit(inner, activation, 'gate'));
    x = Add(x, linear(gated, `${layer}.mlp.Wo`, hidden, inMlp));
    graph.layerOutputs.push(x);
  });
  const last = norm(x, 'model.final_norm');
  const transformed = linear(last, 'head.dense', hidden, { bias: config.classifier_bias });
  return norm(activationByName(config.classifier_activation)(transformed), 'head.norm');
}
