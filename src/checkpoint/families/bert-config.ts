/**
 * `config.json` of a BERT model as transformers writes it (`BertConfig`). Fields that Lexray does not use are kept and
 * written back. Absent fields have the defaults of transformers.
 */
import { z } from 'zod';
import {
  type CommonConfig,
  count,
  type EncoderFields,
  encoderFields,
  epsilon,
  type FieldSchemas,
  type ModelFields,
  modelFields,
  positionCount,
  probability,
  withFittingSizes,
} from './config-fields.ts';

/** The fields of BERT and its descendants. */
export interface BertFields extends ModelFields, EncoderFields {
  /** Activation of the feed-forward layer: `gelu`, `relu`… */
  readonly hidden_act: string;
  readonly layer_norm_eps: number;
  readonly type_vocab_size: number;
  readonly position_embedding_type: 'absolute';
  readonly is_decoder?: false | undefined;
  readonly add_cross_attention?: false | undefined;
  readonly hidden_dropout_prob: number;
  readonly attention_probs_dropout_prob: number;
}

/** Schemas of {@link BertFields}. */
export const bertFields: FieldSchemas<BertFields> = {
  ...modelFields,
  ...encoderFields,
  hidden_act: z.string().default('gelu'),
  layer_norm_eps: epsilon.default(1e-12),
  max_position_embeddings: positionCount.default(512),
  type_vocab_size: count(1 << 16).default(2),
  position_embedding_type: z
    .literal('absolute', { error: 'Lexray supports absolute position embeddings only' })
    .default('absolute'),
  is_decoder: z.literal(false, { error: 'a decoder is no masked language model' }).optional(),
  add_cross_attention: z.literal(false, { error: 'cross attention is not supported' }).optional(),
  hidden_dropout_prob: probability.default(0.1),
  attention_probs_dropout_prob: probability.default(0.1),
};

/** What the configs of BERT and its descendants have. */
export interface BertLikeConfig extends BertFields, CommonConfig {}

/** A checked BERT `config.json`, with the names of transformers. */
export interface BertConfig extends BertLikeConfig {
  readonly model_type: 'bert';
  readonly pad_token_id: number | null;
}

/** The schema of a BERT `config.json`. */
export const bertConfigSchema: z.ZodType<BertConfig> = withFittingSizes<BertConfig>(
  z.looseObject({
    model_type: z.literal('bert'),
    ...bertFields,
    pad_token_id: z.int().min(0).nullable().default(0),
  }),
);
