/**
 * What one pass of texts through an encoder leaves behind: enough to know the vectors of every correction of the head
 * but A, without another pass. The cache holds u, the pooled logits before the bias, because arm B divides u and keeps b.
 */
import type { SpladeActivation } from '../model/splade-pooling.ts';
import type { CorrectedHead } from './correction.ts';
import type { LogitHistogram } from './logit-histogram.ts';

/** Token-level logits, from a sample of the tokens. */
export interface TokenLogits {
  /** z = w·h + b of every term at every sampled token. */
  readonly logits: LogitHistogram;
  /**
   * For P(z > 0) of arm B at every k: u/k + b > 0 is k < −u/b where b > 0, and k > −u/b where b < 0. The ratios −u/b,
   * in a histogram for each sign of b.
   */
  readonly ratios: { readonly positiveBias: LogitHistogram; readonly negativeBias: LogitHistogram };
  /** Of the terms without a bias: how many logits there are, and how many are above 0. */
  readonly withoutBias: { readonly count: number; readonly positive: number };
  /** Tokens sampled and tokens there were. */
  readonly sampledTokens: number;
  readonly tokens: number;
}

/** First and second moments of the head's input h over all tokens. */
export interface HeadInputMoments {
  readonly tokens: number;
  /** Mean of h, [width]. */
  readonly mean: Float64Array;
  /** Covariance Σ of h, [width, width]. */
  readonly covariance: Float64Array;
}

/** The pass, kept. */
export interface EncodingCache extends CorrectedHead {
  readonly vocabularySize: number;
  readonly activation: SpladeActivation;
  /** u of each text, [terms]. */
  readonly pooled: readonly Float32Array[];
  /** u of the two halves of a text, for the texts that were long enough. */
  readonly pairs: readonly (readonly [Float32Array, Float32Array])[];
  /** Dimensions that the model's policy sets to zero. */
  readonly dropped: ReadonlySet<number>;
  readonly tokenLogits: TokenLogits;
  readonly moments: HeadInputMoments;
  /** mean_v √(w_vᵀΣw_v): the standard deviation of a term's logit over tokens, averaged over terms. */
  readonly exactDeviation: number;
}
