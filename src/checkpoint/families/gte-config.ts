/**
 * `config.json` of GTE's encoders (Zhang et al., mGTE, arXiv 2407.19669): `gte` in transformers 5 and `new`, the type
 * of the published checkpoints, whose code is at the hub (Alibaba-NLP/new-impl). The second has θ and its NTK scaling
 * as `rope_theta` and `rope_scaling`, and options for other builds, which are refused.
 */
import { z } from 'zod';
import {
  type CommonConfig,
  type EncoderFields,
  encoderFields,
  epsilon,
  type FieldSchemas,
  type ModelFields,
  modelFields,
  positionCount,
  probability,
  rotaryBase,
  tokenTypes,
  withFittingSizes,
  withPairsInHeads,
} from './config-fields.ts';
import type { RotaryParameters } from './modernbert-config.ts';

/** The fields of both types. */
interface GteFields extends ModelFields, EncoderFields {
  readonly hidden_act: string;
  readonly layer_norm_eps: number;
  /** 0: no embeddings of token types. */
  readonly type_vocab_size: number;
  readonly pad_token_id: number | null;
  readonly hidden_dropout_prob: number;
  readonly attention_probs_dropout_prob: number;
}

/** A checked `config.json` of type `gte`. */
export interface GteConfig extends GteFields, CommonConfig {
  readonly model_type: 'gte';
  readonly rope_parameters: RotaryParameters;
}

/** A checked `config.json` of type `new`. */
export interface NewConfig extends GteFields, CommonConfig {
  readonly model_type: 'new';
  readonly rope_theta: number;
  readonly rope_scaling: { readonly type: 'ntk'; readonly factor: number } | null;
}

const fields: FieldSchemas<GteFields> = {
  ...modelFields,
  ...encoderFields,
  hidden_act: z.string().default('gelu'),
  layer_norm_eps: epsilon.default(1e-12),
  type_vocab_size: tokenTypes.default(1),
  pad_token_id: z.int().min(0).nullable().default(1),
  hidden_dropout_prob: probability.default(0.1),
  attention_probs_dropout_prob: probability.default(0),
};

/** The schema of a config of type `gte`. */
export const gteConfigSchema: z.ZodType<GteConfig> = withPairsInHeads(
  withFittingSizes<GteConfig>(
    z.looseObject({
      model_type: z.literal('gte'),
      ...fields,
      max_position_embeddings: positionCount.default(8192),
      rope_parameters: z
        .looseObject({
          rope_type: z.literal('default', { error: 'Lexray supports rope_type "default" only' }).default('default'),
          rope_theta: rotaryBase.default(160_000),
        })
        .default({ rope_type: 'default', rope_theta: 160_000 }),
    }),
  ),
);

const unsupported = { error: 'Lexray supports GTE as its published models are built, not this variant' };

/** The schema of a config of type `new`. */
export const newConfigSchema: z.ZodType<NewConfig> = withPairsInHeads(
  withFittingSizes<NewConfig>(
    z.looseObject({
      model_type: z.literal('new'),
      ...fields,
      max_position_embeddings: positionCount.default(2048),
      rope_theta: rotaryBase.default(10_000),
      rope_scaling: z
        .looseObject({
          type: z.literal('ntk', unsupported),
          factor: z.number().min(1).max(1e6),
          mixed_b: z.null(unsupported).optional(),
        })
        .nullable()
        .default(null),
      position_embedding_type: z.literal('rope', unsupported).default('rope'),
      layer_norm_type: z.literal('layer_norm', unsupported).default('layer_norm'),
      pack_qkv: z.literal(true, unsupported).default(true),
      logn_attention_scale: z.literal(false, unsupported).default(false),
    }),
  ),
);
