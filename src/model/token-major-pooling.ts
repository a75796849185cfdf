/**
 * The pooled logits of `splade-pooling.ts` for decoders that are kept as int8, without a backward pass: H·W_tileᵀ is the
 * form in which a product is computed in integers, and the maximum then goes over the second of three axes.
 */
import type { Value } from '../compute/graph/graph.ts';
import { Add, Concat, Gather, Linear, ReduceMax, Reshape, sliceRows, Transpose } from '../compute/graph/ops/index.ts';
import type { TokenLayout } from './token-layout.ts';

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
  const graph = hidden.graph;
  const vocabulary = weight.dims[0] as number;
  return graph.withoutDifferentiation(() => {
    const buckets = layout.buckets.map((bucket) => ({
      bucket,
      rows: Gather(hidden, bucket.rows),
      shape: Concat([sliceRows(bucket.attentionShape, 0, 2), graph.int64([-1])], 0, 3),
    }));
    const parts: Value[] = [];
    for (let start = 0; start < vocabulary; start += vocabularyTile) {
      const end = Math.min(vocabulary, start + vocabularyTile);
      const tile = vocabulary <= vocabularyTile ? weight : sliceRows(weight, start, end);
      const maxima = buckets.map(({ bucket, rows, shape }) =>
        ReduceMax(Reshape(Linear(rows, tile), shape, [bucket.B, bucket.L, end - start]), 1, false),
      );
      parts.push(Concat(maxima, 0, 'S'));
    }
    const logits = Concat(parts, 1, vocabulary);
    return Transpose(bias ? Add(logits, bias) : logits, [1, 0]);
  });
}
