/**
 * `config.json` of ModernBERT and Ettin, in its two spellings:
 *
 * | | transformers 4 and the hub | transformers 5 |
 * |---|---|---|
 * | which layers see everything | `global_attn_every_n_layers` | `layer_types` |
 * | θ of the rotary positions | `global_rope_theta`, `local_rope_theta` | `rope_parameters.full_attention.rope_theta`, `….sliding_attention.…` |
 *
 * Read as transformers 5 does: where both are given, its own spelling counts. The checked config has both, so that a
 * written model is the same in both versions.
 */
import { z } from 'zod';
import {
  type CommonConfig,
  count,
  encoderFields,
  epsilon,
  modelFields,
  positionCount,
  probability,
  rotaryBase,
  withFittingSizes,
  withPairsInHeads,
} from './config-fields.ts';

/** How far a layer's attention sees. */
export type AttentionSpan = 'full_attention' | 'sliding_attention';

/** Rotary positions of a kind of layer. */
export interface RotaryParameters {
  readonly rope_type: 'default';
  readonly rope_theta: number;
}

/** A checked ModernBERT `config.json`. */
export interface ModernBertConfig extends CommonConfig {
  readonly model_type: 'modernbert';
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  /** Width of the feed-forward layer behind its gate. */
  readonly intermediate_size: number;
  readonly hidden_activation: string;
  /** Activation of the head. */
  readonly classifier_activation: string;
  readonly norm_eps: number;
  readonly norm_bias: boolean;
  readonly attention_bias: boolean;
  readonly mlp_bias: boolean;
  /** Whether the head's dense layer has a bias. */
  readonly classifier_bias: boolean;
  readonly decoder_bias: boolean;
  /** Width of the local window: tokens see others at most half of it away. */
  readonly local_attention: number;
  /** One entry a layer. */
  readonly layer_types: readonly AttentionSpan[];
  readonly rope_parameters: Readonly<Record<AttentionSpan, RotaryParameters>>;
  readonly global_rope_theta: number;
  readonly local_rope_theta: number;
  /** Absent where the layers do not follow such a rule. */
  readonly global_attn_every_n_layers?: number | undefined;
  readonly pad_token_id: number | null;
}

const span = z.enum(['full_attention', 'sliding_attention']);
const rotary = z
  .looseObject({
    rope_type: z
      .literal('default', { error: 'Lexray supports rotary positions without scaling (rope_type "default") only' })
      .default('default'),
    rope_theta: rotaryBase.optional(),
  })
  .nullish();

const stored = z.looseObject({
  model_type: z.literal('modernbert'),
  ...modelFields,
  ...encoderFields,
  max_position_embeddings: positionCount.default(8192),
  hidden_activation: z.string().default('gelu'),
  classifier_activation: z.string().default('gelu'),
  norm_eps: epsilon.default(1e-5),
  norm_bias: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  classifier_bias: z.boolean().default(false),
  decoder_bias: z.boolean().default(true),
  local_attention: count(1 << 24).default(128),
  layer_types: z
    .array(span)
    .max(1 << 10)
    .nullish(),
  rope_parameters: z.looseObject({ full_attention: rotary, sliding_attention: rotary }).nullish(),
  rope_scaling: z.null({ error: 'Lexray supports rotary positions without scaling only' }).optional(),
  global_attn_every_n_layers: count(1 << 10).nullish(),
  global_rope_theta: rotaryBase.nullish(),
  local_rope_theta: rotaryBase.nullish(),
  pad_token_id: z.int().min(0).nullable().default(50283),
  embedding_dropout: probability.default(0),
  attention_dropout: probability.default(0),
  mlp_dropout: probability.default(0),
});

type StoredConfig = z.infer<typeof stored>;

/** The schema of a ModernBERT `config.json`. */
export const modernBertConfigSchema: z.ZodType<ModernBertConfig> = withPairsInHeads(
  withFittingSizes<ModernBertConfig>(
    stored
      .refine(({ layer_types, num_hidden_layers }) => !layer_types || layer_types.length === num_hidden_layers, {
        error: 'layer_types must have an entry for each of the num_hidden_layers',
        path: ['layer_types'],
      })
      .transform(withBothSpellings),
  ),
);

function withBothSpellings(config: StoredConfig): ModernBertConfig {
  const layers = Array.from({ length: config.num_hidden_layers }, (_, layer) => layer);
  const every = config.global_attn_every_n_layers ?? 3;
  const spans =
    config.layer_types ??
    layers.map((layer): AttentionSpan => (layer % every === 0 ? 'full_attention' : 'sliding_attention'));
  const rule = [every, ...layers.map((layer) => layer + 1)].find((n) =>
    spans.every((kind, layer) => (kind === 'full_attention') === (layer % n === 0)),
  );
  const global = config.rope_parameters?.full_attention?.rope_theta ?? config.global_rope_theta ?? 160_000;
  const local =
    config.rope_parameters?.sliding_attention?.rope_theta ??
    config.local_rope_theta ??
    (config.local_rope_theta === null ? global : 10_000);
  const { global_attn_every_n_layers: _, ...rest } = config;
  return {
    ...rest,
    layer_types: spans,
    rope_parameters: {
      full_attention: { rope_type: 'default', rope_theta: global },
      sliding_attention: { rope_type: 'default', rope_theta: local },
    },
    global_rope_theta: global,
    local_rope_theta: local,
    ...(rule === undefined ? {} : { global_attn_every_n_layers: rule }),
  };
}
