/**
 * Two kinds of heads: one that was only ever part of a masked language model, with thousands of active dimensions a text, and one
 * that was trained to be sparse, with tens or hundreds. What scale is right differs between them by orders of magnitude
 * (docs/findings/calibration.md).
 */
import { type Correction, correctLogits } from './correction.ts';
import type { EncodingCache } from './encoding-cache.ts';

/** A kind of head. */
export type HeadKind = 'language-model' | 'sparse';

/** Mean active dimensions of a text up to which a head counts as sparse: between the hundreds and the thousands. */
const mostOfSparse = 1000;

/** The kind of a head whose texts have so many active dimensions on average. */
export function headKind(meanActiveDims: number): HeadKind {
  return meanActiveDims > mostOfSparse ? 'language-model' : 'sparse';
}

/** The kind that a head is after a correction. */
export function correctedKind(cache: EncodingCache, correction: Correction): HeadKind {
  const logits = new Float32Array(cache.vocabularySize);
  let active = 0;
  for (const pooled of cache.pooled) {
    correctLogits(pooled, cache, correction, logits);
    for (let v = 0; v < logits.length; v++) if (logits[v]! > 0 && !cache.dropped.has(v)) active++;
  }
  return headKind(active / cache.pooled.length);
}
