/**
 * ALBERT with its MLM head up to the decoder (Lan et al., arXiv 1909.11942): narrow embeddings, widened once; layers
 * that share their weights in groups; and a head that goes back to the width of the embeddings.
 */
import { type AlbertConfig, albertGroup } from '../checkpoint/families/albert.ts';
import type { Graph, Value } from '../compute/graph/graph.ts';
import { activationByName } from '../compute/graph/ops/index.ts';
import { bertEmbeddings } from './bert.ts';
import type { Dropout } from './dropout.ts';
import type { EncoderGraph } from './encoder-graph.ts';
import { layerNorm, linear } from './named-layers.ts';
import { postNormLayer } from './post-norm-layer.ts';
import type { TokenLayout } from './token-layout.ts';

/** ALBERT as a graph. */
export const albert: EncoderGraph<AlbertConfig> = { modelTypes: ['albert'], headInput };

function headInput(graph: Graph, config: AlbertConfig, layout: TokenLayout, dropout: Dropout): Value {
  const { embedding_size: width, layer_norm_eps: epsilon } = config;
  const activation = activationByName(config.hidden_act);
  const options = {
    heads: config.num_attention_heads,
    innerSize: config.intermediate_size,
    activation,
    epsilon,
    outerDropout: false,
  };
  const embedded = bertEmbeddings(graph, 'albert', config, width, layout);
  const narrow = dropout.apply(layerNorm(embedded, 'albert.embeddings.LayerNorm', epsilon));
  let x = linear(narrow, 'albert.encoder.embedding_hidden_mapping_in', config.hidden_size);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    for (let inGroup = 0; inGroup < config.inner_group_num; inGroup++) {
      const layer = `albert.encoder.albert_layer_groups.${albertGroup(config, i)}.albert_layers.${inGroup}`;
      const names = {
        query: `${layer}.attention.query`,
        key: `${layer}.attention.key`,
        value: `${layer}.attention.value`,
        attentionOutput: `${layer}.attention.dense`,
        attentionNorm: `${layer}.attention.LayerNorm`,
        inner: `${layer}.ffn`,
        outer: `${layer}.ffn_output`,
        outputNorm: `${layer}.full_layer_layer_norm`,
      };
      x = postNormLayer(x, names, options, layout, dropout);
    }
  }
  return layerNorm(activation(linear(x, 'predictions.dense', width)), 'predictions.LayerNorm', epsilon);
}
