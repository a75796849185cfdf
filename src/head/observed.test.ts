/** Figures of corrected vectors, against the same figures computed the long way. */
import { describe, expect, it } from 'vitest';
import { type Correction, correctionArms } from './correction.ts';
import type { EncodingCache } from './encoding-cache.ts';
import { observe, observePairs, observeScores, tokenActivation } from './observed.ts';
import { scoreMatrix } from './score-matrix.ts';
import { syntheticCache } from './synthetic-cache.suite.ts';

const cache = syntheticCache({ bias: -0.3 });

/** Weights by the formulas of DESIGN's table, one number at a time. */
function weightsOf(
  { bias, relativeNorms }: EncodingCache,
  u: Float32Array,
  { arm, factor: k, shift: c }: Correction,
): number[] {
  return Array.from(u, (x, v) => {
    const b = bias[v]!;
    const z = { A: Number.NaN, B: x / k + b, C: (x + b) / k, D: (x + b - c) / k, E: (x + b) / (k * relativeNorms[v]!) }[
      arm
    ];
    return Math.log(1 + Math.max(0, z));
  });
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

const corrections: Correction[] = [
  { arm: 'B', factor: 4, shift: 0 },
  { arm: 'C', factor: 1, shift: 0 },
  { arm: 'C', factor: 8, shift: 0 },
  { arm: 'D', factor: 2, shift: 0.7 },
  { arm: 'E', factor: 3, shift: 0 },
];

describe.each(corrections)('observe with arm $arm, k = $factor, c = $shift', (correction) => {
  const vectors = cache.pooled.map((u) => weightsOf(cache, u, correction));
  const observed = observe(cache, correction);

  it('counts active dimensions, weights and FLOPS', () => {
    const counts = vectors.map((vector) => vector.filter((x) => x > 0).length);
    expect(observed.activeDims).toEqual({ mean: mean(counts), min: Math.min(...counts), max: Math.max(...counts) });
    expect(observed.activeShare).toBeCloseTo(mean(counts) / 200, 12);
    const active = vectors.flat().filter((x) => x > 0);
    expect(observed.meanWeight / mean(active)).toBeCloseTo(1, 6);
    const terms = Array.from({ length: 200 }, (_, v) => vectors.map((vector) => vector[v]!));
    expect(observed.flops / terms.reduce((sum, weights) => sum + mean(weights) ** 2, 0)).toBeCloseTo(1, 6);
    const shares = terms.map((weights) => weights.filter((x) => x > 0).length / vectors.length);
    expect(observed.retrievalFlops).toBeCloseTo(
      shares.reduce((sum, p) => sum + p * p, 0),
      9,
    );
    expect(observed.largestDocumentFrequency).toBe(Math.max(...shares));
  });

  it('spreads scores, entropy and cosine over the pairs of a batch', () => {
    const scores: number[] = [];
    const cosines: number[] = [];
    const entropies: number[] = [];
    for (const start of [0, 64]) {
      const batch = vectors.slice(start, start + 64);
      batch.forEach((a, i) => {
        const others = batch.flatMap((b, j) => (i === j ? [] : [dot(a, b)]));
        scores.push(...others);
        batch.forEach((b, j) => {
          if (i !== j) cosines.push(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)));
        });
        const sum = others.reduce((total, s) => total + Math.exp(s), 0);
        entropies.push(
          -others.reduce((h, s) => h + (Math.exp(s) / sum) * Math.log(Math.exp(s) / sum), 0) / Math.log(63),
        );
      });
    }
    const average = mean(scores);
    expect(observed.scores.mean / average).toBeCloseTo(1, 6);
    expect(observed.scores.std / Math.sqrt(mean(scores.map((s) => (s - average) ** 2)))).toBeCloseTo(1, 5);
    expect(observed.scores.entropy).toBeCloseTo(mean(entropies), 5);
    expect(observed.scores.cosine).toBeCloseTo(mean(cosines), 6);
    expect(observeScores(cache, correction)).toEqual(observed.scores);
    expect(observed.scores.bins.reduce((sum, { count }) => sum + count, 0)).toBe(128 * 63);
  });

  it('has the InfoNCE of the halves', () => {
    const losses: number[] = [];
    for (const start of [0, 64]) {
      const batch = cache.pairs
        .slice(start, start + 64)
        .map((pair) => pair.map((u) => weightsOf(cache, u, correction)));
      batch.forEach(([query], i) => {
        const scores = batch.map(([, document]) => dot(query!, document!));
        losses.push(Math.log(scores.reduce((sum, s) => sum + Math.exp(s - scores[i]!), 0)));
      });
    }
    expect(observed.pairs!.infoNce).toBeCloseTo(mean(losses), 5);
    expect(observed.pairs!.chance).toBe(Math.log(64));
  });

  it('finds sinks and their share of the score mass', () => {
    const sinks = Array.from({ length: 200 }, (_, v) => v).filter(
      (v) => vectors.filter((vector) => vector[v]! > 0).length > 0.9 * vectors.length,
    );
    expect(observed.sinkCount).toBe(sinks.length);
    let all = 0;
    const mass = new Map(sinks.map((v) => [v, 0]));
    for (const start of [0, 64]) {
      const batch = vectors.slice(start, start + 64);
      batch.forEach((a, i) => {
        batch.forEach((b, j) => {
          if (i === j) return;
          all += dot(a, b);
          for (const v of sinks) mass.set(v, mass.get(v)! + a[v]! * b[v]!);
        });
      });
    }
    for (const { term, scoreShare } of observed.sinks) expect(scoreShare).toBeCloseTo(mass.get(term)! / all, 6);
    const shares = [...mass.values()].map((x) => x / all).sort((a, b) => b - a);
    expect(observed.sinks.map(({ scoreShare }) => scoreShare)).toEqual(
      shares.slice(0, 20).map((share) => expect.closeTo(share, 6) as number),
    );
  });
});

describe('the edges of observe', () => {
  it('sees dead and double-log vectors', () => {
    const dead = observe(cache, { arm: 'D', factor: 1, shift: 1000 });
    expect(dead).toMatchObject({ zeroTexts: 128, meanWeight: 0, flops: 0, sinkCount: 0, sinkScoreShare: 0 });
    expect(dead.scores).toMatchObject({ mean: 0, std: 0, entropy: expect.closeTo(1, 12) as number, cosine: 0 });
    expect(dead.scores.bins).toEqual([{ from: 0, to: 0, count: 128 * 63 }]);
    expect(dead.pairs!.infoNce).toBeCloseTo(Math.log(64), 12);
    const twice = observe({ ...cache, activation: 'log1p_relu' }, corrections[1]!);
    expect(twice.activeDims).toEqual(observe(cache, corrections[1]!).activeDims);
    expect(twice.meanWeight).toBeLessThan(observe(cache, corrections[1]!).meanWeight);
  });

  it('leaves out dropped dimensions', () => {
    const all = observe(cache, corrections[1]!);
    const rest = observe({ ...cache, dropped: new Set([3, 4]) }, corrections[1]!);
    expect(rest.activeDims.mean).toBeLessThan(all.activeDims.mean);
    expect(rest.activeDims.mean).toBeGreaterThan(all.activeDims.mean - 2.001);
  });

  it('compares few texts in one batch, and no halves where there are none', () => {
    const few = { ...cache, pooled: cache.pooled.slice(0, 10), pairs: [] };
    expect(observe(few, corrections[1]!)).toMatchObject({ texts: 10, batch: 10, pairs: undefined });
    expect(observePairs({ ...cache, pairs: cache.pairs.slice(0, 1) }, corrections[1]!)).toBeUndefined();
    expect(observe(cache, corrections[1]!, { batches: 1 }).texts).toBe(64);
  });

  it('knows the token-level rate of every arm from one set of histograms', () => {
    for (const correction of corrections) {
      // The synthetic histograms count one token a text; its logits follow from the ratios only.
      const rate = tokenActivation(cache, correction);
      expect(rate).toBeGreaterThan(0);
      expect(rate).toBeLessThan(1);
    }
    const atOne = correctionArms
      .filter((arm) => arm !== 'A')
      .map((arm) => tokenActivation(cache, { arm, factor: 1, shift: 0 }));
    for (const rate of atOne) expect(Math.abs(rate - atOne[1]!)).toBeLessThan(2e-3);
    const share = cache.bias.filter((b) => b > 0).length / 200;
    expect(tokenActivation(cache, { arm: 'B', factor: 1e9, shift: 0 })).toBeCloseTo(share, 3);
  });
});

describe('scoreMatrix', () => {
  it.each([
    [1, 1, 3],
    [3, 5, 1200],
    [4, 4, 513],
    [7, 2, 40],
  ])('multiplies %i by %i rows of %i columns, sparse or not', (n, m, width) => {
    for (const every of [1, 7]) {
      const make = (rows: number, offset: number): Float32Array[] =>
        Array.from({ length: rows }, (_, i) =>
          Float32Array.from({ length: width }, (_x, v) => (v % every === 0 ? ((i + offset) * 31 + v * 7) % 13 : 0)),
        );
      const [a, b] = [make(n, 0), make(m, 5)];
      const wanted = a.flatMap((x) => b.map((y) => dot([...x], [...y])));
      expect([...scoreMatrix(a, b)]).toEqual(wanted);
      expect([...scoreMatrix(a, a)]).toEqual(a.flatMap((x) => a.map((y) => dot([...x], [...y]))));
    }
  });
});
