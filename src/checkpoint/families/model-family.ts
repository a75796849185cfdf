/**
 * What a model family says about its checkpoints: which `config.json` it reads and which weights it needs, under one
 * canonical name each, with the other spellings found in files.
 */
import type { z } from 'zod';
import type { AlbertConfig } from './albert.ts';
import type { BertConfig } from './bert-config.ts';
import type { DistilBertConfig } from './distilbert.ts';
import type { GteConfig, NewConfig } from './gte-config.ts';
import type { ModernBertConfig } from './modernbert-config.ts';
import type { RobertaConfig } from './roberta.ts';

/** A checked `config.json`. What all of Lexray needs to know of one is in its {@link ModelShape}. */
export type ModelConfig =
  | BertConfig
  | DistilBertConfig
  | RobertaConfig
  | AlbertConfig
  | ModernBertConfig
  | GteConfig
  | NewConfig;

/** What a config says of a model, whatever the names of its family. */
export interface ModelShape {
  /** Terms of the vectors: rows of the decoder. */
  readonly vocabularySize: number;
  /** Tokens of the input: rows of the word embeddings. */
  readonly inputVocabularySize: number;
  /** Whether the terms are those of `output_vocabulary.json`, not the tokens of the input. */
  readonly ownTerms: boolean;
  /** Width of a token between layers. */
  readonly hiddenSize: number;
  /** Width of the decoder's input: ALBERT's `embedding_size`, elsewhere the hidden size. */
  readonly decoderWidth: number;
  readonly layers: number;
  /** Attention heads of a layer. */
  readonly heads: number;
  /** Width of a head. */
  readonly headSize: number;
  /** Longest input in tokens, special tokens included. */
  readonly maxPositions: number;
  /** Whether the decoder has a bias. */
  readonly outputBias: boolean;
  /** RoBERTa: the padding token's id, after which positions are counted; a padding token in a text has no position of its own. */
  readonly paddingToken?: number;
}

/** One weight that a model needs. */
export interface WeightSpec {
  /** The name in today's transformers. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Other names of the same weight in files. */
  readonly aliases: readonly string[];
  /** Whether it belongs to the encoder or to the MLM head. */
  readonly part: 'encoder' | 'head';
  /**
   * On a matrix that hands a token's own embedding on towards the head (value and output projections, the head's
   * transform): the first row of the square to which initialisation near the identity adds it.
   */
  readonly identityFrom?: number;
}

/** Names of the weights that tying concerns. */
export interface TiedNames {
  /** The input embeddings, [vocabulary, decoder width]. */
  readonly embeddings: string;
  /** The output matrix of the MLM head, absent from tied checkpoints. */
  readonly decoder: string;
  /** The output bias, where the model has one. */
  readonly bias: string;
  /**
   * In families that have two names for the output bias, the second: transformers ≥ 5 reads it when the decoder is not
   * tied; see {@link ModelFamily}.
   */
  readonly biasCopy?: string;
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
  shape(config: Config): ModelShape;
  readonly tied: TiedNames;
  /** The LayerNorm before the decoder: its weights are `NAME.weight` and, in most families, `NAME.bias`. */
  readonly headNorm: string;
  /** Names of tensors that are often in files and not needed. */
  isKnownExtra(name: string): boolean;
}
