/**
 * `config.json` of a BERT model as transformers writes it (`BertConfig`). Fields that Lexray does not use are kept and
 * written back. Absent fields have the defaults of transformers.
 */
import { z } from 'zod';

const count = (limit: number) => z.int().min(1).max(limit);
const probability = z.number().min(0).max(1);

/** The schema of a BERT `config.json`. */
export const bertConfigSchema: z.ZodType<BertConfig> = z
  .looseObject({
    model_type: z.literal('bert'),
    architectures: z.array(z.string()).nullish(),
    vocab_size: count(1 << 24),
    hidden_size: count(1 << 16),
    num_hidden_layers: count(1 << 10),
    num_attention_heads: count(1 << 10),
    intermediate_size: count(1 << 20),
    hidden_act: z.string().default('gelu'),
    layer_norm_eps: z.number().positive().max(1).default(1e-12),
    max_position_embeddings: count(1 << 24).default(512),
    type_vocab_size: count(1 << 16).default(2),
    tie_word_embeddings: z.boolean().default(true),
    pad_token_id: z.int().min(0).nullable().default(0),
    position_embedding_type: z
      .literal('absolute', { error: 'Lexray supports absolute position embeddings only' })
      .default('absolute'),
    is_decoder: z.literal(false, { error: 'a decoder is no masked language model' }).optional(),
    add_cross_attention: z.literal(false, { error: 'cross attention is not supported' }).optional(),
    hidden_dropout_prob: probability.default(0.1),
    attention_probs_dropout_prob: probability.default(0.1),
    initializer_range: z.number().min(0).max(100).default(0.02),
  })
  .refine((config) => config.hidden_size % config.num_attention_heads === 0, {
    error: 'num_attention_heads must divide hidden_size',
    path: ['num_attention_heads'],
  })
  .refine((config) => config.pad_token_id === null || config.pad_token_id < config.vocab_size, {
    error: 'pad_token_id must be below vocab_size',
    path: ['pad_token_id'],
  });

/** A checked BERT `config.json`, with the names of transformers. */
export interface BertConfig {
  readonly model_type: 'bert';
  readonly architectures?: readonly string[] | null | undefined;
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  /** Width of the feed-forward layer. */
  readonly intermediate_size: number;
  /** Activation of the feed-forward layer and of the MLM head's transform: `gelu`, `relu`… */
  readonly hidden_act: string;
  readonly layer_norm_eps: number;
  readonly max_position_embeddings: number;
  readonly type_vocab_size: number;
  /** Whether the decoder of the MLM head is the matrix of word embeddings. */
  readonly tie_word_embeddings: boolean;
  readonly pad_token_id: number | null;
  readonly position_embedding_type: 'absolute';
  readonly hidden_dropout_prob: number;
  readonly attention_probs_dropout_prob: number;
  /** Standard deviation of fresh weights. */
  readonly initializer_range: number;
  readonly [key: string]: unknown;
}
