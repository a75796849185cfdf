/**
 * Where the MLM head of a checkpoint is: z = W·h + b with h = LayerNorm(…)·γ + β, whatever the family calls its parts.
 * W is the *decoder*, one row a term; it is tied when it is the matrix of word embeddings.
 */
import type { Checkpoint } from '../checkpoint/checkpoint.ts';

/** The names of the head's weights in a checkpoint; all are canonical names. */
export interface HeadLocation {
  /** The matrix W, [terms, width]. When tied, the word embeddings. */
  readonly decoder: string;
  /** What an untied decoder is called in this family, tied or not. */
  readonly untiedDecoder: string;
  readonly tied: boolean;
  /** The output bias b, [terms]; some ModernBERT configurations have none. */
  readonly bias: string | undefined;
  /** The LayerNorm before the decoder: γ, and β unless the family leaves it out, [width]. */
  readonly norm: { readonly weight: string; readonly bias: string | undefined };
  /** Terms of the vocabulary: rows of the decoder. */
  readonly vocabularySize: number;
  /** Width of the decoder's input. */
  readonly width: number;
}

/** Finds the head of a checkpoint. A checkpoint whose head is missing was refused when it was opened. */
export function locateHead({
  config,
  family,
  tensors,
}: Pick<Checkpoint, 'config' | 'family' | 'tensors'>): HeadLocation {
  const { embeddings, decoder, bias } = family.tied;
  const { vocabularySize, decoderWidth } = family.shape(config);
  const tied = config.tie_word_embeddings;
  const optional = (name: string): string | undefined => (tensors.has(name) ? name : undefined);
  return {
    decoder: tied ? embeddings : decoder,
    untiedDecoder: decoder,
    tied,
    bias: optional(bias),
    norm: { weight: `${family.headNorm}.weight`, bias: optional(`${family.headNorm}.bias`) },
    vocabularySize,
    width: decoderWidth,
  };
}
