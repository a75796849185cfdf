/**
 * Walks a decoder in tiles of the vocabulary with logits token by token, [T, tile], and reduces them over the tokens of each
 * sequence: for what cannot be pooled as `splade-pooling.ts` does it. Without a backward pass.
 */
import type { Value } from '../compute/graph/graph.ts';
import { Concat, Gather, Linear, Reshape, sliceRows } from '../compute/graph/ops/index.ts';
import type { HeadGraph } from './splade-graph.ts';
import type { BucketValues } from './token-layout.ts';

/** How the tokens of a sequence become one value of each term. */
export interface TokenReduction {
  /** Vocabulary rows of one tile. */
  readonly rows: number;
  /** Logits of the tokens of a bucket, [B·L, tile], as what is reduced. @default the logits */
  readonly values?: (logits: Value, bucket: BucketValues) => Value;
  /** [B, L, tile] → [B, tile]. */
  readonly reduce: (values: Value) => Value;
}

/** One value a sequence and term, [S, V], sequences in bucket order. */
export function reduceTokens(
  { hidden, weight, bias, layout }: Pick<HeadGraph, 'hidden' | 'weight' | 'bias' | 'layout'>,
  { rows: tileRows, values = (logits) => logits, reduce }: TokenReduction,
): Value {
  const graph = hidden.graph;
  const vocabulary = weight.dims[0] as number;
  const buckets = layout.buckets.map((bucket) => ({
    bucket,
    rows: Gather(hidden, bucket.rows),
    shape: Concat([sliceRows(bucket.attentionShape, 0, 2), graph.int64([-1])], 0, 3),
  }));
  const parts: Value[] = [];
  for (let start = 0; start < vocabulary; start += tileRows) {
    const end = Math.min(vocabulary, start + tileRows);
    const tileOf = (of: Value): Value => (vocabulary <= tileRows ? of : sliceRows(of, start, end));
    const [tile, tileBias] = [tileOf(weight), bias && tileOf(bias)];
    const reduced = buckets.map(({ bucket, rows, shape }) =>
      reduce(Reshape(values(Linear(rows, tile, tileBias), bucket), shape, [bucket.B, bucket.L, end - start])),
    );
    parts.push(Concat(reduced, 0, 'S'));
  }
  return Concat(parts, 1, vocabulary);
}
