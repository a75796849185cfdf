/** Encoding caches made of seeded numbers, for tests that need no model. */
import { Random } from '../util/random.ts';
import { relativeNormsOf } from './correction.ts';
import type { EncodingCache } from './encoding-cache.ts';
import { LogitHistogram } from './logit-histogram.ts';

/** What {@link syntheticCache} makes. */
export interface SyntheticOptions {
  readonly texts?: number;
  readonly terms?: number;
  /** Every logit is this many times as large: weights m·W. @default 1 */
  readonly scale?: number;
  /** The bias as well: m·b. @default true */
  readonly scaledBias?: boolean;
  /** Added to every bias before scaling. @default 0 */
  readonly bias?: number;
  readonly seed?: number;
}

/** A cache of random logits: texts with topics of their own, halves that share them, biases of both signs. */
export function syntheticCache(options: SyntheticOptions = {}): EncodingCache {
  const { texts = 128, terms = 200, scale = 1, scaledBias = true, bias = 0, seed = 1 } = options;
  const random = new Random(seed);
  const normal = (): number => random.normal();
  const biases = Float32Array.from({ length: terms }, () => Math.fround(normal() + bias) * (scaledBias ? scale : 1));
  const rowNorms = Float64Array.from({ length: terms }, () => Math.fround(1 + random.uniform()) * scale);
  const logits = new LogitHistogram();
  const ratios = { positiveBias: new LogitHistogram(), negativeBias: new LogitHistogram() };
  const row = (topic: Float32Array): Float32Array => topic.map((x) => Math.fround(x + 0.5 * normal() + 0.5) * scale);
  const pooled: Float32Array[] = [];
  const pairs: (readonly [Float32Array, Float32Array])[] = [];
  for (let i = 0; i < texts; i++) {
    const topic = Float32Array.from({ length: terms }, normal);
    pooled.push(row(topic));
    pairs.push([row(topic), row(topic)]);
    const token = row(topic);
    logits.addAll(token.map((u, v) => u + biases[v]!));
    token.forEach((u, v) => {
      (biases[v]! > 0 ? ratios.positiveBias : ratios.negativeBias).addAll(Float32Array.of(-u / biases[v]!));
    });
  }
  return {
    vocabularySize: terms,
    activation: 'relu',
    bias: biases,
    relativeNorms: relativeNormsOf(rowNorms),
    pooled,
    pairs,
    dropped: new Set(),
    tokenLogits: { logits, ratios, withoutBias: { count: 0, positive: 0 }, sampledTokens: texts, tokens: texts },
    moments: { tokens: texts, mean: new Float64Array(1), covariance: new Float64Array(1) },
    exactDeviation: scale,
  };
}
