/**
 * SPLADE with sum pooling (Formal et al., arXiv 2107.05720): v_j = Σ over tokens of log(1 + ReLU(z_ij)), or of the same applied
 * twice. For inference only. Unlike a maximum a sum needs every weight of every token, and a mask for padding; the decoder is
 * still walked in tiles of the vocabulary.
 */
import type { Value } from '../compute/graph/graph.ts';
import { Concat, Gather, Linear, Mul, ReduceSum, Reshape, sliceRows, Transpose } from '../compute/graph/ops/index.ts';
import type { HeadGraph } from './splade-graph.ts';
import { type SpladeActivation, spladeActivation } from './splade-pooling.ts';

/** Vocabulary rows of one tile: the weights of all tokens of a batch exist for so many terms at a time. */
const vocabularyTile = 1024;

/** Term weights, [V, S], sequences in bucket order. */
export function summedWeights({ hidden, weight, bias, layout }: HeadGraph, activation: SpladeActivation): Value {
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
      const [tile, tileBias] = [weight, bias].map((of) => of && sliceRows(of, start, end)) as [
        Value,
        Value | undefined,
      ];
      const sums = buckets.map(({ bucket, rows, shape }) => {
        const weights = Mul(spladeActivation(Linear(rows, tile, tileBias), activation), bucket.rowMask);
        return ReduceSum(Reshape(weights, shape, [bucket.B, bucket.L, end - start]), [1], false);
      });
      parts.push(Concat(sums, 0, 'S'));
    }
    return Transpose(Concat(parts, 1, vocabulary), [1, 0]);
  });
}
