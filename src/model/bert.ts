/**
 * BERT with its MLM head up to the decoder (Devlin et al., arXiv 1810.04805): embeddings, post-norm transformer
 * layers, and the head's dense, activation and LayerNorm. Names of weights as in transformers' BertForMaskedLM.
 */

import type { BertConfig } from '../checkpoint/families/bert-config.ts';
import type { Graph, Value } from '../compute/graph/graph.ts';
import { Add, activationByName, Gather, LayerNormalization, Linear } from '../compute/graph/ops/index.ts';
import { attention } from './attention.ts';
import type { Dropout } from './dropout.ts';
import type { EncoderGraph } from './encoder-graph.ts';
import type { TokenLayout } from './token-layout.ts';

/** BERT as a graph. */
export const bert: EncoderGraph<BertConfig> = { modelType: 'bert', headInput };

function headInput(graph: Graph, config: BertConfig, layout: TokenLayout, dropout: Dropout): Value {
  const hidden = config.hidden_size;
  const activation = activationByName(config.hidden_act);
  const linear = (x: Value, name: string, outputs: number, inputs: number): Value =>
    Linear(x, graph.variable(`${name}.weight`, [outputs, inputs]), graph.variable(`${name}.bias`, [outputs]));
  const norm = (x: Value, name: string): Value =>
    LayerNormalization(
      x,
      graph.variable(`${name}.weight`, [hidden]),
      graph.variable(`${name}.bias`, [hidden]),
      config.layer_norm_eps,
    );
  const table = (name: string, rows: number): Value =>
    graph.variable(`bert.embeddings.${name}_embeddings.weight`, [rows, hidden]);

  const words = Gather(table('word', config.vocab_size), layout.ids);
  const positions = Gather(table('position', config.max_position_embeddings), layout.positions);
  // Every token is of type 0: one row, added to all.
  const type = Gather(table('token_type', config.type_vocab_size), graph.int64([0]));
  let x = dropout.apply(norm(Add(Add(words, type), positions), 'bert.embeddings.LayerNorm'));

  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `bert.encoder.layer.${i}`;
    const [query, key, value] = ['query', 'key', 'value'].map((part) =>
      linear(x, `${layer}.attention.self.${part}`, hidden, hidden),
    ) as [Value, Value, Value];
    const mixed = attention(query, key, value, config.num_attention_heads, layout);
    const projected = dropout.apply(linear(mixed, `${layer}.attention.output.dense`, hidden, hidden));
    x = norm(Add(x, projected), `${layer}.attention.output.LayerNorm`);
    const inner = activation(linear(x, `${layer}.intermediate.dense`, config.intermediate_size, hidden));
    const outer = dropout.apply(linear(inner, `${layer}.output.dense`, hidden, config.intermediate_size));
    x = norm(Add(x, outer), `${layer}.output.LayerNorm`);
  }
  const transformed = activation(linear(x, 'cls.predictions.transform.dense', hidden, hidden));
  return norm(transformed, 'cls.predictions.transform.LayerNorm');
}
