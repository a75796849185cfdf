/** Fields that the `config.json` of several families share, with limits that keep a hostile file from asking for the impossible. */
import { z } from 'zod';

/** A schema for each field of an object. */
export type FieldSchemas<Fields> = { readonly [Name in keyof Fields]-?: z.ZodType<Fields[Name]> };

/** A whole number from 1 to a limit. */
export function count(limit: number): z.ZodInt {
  return z.int().min(1).max(limit);
}

/** A probability. */
export const probability: z.ZodNumber = z.number().min(0).max(1);

/** ε of a layer normalisation. */
export const epsilon: z.ZodNumber = z.number().positive().max(1);

/** θ of rotary position embeddings. */
export const rotaryBase: z.ZodNumber = z.number().min(1).max(1e12);

/** `max_position_embeddings`. */
export const positionCount: z.ZodInt = count(1 << 24);

/** `type_vocab_size` of BERT and its like. */
export const tokenTypes: z.ZodInt = z
  .int()
  .min(0)
  .max(1 << 16);

/** The fields of every family. */
export interface ModelFields {
  readonly architectures?: readonly string[] | null | undefined;
  readonly vocab_size: number;
  readonly max_position_embeddings: number;
  /** Standard deviation of fresh weights. */
  readonly initializer_range: number;
  /** Whether the decoder of the MLM head is the matrix of word embeddings. */
  readonly tie_word_embeddings: boolean;
  /**
   * Lexray's own: rows of the decoder, where they stand for the terms of `output_vocabulary.json` and not for the tokens of
   * the tokenizer. transformers has no such key and refuses the decoder's shape.
   */
  readonly output_vocabulary_size?: number | undefined;
}

/** What all configs have: these fields, and unknown ones, which are kept. */
export interface CommonConfig extends ModelFields {
  readonly [key: string]: unknown;
}

/** Schemas of the fields of every family. */
export const modelFields: FieldSchemas<ModelFields> = {
  architectures: z.array(z.string()).nullish(),
  vocab_size: count(1 << 24),
  max_position_embeddings: positionCount,
  initializer_range: z.number().min(0).max(100).default(0.02),
  tie_word_embeddings: z.boolean().default(true),
  output_vocabulary_size: count(1 << 24).optional(),
};

/** What a config says of its vocabularies; see `ModelShape`. */
export function vocabularyShape(config: ModelFields): {
  readonly vocabularySize: number;
  readonly inputVocabularySize: number;
  readonly ownTerms: boolean;
} {
  return {
    vocabularySize: decoderRows(config),
    inputVocabularySize: config.vocab_size,
    ownTerms: config.output_vocabulary_size !== undefined,
  };
}

/** Rows of the decoder. */
export function decoderRows({ output_vocabulary_size: own, vocab_size: tokens }: ModelFields): number {
  return own ?? tokens;
}

/** The sizes of an encoder, under the names of most families. */
export interface EncoderFields {
  /** Width of a token between layers. */
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  /** Width of the feed-forward layer. */
  readonly intermediate_size: number;
}

/** Schemas of {@link EncoderFields}. */
export const encoderFields: FieldSchemas<EncoderFields> = {
  hidden_size: count(1 << 16),
  num_hidden_layers: count(1 << 10),
  num_attention_heads: count(1 << 10),
  intermediate_size: count(1 << 20),
};

/**
 * The schema with the conditions that heads divide the hidden size, that the vocabulary has the padding token, and that a
 * decoder for terms of its own is not tied to the embeddings of tokens.
 */
export function withFittingSizes<Config extends CommonConfig>(
  schema: z.ZodType<Config>,
  names: { readonly hidden: string; readonly heads: string } = { hidden: 'hidden_size', heads: 'num_attention_heads' },
): z.ZodType<Config> {
  return schema
    .refine((config) => (config[names.hidden] as number) % (config[names.heads] as number) === 0, {
      error: `${names.heads} must divide ${names.hidden}`,
      path: [names.heads],
    })
    .refine((config) => !(typeof config.pad_token_id === 'number' && config.pad_token_id >= config.vocab_size), {
      error: 'pad_token_id must be below vocab_size',
      path: ['pad_token_id'],
    })
    .refine((config) => !(config.output_vocabulary_size !== undefined && config.tie_word_embeddings), {
      error: 'with output_vocabulary_size the decoder is not that of the tokens: tie_word_embeddings must be false',
      path: ['output_vocabulary_size'],
    });
}

/** The schema with the condition that the features of a head come in pairs, as rotary positions need them. */
export function withPairsInHeads<Config extends EncoderFields>(schema: z.ZodType<Config>): z.ZodType<Config> {
  return schema.refine((config) => (config.hidden_size / config.num_attention_heads) % 2 === 0, {
    error: 'rotary positions need an even number of features in each of the num_attention_heads',
    path: ['num_attention_heads'],
  });
}
