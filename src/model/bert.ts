/**
 * BERT with its MLM head up to the decoder (Devlin et al., arXiv 1810.04805): embeddings, post-norm transformer
 * layers, and the head's dense, activation and LayerNorm. Names of weights as in transformers' BertForMaskedLM.
 */
import type { BertConfig, BertLikeConfig } from '../checkpoint/families/bert-config.ts';
import type { Graph, Value } from '../compute/graph/graph.ts';
import { Add, activationByName } from '../compute/graph/ops/index.ts';
import type { Dropout } from './dropout.ts';
import type { EncoderGraph } from './encoder-graph.ts';
import { embedding, layerNorm, linear } from './named-layers.ts';
import { postNormLayer } from './post-norm-layer.ts';
import type { TokenLayout } from './token-layout.ts';

/** BERT as a graph. */
export const bert: EncoderGraph<BertConfig> = { modelTypes: ['bert'], headInput };

function headInput(graph: Graph, config: BertConfig, layout: TokenLayout, dropout: Dropout): Value {
  const activation = activationByName(config.hidden_act);
  const x = bertEncoder(graph, 'bert', config, layout, dropout);
  const transformed = activation(linear(x, 'cls.predictions.transform.dense', config.hidden_size));
  return layerNorm(transformed, 'cls.predictions.transform.LayerNorm', config.layer_norm_eps);
}

/**
 * The encoder of BERT, which RoBERTa has too.
 * @param base prefix of its weights
 * @returns [T, hidden size]
 */
export function bertEncoder(
  graph: Graph,
  base: string,
  config: BertLikeConfig,
  layout: TokenLayout,
  dropout: Dropout,
): Value {
  const { hidden_size: hidden, layer_norm_eps: epsilon } = config;
  const options = {
    heads: config.num_attention_heads,
    innerSize: config.intermediate_size,
    activation: activationByName(config.hidden_act),
    epsilon,
  };
  let x = dropout.apply(
    layerNorm(bertEmbeddings(graph, base, config, hidden, layout), `${base}.embeddings.LayerNorm`, epsilon),
  );
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `${base}.encoder.layer.${i}`;
    const names = {
      query: `${layer}.attention.self.query`,
      key: `${layer}.attention.self.key`,
      value: `${layer}.attention.self.value`,
      attentionOutput: `${layer}.attention.output.dense`,
      attentionNorm: `${layer}.attention.output.LayerNorm`,
      inner: `${layer}.intermediate.dense`,
      outer: `${layer}.output.dense`,
      outputNorm: `${layer}.output.LayerNorm`,
    };
    x = postNormLayer(x, names, options, layout, dropout);
  }
  return x;
}

/** The sum of word, position and token type embeddings, [T, width], before its LayerNorm. */
export function bertEmbeddings(
  graph: Graph,
  base: string,
  config: BertLikeConfig,
  width: number,
  layout: TokenLayout,
): Value {
  const table = (name: string, rows: number, ids: Value): Value =>
    embedding(graph, `${base}.embeddings.${name}_embeddings`, [rows, width], ids);
  const words = table('word', config.vocab_size, layout.ids);
  const positions = table('position', config.max_position_embeddings, layout.positions);
  // Every token is of type 0: one row, added to all.
  const type = table('token_type', config.type_vocab_size, graph.int64([0]));
  return Add(Add(words, type), positions);
}
