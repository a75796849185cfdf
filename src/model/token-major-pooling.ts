/**
 * The pooled logits of `splade-pooling.ts` for decoders that are kept as int8, without a backward pass: H·W_tileᵀ is the
 * form in which a product is computed in integers, and the maximum then goes over the second of three axes.
 */
import type { Value } from '../compute/graph/graph.ts';
import { Add, ReduceMax, Transpose } from '../compute/graph/ops/index.ts';
import type { TokenLayout } from './token-layout.ts';
import { reduceTokens } from './vocabulary-tiles.ts';

/** Vocabulary rows of one tile: for each, the hidden states are made integers once more. */
const vocabularyTile = 2048;

/**
 * The largest logit of each term over the tokens of each sequence.
 * @param hidden decoder input, [T, D]
 * @param weight decoder, [V, D]
 * @param bias [V], if there is one
 * @returns [V, S], sequences in bucket order
 */
export function tokenMajorLogits(hidden: Value, weight: Value, bias: Value | undefined, layout: TokenLayout): Value {
  return hidden.graph.withoutDifferentiation(() => {
    // A bias is the same for all tokens: it may come after the maximum.
    const logits = reduceTokens(
      { hidden, weight, bias: undefined, layout },
      { rows: vocabularyTile, reduce: (of) => ReduceMax(of, 1, false) },
    );
    return Transpose(bias ? Add(logits, bias) : logits, [1, 0]);
  });
}
