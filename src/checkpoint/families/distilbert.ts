/** `DistilBertForMaskedLM` (Sanh et al., arXiv 1910.01108): its config, with names of its own, and its weights. */
import { z } from 'zod';
import {
  type CommonConfig,
  count,
  decoderRows,
  modelFields,
  positionCount,
  probability,
  vocabularyShape,
  withFittingSizes,
} from './config-fields.ts';
import type { ModelFamily, TiedNames, WeightSpec } from './model-family.ts';
import { WeightList } from './weight-list.ts';

/** A checked DistilBERT `config.json`. */
export interface DistilBertConfig extends CommonConfig {
  readonly model_type: 'distilbert';
  /** Width of a token between layers. */
  readonly dim: number;
  readonly n_layers: number;
  readonly n_heads: number;
  /** Width of the feed-forward layer. */
  readonly hidden_dim: number;
  readonly activation: string;
  readonly pad_token_id: number | null;
  readonly dropout: number;
  readonly attention_dropout: number;
}

const schema: z.ZodType<DistilBertConfig> = withFittingSizes<DistilBertConfig>(
  z.looseObject({
    model_type: z.literal('distilbert'),
    ...modelFields,
    max_position_embeddings: positionCount.default(512),
    dim: count(1 << 16).default(768),
    n_layers: count(1 << 10).default(6),
    n_heads: count(1 << 10).default(12),
    hidden_dim: count(1 << 20).default(4 * 768),
    activation: z.string().default('gelu'),
    pad_token_id: z.int().min(0).nullable().default(0),
    dropout: probability.default(0.1),
    attention_dropout: probability.default(0.1),
  }),
  { hidden: 'dim', heads: 'n_heads' },
);

const tied: TiedNames = {
  embeddings: 'distilbert.embeddings.word_embeddings.weight',
  decoder: 'vocab_projector.weight',
  bias: 'vocab_projector.bias',
};

/** DistilBERT. */
export const distilBertFamily: ModelFamily<DistilBertConfig> = {
  modelType: 'distilbert',
  architecture: 'DistilBertForMaskedLM',
  configSchema: schema,
  weights,
  shape: (config) => ({
    ...vocabularyShape(config),
    hiddenSize: config.dim,
    decoderWidth: config.dim,
    layers: config.n_layers,
    heads: config.n_heads,
    headSize: config.dim / config.n_heads,
    maxPositions: config.max_position_embeddings,
    outputBias: true,
  }),
  tied,
  headNorm: 'vocab_layer_norm',
  isKnownExtra: (name) => /^(distilbert\.)?embeddings\.position_ids$/.test(name),
};

function weights(config: DistilBertConfig): readonly WeightSpec[] {
  const { dim, hidden_dim: inner } = config;
  const list = new WeightList('distilbert.', tied);
  list.table('distilbert.embeddings.word_embeddings', config.vocab_size, dim);
  list.table('distilbert.embeddings.position_embeddings', config.max_position_embeddings, dim);
  list.layerNorm('distilbert.embeddings.LayerNorm', dim);
  for (let i = 0; i < config.n_layers; i++) {
    const layer = `distilbert.transformer.layer.${i}`;
    list.dense(`${layer}.attention.q_lin`, dim, dim);
    list.dense(`${layer}.attention.k_lin`, dim, dim);
    list.dense(`${layer}.attention.v_lin`, dim, dim, { identityFrom: 0 });
    list.dense(`${layer}.attention.out_lin`, dim, dim, { identityFrom: 0 });
    list.layerNorm(`${layer}.sa_layer_norm`, dim);
    list.dense(`${layer}.ffn.lin1`, inner, dim);
    list.dense(`${layer}.ffn.lin2`, dim, inner);
    list.layerNorm(`${layer}.output_layer_norm`, dim);
  }
  list.dense('vocab_transform', dim, dim, { identityFrom: 0 });
  list.layerNorm('vocab_layer_norm', dim);
  list.decoder(decoderRows(config), dim, { tied: config.tie_word_embeddings });
  return list.specs;
}
