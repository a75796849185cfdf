/** The weights of `ModernBertForMaskedLM` (Warner et al., arXiv 2412.13663; Ettin, arXiv 2507.11412). */
import { bertShape } from './bert.ts';
import { decoderRows } from './config-fields.ts';
import type { ModelFamily, TiedNames, WeightSpec } from './model-family.ts';
import { type ModernBertConfig, modernBertConfigSchema } from './modernbert-config.ts';
import { WeightList } from './weight-list.ts';

const tied: TiedNames = {
  embeddings: 'model.embeddings.tok_embeddings.weight',
  decoder: 'decoder.weight',
  bias: 'decoder.bias',
};

/** ModernBERT and Ettin. */
export const modernBertFamily: ModelFamily<ModernBertConfig> = {
  modelType: 'modernbert',
  architecture: 'ModernBertForMaskedLM',
  configSchema: modernBertConfigSchema,
  weights,
  shape: (config) => ({
    ...bertShape(config, config.max_position_embeddings),
    outputBias: config.decoder_bias,
  }),
  tied,
  headNorm: 'head.norm',
  isKnownExtra: (name) => /rotary_emb\./.test(name),
};

function weights(config: ModernBertConfig): readonly WeightSpec[] {
  const { hidden_size: hidden, intermediate_size: inner } = config;
  const norm = { bias: config.norm_bias };
  const list = new WeightList('model.', tied);
  list.table('model.embeddings.tok_embeddings', config.vocab_size, hidden);
  list.layerNorm('model.embeddings.norm', hidden, norm);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `model.layers.${i}`;
    if (i > 0) list.layerNorm(`${layer}.attn_norm`, hidden, norm);
    list.dense(`${layer}.attn.Wqkv`, 3 * hidden, hidden, { bias: config.attention_bias, identityFrom: 2 * hidden });
    list.dense(`${layer}.attn.Wo`, hidden, hidden, { bias: config.attention_bias, identityFrom: 0 });
    list.layerNorm(`${layer}.mlp_norm`, hidden, norm);
    list.dense(`${layer}.mlp.Wi`, 2 * inner, hidden, { bias: config.mlp_bias });
    list.dense(`${layer}.mlp.Wo`, hidden, inner, { bias: config.mlp_bias });
  }
  list.layerNorm('model.final_norm', hidden, norm);
  list.dense('head.dense', hidden, hidden, { bias: config.classifier_bias, identityFrom: 0 });
  list.layerNorm('head.norm', hidden, norm);
  list.decoder(decoderRows(config), hidden, { tied: config.tie_word_embeddings, bias: config.decoder_bias });
  return list.specs;
}
