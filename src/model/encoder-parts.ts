/**
 * What a sparse encoder is made of: an engine that holds variables, and for each side a masked language model with SPLADE
 * pooling or, for queries, a table of token weights.
 */
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import type { LexrayModelPolicy } from '../checkpoint/layouts/model-policy.ts';
import type { OutputVocabulary } from '../checkpoint/layouts/output-vocabulary.ts';
import type { Engine } from '../compute/runtime/engine.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { BatchEncoderOptions } from './batch-encoder.ts';
import type { ReadTokenWeights } from './static-encoder.ts';

/** What a text is; prompts and maximum lengths may differ. */
export type TextKind = 'query' | 'document';

/** A model that is ready on an engine. */
export interface EncoderParts extends TransformerParts {
  /** Undefined where only queries by token weights are encoded. */
  readonly engine: Engine | undefined;
  readonly policy: LexrayModelPolicy;
  /** What encodes queries, if not what encodes documents. */
  readonly query?: QueryParts | undefined;
  /** What texts can be encoded. @default both */
  readonly kinds?: readonly TextKind[] | undefined;
  /** Heaviest terms kept in a vector. @default all */
  readonly maxActiveDims?: number | undefined;
}

/** A masked language model with SPLADE pooling, whose variables are in the engine. */
export interface TransformerParts extends BatchEncoderOptions {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  /** The terms of the vectors, where they are not the tokens of the tokenizer. */
  readonly outputVocabulary?: OutputVocabulary | undefined;
}

/** What encodes queries alone. */
export type QueryParts = { readonly casing?: LexrayModelPolicy['casing'] | undefined } & (
  | ({ readonly kind: 'encoder' } & TransformerParts)
  /** A weight for each token that occurs; no engine is used. */
  | { readonly kind: 'static'; readonly tokenizer: Tokenizer; readonly weights: ReadTokenWeights }
);

/** Before the names of the variables of a separate query encoder. */
export const queryPrefix = 'query.';
