/**
 * Multi-head self-attention over packed tokens (Vaswani et al., arXiv 1706.03762), bucket by bucket. It gives its own
 * differentiation: gathering into buckets and back is then a gather in both directions, never a scatter.
 */
import type { Value } from '../compute/graph/graph.ts';
import {
  Add,
  accumulate,
  Concat,
  Gather,
  MatMul,
  Mul,
  ReduceSum,
  Reshape,
  Softmax,
  Sub,
  Transpose,
} from '../compute/graph/ops/index.ts';
import type { BucketValues, TokenLayout } from './token-layout.ts';

interface BucketState {
  readonly bucket: BucketValues;
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly weights: Value;
  readonly output: Value;
}

/** What is added to the scores of a bucket: 0 where a token sees another, a large negative number elsewhere; [B, 1, 1 or L, L]. */
export type AttentionMask = (bucket: BucketValues) => Value;

/** Tokens see their whole sequence. */
export const wholeSequence: AttentionMask = (bucket) => bucket.keyMask;

/**
 * softmax(QKᵀ/√d + mask)·V for each head of each sequence.
 * @param query [T, D]
 * @param key [T, D]
 * @param value [T, D]
 * @returns [T, D]
 */
export function attention(
  query: Value,
  key: Value,
  value: Value,
  heads: number,
  layout: TokenLayout,
  mask: AttentionMask = wholeSequence,
): Value {
  const graph = query.graph;
  const width = query.dims[1] as number;
  const headSize = width / heads;
  const alpha = 1 / Math.sqrt(headSize);

  const toHeads = (x: Value, bucket: BucketValues): Value => {
    const { B, L } = bucket;
    return Transpose(Reshape(x, bucket.attentionShape, [B, L, heads, headSize]), [0, 2, 1, 3]);
  };
  const fromHeads = (x: Value, bucket: BucketValues): Value =>
    Reshape(Transpose(x, [0, 2, 1, 3]), graph.int64([-1, width]), [bucket.N, width]);
  const toPacked = (parts: readonly Value[]): Value => Gather(Concat(parts, 0, 'P'), layout.places);

  /** Made once more in the backward pass: scores grow with the square of the length. */
  const recomputed = (x: Value): Value => {
    graph.recomputed.add(x);
    return x;
  };

  const states: BucketState[] = [];
  const result = graph.withoutDifferentiation(() => {
    const outputs = layout.buckets.map((bucket) => {
      const [q, k, v] = [query, key, value].map((x) => toHeads(Gather(x, bucket.rows), bucket)) as [
        Value,
        Value,
        Value,
      ];
      const scores = recomputed(Add(recomputed(MatMul(q, k, { transB: true, alpha })), mask(bucket)));
      const weights = recomputed(Softmax(scores));
      const output = MatMul(weights, v);
      states.push({ bucket, query: q, key: k, value: v, weights, output });
      return fromHeads(output, bucket);
    });
    return toPacked(outputs);
  });

  graph.differentiate({
    inputs: [query, key, value],
    outputs: [result],
    backward: ([gradient]) => {
      const parts = states.map((state) => {
        const { bucket, weights } = state;
        const upstream = toHeads(Mul(Gather(gradient!, bucket.rows), bucket.rowMask), bucket);
        const toValue = MatMul(weights, upstream, { transA: true });
        const toWeights = MatMul(upstream, state.value, { transB: true });
        const total = ReduceSum(Mul(upstream, state.output), [3], true);
        const toScores = Mul(Sub(toWeights, total), weights);
        const toQuery = MatMul(toScores, state.key, { alpha });
        const toKey = MatMul(toScores, state.query, { transA: true, alpha });
        return [toQuery, toKey, toValue].map((x) => fromHeads(x, bucket));
      });
      return [query, key, value].map((input, i) =>
        accumulate(input, input.dims, () => toPacked(parts.map((part) => part[i]!))),
      );
    },
  });
  return result;
}
