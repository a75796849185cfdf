/**
 * The weights of GTE's encoders with an MLM head: `NewForMaskedLM`, as published, and `GteForMaskedLM` of
 * transformers 5, which writes the published names under a prefix of its own (in memory it has others). Query, key and
 * value are packed into one matrix, the two halves of the gated feed-forward layer into another.
 */
import { bertShape } from './bert.ts';
import { decoderRows } from './config-fields.ts';
import { type GteConfig, gteConfigSchema, type NewConfig, newConfigSchema } from './gte-config.ts';
import type { ModelFamily, TiedNames, WeightSpec } from './model-family.ts';
import { WeightList } from './weight-list.ts';

/** GTE as transformers 5 writes it. */
export const gteFamily: ModelFamily<GteConfig> = {
  modelType: 'gte',
  architecture: 'GteForMaskedLM',
  configSchema: gteConfigSchema,
  weights: (config) => weights('gte', ['new.'], config),
  shape: (config) => bertShape(config, config.max_position_embeddings),
  tied: tiedNames('gte'),
  headNorm: 'lm_head.norm',
  isKnownExtra,
};

/** GTE as published. */
export const newFamily: ModelFamily<NewConfig> = {
  modelType: 'new',
  architecture: 'NewForMaskedLM',
  configSchema: newConfigSchema,
  weights: (config) => weights('new', [], config),
  shape: (config) => bertShape(config, config.max_position_embeddings),
  tied: tiedNames('new'),
  headNorm: 'lm_head.norm',
  isKnownExtra,
};

function isKnownExtra(name: string): boolean {
  return /^((gte|new)\.)?(pooler\.|embeddings\.position_ids$)|rotary_emb\./.test(name);
}

function tiedNames(base: string): TiedNames {
  return {
    embeddings: `${base}.embeddings.word_embeddings.weight`,
    decoder: 'lm_head.decoder.weight',
    bias: 'lm_head.decoder.bias',
  };
}

function weights(base: string, otherPrefixes: readonly string[], config: GteConfig | NewConfig): readonly WeightSpec[] {
  const { hidden_size: hidden, intermediate_size: inner, type_vocab_size: types } = config;
  const list = new WeightList(`${base}.`, tiedNames(base), otherPrefixes);
  list.table(`${base}.embeddings.word_embeddings`, config.vocab_size, hidden);
  if (types > 0) list.table(`${base}.embeddings.token_type_embeddings`, types, hidden);
  list.layerNorm(`${base}.embeddings.LayerNorm`, hidden);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `${base}.encoder.layer.${i}`;
    list.dense(`${layer}.attention.qkv_proj`, 3 * hidden, hidden, { identityFrom: 2 * hidden });
    list.dense(`${layer}.attention.o_proj`, hidden, hidden, { identityFrom: 0 });
    list.layerNorm(`${layer}.attn_ln`, hidden);
    list.dense(`${layer}.mlp.up_gate_proj`, 2 * inner, hidden, { bias: false });
    list.dense(`${layer}.mlp.down_proj`, hidden, inner);
    list.layerNorm(`${layer}.mlp_ln`, hidden);
  }
  list.dense('lm_head.dense', hidden, hidden, { identityFrom: 0 });
  list.layerNorm('lm_head.norm', hidden);
  list.decoder(decoderRows(config), hidden, { tied: config.tie_word_embeddings });
  return list.specs;
}
