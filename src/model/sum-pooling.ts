/**
 * SPLADE with sum pooling (Formal et al., arXiv 2107.05720): v_j = Σ over tokens of log(1 + ReLU(z_ij)), or of the same applied
 * twice. For inference only. Unlike a maximum a sum needs every weight of every token, and a mask for padding; the decoder is
 * still walked in tiles of the vocabulary.
 */
import type { Value } from '../compute/graph/graph.ts';
import { Mul, ReduceSum, Transpose } from '../compute/graph/ops/index.ts';
import type { HeadGraph } from './splade-graph.ts';
import { type SpladeActivation, spladeActivation } from './splade-pooling.ts';
import { reduceTokens } from './vocabulary-tiles.ts';

/** Vocabulary rows of one tile: the weights of all tokens of a batch exist for so many terms at a time. */
const vocabularyTile = 1024;

/** Term weights, [V, S], sequences in bucket order. */
export function summedWeights(head: HeadGraph, activation: SpladeActivation): Value {
  return head.hidden.graph.withoutDifferentiation(() => {
    const sums = reduceTokens(head, {
      rows: vocabularyTile,
      values: (logits, bucket) => Mul(spladeActivation(logits, activation), bucket.rowMask),
      reduce: (weights) => ReduceSum(weights, [1], false),
    });
    return Transpose(sums, [1, 0]);
  });
}
