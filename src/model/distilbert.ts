/**
 * DistilBERT with its MLM head up to the decoder (Sanh et al., arXiv 1910.01108): BERT without token types. The ε of
 * its LayerNorms is fixed.
 */
import type { DistilBertConfig } from '../checkpoint/families/distilbert.ts';
import type { Graph, Value } from '../compute/graph/graph.ts';
import { Add, activationByName } from '../compute/graph/ops/index.ts';
import type { Dropout } from './dropout.ts';
import type { EncoderGraph } from './encoder-graph.ts';
import { embedding, layerNorm, linear } from './named-layers.ts';
import { postNormLayer } from './post-norm-layer.ts';
import type { TokenLayout } from './token-layout.ts';

/** DistilBERT as a graph. */
export const distilBert: EncoderGraph<DistilBertConfig> = { modelTypes: ['distilbert'], headInput };

const epsilon = 1e-12;

function headInput(graph: Graph, config: DistilBertConfig, layout: TokenLayout, dropout: Dropout): Value {
  const { dim } = config;
  const activation = activationByName(config.activation);
  const options = { heads: config.n_heads, innerSize: config.hidden_dim, activation, epsilon };
  const table = (name: string, rows: number, ids: Value): Value =>
    embedding(graph, `distilbert.embeddings.${name}_embeddings`, [rows, dim], ids);

  const words = table('word', config.vocab_size, layout.ids);
  const positions = table('position', config.max_position_embeddings, layout.positions);
  let x = dropout.apply(layerNorm(Add(words, positions), 'distilbert.embeddings.LayerNorm', epsilon));
  for (let i = 0; i < config.n_layers; i++) {
    const layer = `distilbert.transformer.layer.${i}`;
    const names = {
      query: `${layer}.attention.q_lin`,
      key: `${layer}.attention.k_lin`,
      value: `${layer}.attention.v_lin`,
      attentionOutput: `${layer}.attention.out_lin`,
      attentionNorm: `${layer}.sa_layer_norm`,
      inner: `${layer}.ffn.lin1`,
      outer: `${layer}.ffn.lin2`,
      outputNorm: `${layer}.output_layer_norm`,
    };
    x = postNormLayer(x, names, options, layout, dropout);
  }
  return layerNorm(activation(linear(x, 'vocab_transform', dim)), 'vocab_layer_norm', epsilon);
}
