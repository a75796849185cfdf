/**
 * Local attention (as in Longformer, arXiv 2004.05150, and ModernBERT, arXiv 2412.13663): a token sees the tokens that
 * are at most a given distance away. The masks are made in the graph from the length of a bucket.
 */
import { Add, Cast, Gather, Greater, Mul, Range, Sub, Unsqueeze } from '../compute/graph/ops/index.ts';
import type { AttentionMask } from './attention.ts';
import { type BucketValues, maskedScore, type TokenLayout } from './token-layout.ts';

/** The masks of attention within a distance, [B, 1, L, L]; one for all layers. */
export function localWindow(layout: TokenLayout, distance: number): AttentionMask {
  const masks = new Map(layout.buckets.map((bucket) => [bucket, windowOf(bucket, distance)]));
  return (bucket) => masks.get(bucket)!;
}

function windowOf(bucket: BucketValues, distance: number): BucketValues['keyMask'] {
  const { graph } = bucket.keyMask;
  const scalar = (x: number): BucketValues['keyMask'] => graph.constant('int64', [], BigInt64Array.of(BigInt(x)));
  const places = Range(Gather(bucket.attentionShape, scalar(1)), bucket.L);
  const apart = Sub(Unsqueeze(places, [1]), Unsqueeze(places, [0]));
  const far = Cast(Greater(Mul(apart, apart), scalar(distance ** 2)), 'float32');
  return Add(bucket.keyMask, Mul(far, maskedScore));
}
