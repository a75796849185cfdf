/**
 * `AlbertForMaskedLM` (Lan et al., arXiv 1909.11942): embeddings narrower than the layers, and layers that share their
 * weights in groups. The decoder's input is as wide as the embeddings, so it can be tied to them.
 */
import { z } from 'zod';
import { bertShape } from './bert.ts';
import { type BertLikeConfig, bertFields } from './bert-config.ts';
import { count, decoderRows, probability, withFittingSizes } from './config-fields.ts';
import type { ModelFamily, TiedNames, WeightSpec } from './model-family.ts';
import { WeightList } from './weight-list.ts';

/** A checked ALBERT `config.json`. */
export interface AlbertConfig extends BertLikeConfig {
  readonly model_type: 'albert';
  /** Width of the embeddings and of the decoder's input. */
  readonly embedding_size: number;
  /** Groups of layers; the layers of a group have the same weights. */
  readonly num_hidden_groups: number;
  /** Layers inside a group, each with weights of its own; a pass through a group goes through all. */
  readonly inner_group_num: number;
  readonly pad_token_id: number | null;
}

const schema: z.ZodType<AlbertConfig> = withFittingSizes<AlbertConfig>(
  z.looseObject({
    model_type: z.literal('albert'),
    ...bertFields,
    embedding_size: count(1 << 16).default(128),
    num_hidden_groups: count(1 << 10).default(1),
    inner_group_num: count(1 << 6).default(1),
    hidden_act: z.string().default('gelu_new'),
    hidden_dropout_prob: probability.default(0),
    attention_probs_dropout_prob: probability.default(0),
    pad_token_id: z.int().min(0).nullable().default(0),
  }),
);

const tied: TiedNames = {
  embeddings: 'albert.embeddings.word_embeddings.weight',
  decoder: 'predictions.decoder.weight',
  bias: 'predictions.bias',
  biasCopy: 'predictions.decoder.bias',
};

/** ALBERT. */
export const albertFamily: ModelFamily<AlbertConfig> = {
  modelType: 'albert',
  architecture: 'AlbertForMaskedLM',
  configSchema: schema,
  weights,
  shape: (config) => ({
    ...bertShape(config, config.max_position_embeddings),
    decoderWidth: config.embedding_size,
  }),
  tied,
  headNorm: 'predictions.LayerNorm',
  isKnownExtra: (name) =>
    /^(albert\.)?(pooler\.|embeddings\.(position_ids|token_type_ids)$)|^sop_classifier\./.test(name),
};

/** The group whose weights a layer has. */
export function albertGroup(config: AlbertConfig, layer: number): number {
  return Math.floor(layer / (config.num_hidden_layers / config.num_hidden_groups));
}

function weights(config: AlbertConfig): readonly WeightSpec[] {
  const { hidden_size: hidden, embedding_size: width, intermediate_size: inner } = config;
  const list = new WeightList('albert.', tied);
  list.table('albert.embeddings.word_embeddings', config.vocab_size, width);
  list.table('albert.embeddings.position_embeddings', config.max_position_embeddings, width);
  list.table('albert.embeddings.token_type_embeddings', config.type_vocab_size, width);
  list.layerNorm('albert.embeddings.LayerNorm', width);
  list.dense('albert.encoder.embedding_hidden_mapping_in', hidden, width, { identityFrom: 0 });
  for (let group = 0; group < config.num_hidden_groups; group++) {
    for (let i = 0; i < config.inner_group_num; i++) {
      const layer = `albert.encoder.albert_layer_groups.${group}.albert_layers.${i}`;
      list.layerNorm(`${layer}.full_layer_layer_norm`, hidden);
      list.dense(`${layer}.attention.query`, hidden, hidden);
      list.dense(`${layer}.attention.key`, hidden, hidden);
      list.dense(`${layer}.attention.value`, hidden, hidden, { identityFrom: 0 });
      list.dense(`${layer}.attention.dense`, hidden, hidden, { identityFrom: 0 });
      list.layerNorm(`${layer}.attention.LayerNorm`, hidden);
      list.dense(`${layer}.ffn`, inner, hidden);
      list.dense(`${layer}.ffn_output`, hidden, inner);
    }
  }
  list.dense('predictions.dense', width, hidden, { identityFrom: 0 });
  list.layerNorm('predictions.LayerNorm', width);
  list.decoder(decoderRows(config), width, { tied: config.tie_word_embeddings });
  return list.specs;
}
