/**
 * The JSON files of a sentence-transformers `SparseEncoder` folder, as versions 5.0 to 6.2 write them.
 *
 * | file | 5.0 | from 5.4 on |
 * |---|---|---|
 * | modules.json, types | `….models.MLMTransformer`, `….models.SpladePooling` | `….transformer.Transformer`, `….splade_pooling.SpladePooling` |
 * | sentence_bert_config.json | `max_seq_length`, `do_lower_case` | `transformer_task: "fill-mask"`, `modality_config`, `module_output_name` |
 * | 1_SpladePooling/config.json | `word_embedding_dimension` | `embedding_dimension` |
 * | similarity_fn_name | `dot` | may be null, which is dot |
 * | longest input | `max_seq_length` | `model_max_length` in tokenizer_config.json |
 */
import { z } from 'zod';

/** How the logits of a text's tokens become one vector: max or sum over tokens of log1p(relu(z)), once or twice log1p. */
export interface Pooling {
  readonly strategy: 'max' | 'sum';
  /** `relu`: log1p(relu(z)); `log1p_relu`: log1p(log1p(relu(z))). */
  readonly activation: 'relu' | 'log1p_relu';
}

/** How two vectors are compared. */
export type Similarity = 'dot' | 'cosine' | 'euclidean' | 'manhattan';

const dimension = z.int().min(1).nullish();

/** An entry of `modules.json`. */
export interface StoredModule {
  /** Folder of the module, relative to the model folder. */
  readonly path: string;
  /** Python class. */
  readonly type: string;
}

/** `modules.json`. */
export const modulesSchema: z.ZodType<readonly StoredModule[]> = z
  .array(z.looseObject({ path: z.string().max(1000), type: z.string().max(1000) }))
  .min(1)
  .max(16);

/** `sentence_bert_config.json`, old and new. */
export interface StoredTransformerModule {
  readonly max_seq_length?: number | null | undefined;
  readonly do_lower_case?: boolean | null | undefined;
  readonly transformer_task?: string | null | undefined;
}

export const transformerModuleSchema: z.ZodType<StoredTransformerModule> = z.looseObject({
  max_seq_length: z.number().nullish(),
  do_lower_case: z.boolean().nullish(),
  transformer_task: z.string().nullish(),
});

/** `1_SpladePooling/config.json`, old and new. */
export interface StoredPooling {
  readonly pooling_strategy: Pooling['strategy'];
  readonly activation_function: Pooling['activation'];
  readonly word_embedding_dimension?: number | null | undefined;
  readonly embedding_dimension?: number | null | undefined;
}

export const spladePoolingSchema: z.ZodType<StoredPooling> = z.looseObject({
  pooling_strategy: z.enum(['max', 'sum']).default('max'),
  activation_function: z.enum(['relu', 'log1p_relu']).default('relu'),
  word_embedding_dimension: dimension,
  embedding_dimension: dimension,
});

/** `config_sentence_transformers.json`. */
export interface StoredEncoderConfig {
  readonly prompts?: Readonly<Record<string, string | null>> | null | undefined;
  readonly default_prompt_name?: string | null | undefined;
  readonly similarity_fn_name?: Similarity | null | undefined;
  readonly max_active_dims?: number | null | undefined;
}

export const encoderConfigSchema: z.ZodType<StoredEncoderConfig> = z.looseObject({
  prompts: z.record(z.string(), z.string().nullable()).nullish(),
  default_prompt_name: z.string().nullish(),
  similarity_fn_name: z.enum(['dot', 'cosine', 'euclidean', 'manhattan']).nullish(),
  max_active_dims: z.int().min(1).nullish(),
});

/** `tokenizer_config.json`, as far as it concerns the length of inputs. */
export interface StoredTokenizerConfig {
  readonly model_max_length?: number | null | undefined;
}

export const tokenizerConfigSchema: z.ZodType<StoredTokenizerConfig> = z.looseObject({
  model_max_length: z.number().nullish(),
});

/** Names under which old versions stored `sentence_bert_config.json`, in the order of search. */
export const transformerModuleFiles: readonly string[] = [
  'sentence_bert_config.json',
  'sentence_roberta_config.json',
  'sentence_distilbert_config.json',
  'sentence_camembert_config.json',
  'sentence_albert_config.json',
  'sentence_xlm-roberta_config.json',
  'sentence_xlnet_config.json',
];
