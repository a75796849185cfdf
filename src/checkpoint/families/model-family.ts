/**
 * What a model family says about its checkpoints: which `config.json` it reads and which weights it needs, under one
 * canonical name each, with the other spellings found in files.
 */
import type { z } from 'zod';
import type { BertConfig } from './bert-config.ts';

/** A checked `config.json`. */
export type ModelConfig = BertConfig;

/** One weight that a model needs. */
export interface WeightSpec {
  /** The name in today's transformers. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Other names of the same weight in files. */
  readonly aliases: readonly string[];
  /** Whether it belongs to the encoder or to the MLM head. */
  readonly part: 'encoder' | 'head';
}

/** Names of the weights that tying concerns. */
export interface TiedNames {
  /** The input embeddings, `[vocab_size, hidden_size]`. */
  readonly embeddings: string;
  /** The output matrix of the MLM head, absent from tied checkpoints. */
  readonly decoder: string;
  /** The output bias. */
  readonly bias: string;
  /** A second copy of the output bias, which transformers ≥ 5 reads when the decoder is not tied; see {@link ModelFamily}. */
  readonly biasCopy: string;
}

/**
 * A model family.
 *
 * Tying. With `tie_word_embeddings` (the default) the decoder is the matrix of word embeddings and the file has no
 * decoder. Where a file has one all the same and it differs, transformers 4 drops it and transformers 5 uses it; Lexray
 * reads as the config says (tied) and warns. An explicit decoder counts only if `tie_word_embeddings` is false; then
 * transformers 5 takes the output bias from the decoder's own copy and transformers 4 from the head's, so both are written.
 */
export interface ModelFamily<Config extends ModelConfig = ModelConfig> {
  /** `model_type` in config.json. */
  readonly modelType: Config['model_type'];
  /** The class of transformers that opens it, for `architectures`. */
  readonly architecture: string;
  readonly configSchema: z.ZodType<Config>;
  /** Every weight that the config asks for, in the order in which they are written; no decoder when tied. */
  weights(config: Config): readonly WeightSpec[];
  readonly tied: TiedNames;
  /** Names of tensors that are often in files and not needed. */
  isKnownExtra(name: string): boolean;
}
