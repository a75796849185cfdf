/**
 * What the vectors of the texts look like under a correction of the head, from the cache of one pass. Texts are compared
 * in batches of 64, in their order; a last batch that is not full is left out unless it is the only one.
 */
import { type Correction, correctLogits } from './correction.ts';
import type { EncodingCache } from './encoding-cache.ts';
import { spreadOf } from './head-statistics.ts';
import type { LinearBin } from './logit-histogram.ts';
import { scoreMatrix } from './score-matrix.ts';

/** Texts of a batch: score spread, entropy and InfoNCE depend on it. */
export const scoreBatch = 64;
/** A term active in more than this share of the texts is a sink. */
export const sinkShare = 0.9;

/** A term that is active in nearly every text. */
export interface SinkTerm {
  readonly term: number;
  /** Share of the texts it is active in. */
  readonly documentFrequency: number;
  /** Its share of the sum of all scores of unrelated texts. */
  readonly scoreShare: number;
  /** Mean weight over the texts in which it is active. */
  readonly meanWeight: number;
}

/** Scores of unrelated texts. */
export interface ScoreFigures {
  /** Mean of s_ij, i ≠ j. */
  readonly mean: number;
  /** Standard deviation of s_ij, i ≠ j, over all batches: the score spread. */
  readonly std: number;
  /** Mean over i of the entropy of softmax_j≠i(s_ij), divided by ln(B − 1): 1 when all others are alike, 0 when one takes all. */
  readonly entropy: number;
  /** Mean cosine of two texts; a zero vector has cosine 0 with everything. */
  readonly cosine: number;
  /** The scores s_ij themselves in 24 bins; the outermost hold a hundredth of them on each side. */
  readonly bins: readonly LinearBin[];
}

/** InfoNCE of the two halves of texts. */
export interface PairFigures {
  readonly infoNce: number;
  /** ln B, what a model without preference has. */
  readonly chance: number;
}

/** Figures of a set of texts under a correction. */
export interface ObservedFigures {
  readonly texts: number;
  /** Texts of a batch that were compared. */
  readonly batch: number;
  readonly activeDims: { readonly mean: number; readonly min: number; readonly max: number };
  /** Mean active dimensions divided by the size of the vocabulary. */
  readonly activeShare: number;
  readonly zeroTexts: number;
  /** P(z > 0) of a token and a term. */
  readonly tokenActivation: number;
  /** Mean weight of the active dimensions; 0 when there are none. */
  readonly meanWeight: number;
  readonly scores: ScoreFigures;
  /** Undefined with fewer than two texts that have two halves, or when not asked for. */
  readonly pairs: PairFigures | undefined;
  /** Σ_v (mean weight of v)²: the FLOPS regularizer of the texts as one batch. */
  readonly flops: number;
  /** Σ_v p(v)² with p the share of texts: expected terms that two texts share. */
  readonly retrievalFlops: number;
  /** The term active in most texts, and in which share of them. */
  readonly largestDocumentFrequency: number;
  /** Terms active in more than 90 % of the texts: the 20 with most of the score mass. */
  readonly sinks: readonly SinkTerm[];
  readonly sinkCount: number;
  /** Share of the score mass that all sinks have. */
  readonly sinkScoreShare: number;
}

/** Options of {@link observe}. */
export interface ObserveOptions {
  /** Look at the first so many batches only. @default all */
  readonly batches?: number | undefined;
  /** Whether the halves are looked at too. @default true */
  readonly pairs?: boolean | undefined;
}

/** Computes all figures. */
export function observe(cache: EncodingCache, correction: Correction, options: ObserveOptions = {}): ObservedFigures {
  const { vocabularySize } = cache;
  const texts = textsOf(cache, options);
  const frequency = new Uint32Array(vocabularySize);
  const sums = new Float64Array(vocabularySize);
  const mass = new Float64Array(vocabularySize);
  const batchSums = new Float64Array(vocabularySize);
  const batchSquares = new Float64Array(vocabularySize);
  const active: number[] = [];
  const scores = new ScoreTotals();
  forEachBatch(cache, texts, correction, (rows, compared) => {
    batchSums.fill(0);
    batchSquares.fill(0);
    for (const row of rows) {
      let count = 0;
      for (let v = 0; v < vocabularySize; v++) {
        const weight = row[v]!;
        if (weight === 0) continue;
        count++;
        frequency[v]!++;
        batchSums[v]! += weight;
        batchSquares[v]! += weight * weight;
      }
      active.push(count);
    }
    for (let v = 0; v < vocabularySize; v++) {
      sums[v]! += batchSums[v]!;
      if (compared) mass[v]! += batchSums[v]! ** 2 - batchSquares[v]!;
    }
    if (compared) scores.add(rows);
  });
  const entries = active.reduce((sum, count) => sum + count, 0);
  let flops = 0;
  let retrievalFlops = 0;
  let largest = 0;
  let weightSum = 0;
  let totalMass = 0;
  for (let v = 0; v < vocabularySize; v++) {
    flops += (sums[v]! / texts.length) ** 2;
    retrievalFlops += (frequency[v]! / texts.length) ** 2;
    largest = Math.max(largest, frequency[v]!);
    weightSum += sums[v]!;
    totalMass += mass[v]!;
  }
  const sinks: SinkTerm[] = [];
  for (let term = 0; term < vocabularySize; term++) {
    const count = frequency[term]!;
    if (count <= sinkShare * texts.length) continue;
    sinks.push({
      term,
      documentFrequency: count / texts.length,
      scoreShare: totalMass > 0 ? mass[term]! / totalMass : 0,
      meanWeight: sums[term]! / count,
    });
  }
  sinks.sort((a, b) => b.scoreShare - a.scoreShare || a.term - b.term);
  return {
    texts: texts.length,
    batch: Math.min(scoreBatch, texts.length),
    activeDims: {
      mean: entries / texts.length,
      min: active.reduce((a, b) => Math.min(a, b), vocabularySize),
      max: active.reduce((a, b) => Math.max(a, b), 0),
    },
    activeShare: entries / texts.length / vocabularySize,
    zeroTexts: active.filter((count) => count === 0).length,
    tokenActivation: tokenActivation(cache, correction),
    meanWeight: entries === 0 ? 0 : weightSum / entries,
    scores: scores.figures(),
    pairs: options.pairs === false ? undefined : observePairs(cache, correction, options),
    flops,
    retrievalFlops,
    largestDocumentFrequency: largest / texts.length,
    sinks: sinks.slice(0, 20),
    sinkCount: sinks.length,
    sinkScoreShare: sinks.reduce((sum, { scoreShare }) => sum + scoreShare, 0),
  };
}

/** The scores of unrelated texts alone. */
export function observeScores(
  cache: EncodingCache,
  correction: Correction,
  options: ObserveOptions = {},
): ScoreFigures {
  const scores = new ScoreTotals();
  forEachBatch(cache, textsOf(cache, options), correction, (rows, compared) => {
    if (compared) scores.add(rows);
  });
  return scores.figures();
}

/** InfoNCE of the halves alone, at temperature 1; undefined when fewer than two texts have halves. */
export function observePairs(
  cache: EncodingCache,
  correction: Correction,
  options: ObserveOptions = {},
): PairFigures | undefined {
  const count = Math.min(cache.pairs.length, (options.batches ?? Number.POSITIVE_INFINITY) * scoreBatch);
  if (count < 2) return undefined;
  const batch = Math.min(scoreBatch, count);
  const rows = [0, 1].map(() => blockOf(cache, batch)) as [Float32Array[], Float32Array[]];
  let loss = 0;
  let seen = 0;
  for (let start = 0; start + batch <= count; start += batch) {
    for (let i = 0; i < batch; i++) {
      const pair = cache.pairs[start + i]!;
      weigh(cache, pair[0], correction, rows[0][i]!);
      weigh(cache, pair[1], correction, rows[1][i]!);
    }
    const scores = scoreMatrix(rows[0], rows[1]);
    for (let i = 0; i < batch; i++) {
      const line = scores.subarray(i * batch, (i + 1) * batch);
      const largest = line.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      let sum = 0;
      for (const score of line) sum += Math.exp(score - largest);
      loss += Math.log(sum) + largest - line[i]!;
      seen++;
    }
  }
  return { infoNce: loss / seen, chance: Math.log(batch) };
}

/** P(z > 0) of a token and a term under a correction. */
export function tokenActivation({ tokenLogits }: EncodingCache, { arm, factor, shift }: Correction): number {
  const { logits, ratios, withoutBias } = tokenLogits;
  if (arm !== 'B') return logits.shareAbove(arm === 'D' ? shift : 0);
  const { positiveBias, negativeBias } = ratios;
  const positive =
    positiveBias.total * (1 - positiveBias.shareAbove(factor)) +
    negativeBias.total * negativeBias.shareAbove(factor) +
    withoutBias.positive;
  const all = positiveBias.total + negativeBias.total + withoutBias.count;
  return all === 0 ? 0 : positive / all;
}

/** Weights of a text: the activation of its corrected logits. */
function weigh(cache: EncodingCache, pooled: Float32Array, correction: Correction, target: Float32Array): void {
  correctLogits(pooled, cache, correction, target);
  const twice = cache.activation === 'log1p_relu';
  for (let v = 0; v < target.length; v++) {
    const z = target[v]!;
    if (z > 0) target[v] = twice ? Math.log1p(Math.log1p(z)) : Math.log1p(z);
    else target[v] = 0;
  }
  for (const term of cache.dropped) target[term] = 0;
}

function forEachBatch(
  cache: EncodingCache,
  texts: readonly Float32Array[],
  correction: Correction,
  use: (rows: readonly Float32Array[], compared: boolean) => void,
): void {
  const block = blockOf(cache, Math.min(scoreBatch, texts.length));
  for (let start = 0; start < texts.length; start += scoreBatch) {
    const batch = texts.slice(start, start + scoreBatch);
    batch.forEach((pooled, i) => {
      weigh(cache, pooled, correction, block[i]!);
    });
    const full = batch.length === block.length;
    use(full ? block : block.slice(0, batch.length), full);
  }
}

function textsOf(cache: EncodingCache, { batches }: ObserveOptions): readonly Float32Array[] {
  return batches === undefined ? cache.pooled : cache.pooled.slice(0, batches * scoreBatch);
}

function blockOf({ vocabularySize }: EncodingCache, rows: number): Float32Array[] {
  return Array.from({ length: rows }, () => new Float32Array(vocabularySize));
}

/** The off-diagonal scores of batches. */
class ScoreTotals {
  readonly #scores: number[] = [];
  #entropy = 0;
  #rows = 0;
  #cosine = 0;

  add(rows: readonly Float32Array[]): void {
    const n = rows.length;
    if (n < 2) return;
    const scores = scoreMatrix(rows, rows);
    for (let i = 0; i < n; i++) {
      const line = scores.subarray(i * n, (i + 1) * n);
      const own = line[i]!;
      let largest = Number.NEGATIVE_INFINITY;
      for (let j = 0; j < n; j++) {
        if (j === i) continue;
        const score = line[j]!;
        largest = Math.max(largest, score);
        this.#scores.push(score);
        const norms = own * scores[j * n + j]!;
        if (norms > 0) this.#cosine += score / Math.sqrt(norms);
      }
      let sum = 0;
      let weighted = 0;
      for (let j = 0; j < n; j++) {
        if (j === i) continue;
        const share = Math.exp(line[j]! - largest);
        sum += share;
        weighted += share * (line[j]! - largest);
      }
      this.#entropy += n > 2 ? (Math.log(sum) - weighted / sum) / Math.log(n - 1) : 1;
      this.#rows++;
    }
  }

  figures(): ScoreFigures {
    const scores = Float64Array.from(this.#scores).sort();
    if (scores.length === 0) return { mean: 0, std: 0, entropy: 1, cosine: 0, bins: [] };
    const { mean, std } = spreadOf(scores);
    return {
      mean,
      std,
      entropy: this.#entropy / this.#rows,
      cosine: this.#cosine / scores.length,
      bins: binSorted(scores, 24),
    };
  }
}

/** Ascending numbers in bins of equal width. */
function binSorted(values: Float64Array, count: number): LinearBin[] {
  const low = values[Math.floor(0.01 * (values.length - 1))]!;
  const high = values[Math.ceil(0.99 * (values.length - 1))]!;
  if (high === low) return [{ from: low, to: low, count: values.length }];
  const bins = new Float64Array(count);
  for (const value of values) {
    const at = Math.floor(((value - low) / (high - low)) * count);
    bins[Math.max(0, Math.min(count - 1, at))]!++;
  }
  const edge = (i: number): number => low + ((high - low) * i) / count;
  return Array.from(bins, (n, i) => ({ from: edge(i), to: edge(i + 1), count: n }));
}
