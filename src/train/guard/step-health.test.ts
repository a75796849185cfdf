import { describe, expect, it } from 'vitest';
import { HealthWindow } from './health-window.ts';
import { figuresOf, simulateStep, vocabularySize } from './simulated-step.suite.ts';
import { stepHealth } from './step-health.ts';

const vector = (...weights: number[]): Float32Array => Float32Array.from(weights);

// biome-ignore format: one vector a line
const queries = [
  vector(1, 0, 2, 0),
  vector(0, 0, 0, 0),
];
// biome-ignore format: one vector a line
const documents = [
  vector(1, 0, 1, 0),
  vector(1, 1, 1, 1),
  vector(3, 0, 0, 0),
];
const step = figuresOf(queries, documents);

describe('stepHealth', () => {
  it('counts the active dimensions of each side', () => {
    const health = stepHealth(step);
    expect(health.queries).toEqual({
      vectors: 2,
      limit: 4,
      mean: 1,
      median: 0,
      p95: 2,
      zero: 1,
      full: 0,
      largestFrequency: 0.5,
      sharedTerms: 0,
    });
    expect(health.documents).toEqual({
      vectors: 3,
      limit: 4,
      mean: 7 / 3,
      median: 2,
      p95: 4,
      zero: 0,
      full: 1,
      largestFrequency: 1,
      // Term 0 is in all three; seven entries in all.
      sharedTerms: 3 / 7,
    });
  });

  it('takes the percentile by nearest rank', () => {
    const many = Array.from({ length: 40 }, (_, i) => Float32Array.from({ length: 64 }, (_, v) => (v <= i ? 1 : 0)));
    const { documents: side } = stepHealth(
      figuresOf(
        queries.map(() => new Float32Array(64)),
        many,
      ),
    );
    expect(side).toMatchObject({ median: 20, p95: 38, mean: 20.5 });
  });

  it('measures fullness by the top-k mask where there is one', () => {
    const health = stepHealth(step, { queryTopTerms: 2, documentTopTerms: 10 });
    expect(health.queries).toMatchObject({ limit: 2, full: 1 });
    expect(health.documents).toMatchObject({ limit: 4, full: 1 });
  });

  it('counts shared terms as sentence-transformers computes avg_flops', () => {
    // Mean counts: queries (½, 0, ½, 0), documents (1, ⅓, ⅔, ⅓).
    expect(stepHealth(step).flops).toBeCloseTo(0.5 * 1 + 0.5 * (2 / 3), 12);
  });

  it('describes the scores', () => {
    // Scores: (3, 3, 3) and (0, 0, 0).
    const { scores } = stepHealth(step);
    expect(scores.positive).toEqual({ mean: 1.5, std: 1.5 });
    expect(scores.negative).toEqual({ mean: 1.5, std: 1.5 });
    expect(scores.entropy).toBeCloseTo(1, 12);
    expect(scores.rightAtOne).toBe(0);
    expect(scores.documentSpread).toBe(0);
    expect(scores.querySpread).toBeCloseTo(1, 12);
  });

  it('has the ranking loss in units of chance', () => {
    const of = (values: readonly number[], at: number, temperature = 1): number => {
      const sum = values.reduce((total, value) => total + Math.exp(value / temperature), 0);
      return -Math.log(Math.exp(values[at]! / temperature) / sum) / Math.log(values.length);
    };
    const scores = Float32Array.from([2, 1, 0, 3, 1, 0.5]);
    const vectors = (count: number): Float32Array[] => Array.from({ length: count }, () => Float32Array.from([1, 0]));
    const step = { ...figuresOf(vectors(2), vectors(3)), scores };
    const ranking = (options = {}): number => stepHealth(step, options).scores.ranking;
    expect(ranking()).toBeCloseTo((of([2, 1, 0], 0) + of([3, 1, 0.5], 1)) / 2, 6);
    expect(ranking({ temperature: 0.1 })).toBeCloseTo((of([2, 1, 0], 0, 0.1) + of([3, 1, 0.5], 1, 0.1)) / 2, 6);
    // Without preference it is 1, whatever the scores; a relevant document is no part of the sum.
    expect(stepHealth({ ...step, scores: scores.fill(7) }).scores.ranking).toBeCloseTo(1, 12);
    const excused = { ...step, scores: Float32Array.from([2, 1, 0, 3, 1, 0.5]) };
    expect(stepHealth(excused, { otherPositives: [[1, 0]] }).scores.ranking).toBeCloseTo(
      (of([2, 1, 0], 0) + of([1, 0.5], 0)) / 2,
      6,
    );
  });

  it('has the entropy of the softmax at a temperature', () => {
    const [a, b, c] = [4, 1, 2];
    const scores = Float32Array.of(a, b, c, 0, 9, 0);
    const entropyOf = (values: number[]): number => {
      const shares = values.map((x) => Math.exp(x / 2));
      const sum = shares.reduce((x, y) => x + y);
      return -shares.reduce((h, x) => h + (x / sum) * Math.log(x / sum), 0) / Math.log(values.length);
    };
    const health = stepHealth({ ...step, scores }, { temperature: 2 });
    expect(health.scores.entropy).toBeCloseTo((entropyOf([a, b, c]) + entropyOf([0, 9, 0])) / 2, 6);
    expect(health.scores.rightAtOne).toBe(1);
    const steep = stepHealth({ ...step, scores: scores.map((x) => 1e4 * x) });
    expect(steep.scores.entropy).toBe(0);
    const relevant = stepHealth({ ...step, scores }, { temperature: 2, otherPositives: [[0, 2]] });
    expect(relevant.scores.entropy).toBeCloseTo((entropyOf([a, b]) + entropyOf([0, 9, 0])) / 2, 6);
  });

  it('leaves other positives out of the negatives', () => {
    const scores = Float32Array.of(1, 5, 0, 0, 2, 0);
    expect(stepHealth({ ...step, scores }).scores.rightAtOne).toBe(0.5);
    const { scores: found } = stepHealth({ ...step, scores }, { otherPositives: [[0, 1]] });
    expect(found.rightAtOne).toBe(1);
    expect(found.negative.mean).toBe(0);
  });

  it.each([
    ['loss', { loss: Number.NaN }, ['loss (NaN)']],
    ['parts', { parts: { query_regularizer_loss: Number.POSITIVE_INFINITY } }, ['query_regularizer_loss (Infinity)']],
    ['scores', { scores: Float32Array.of(1, 2, Number.NaN, 0, 0, 0) }, ['scores']],
    ['the gradient', { gradientNorm: Number.NaN }, ['grad_norm (NaN)']],
    ['nothing', { gradientNorm: 3 }, []],
  ])('names what is not finite: %s', (_what, change, wanted) => {
    expect(stepHealth({ ...step, ...change }).notFinite).toEqual(wanted);
  });

  it('sees that one side is all alike, whichever it is', () => {
    const unrelated = { density: 0.2 };
    const alike = { density: 0.2, alike: 0 };
    const both = stepHealth(simulateStep(1, unrelated, unrelated)).scores;
    expect(Math.min(both.documentSpread, both.querySpread)).toBeGreaterThan(0.05);
    const queriesAlike = stepHealth(simulateStep(1, alike, unrelated)).scores;
    expect(queriesAlike.querySpread).toBeLessThan(1e-5);
    expect(queriesAlike.documentSpread).toBeGreaterThan(0.05);
    const documentsAlike = stepHealth(simulateStep(1, unrelated, alike)).scores;
    expect(documentsAlike.documentSpread).toBeLessThan(1e-5);
    expect(documentsAlike.querySpread).toBeGreaterThan(0.05);
  });
});

describe('HealthWindow', () => {
  it('averages steps, and names figures as sentence-transformers does', () => {
    const window = new HealthWindow();
    const other = figuresOf([vector(1, 1, 1, 1), vector(1, 1, 1, 1)], documents);
    for (const figures of [step, other]) window.add(figures, stepHealth(figures));
    expect(window.figures()).toMatchObject({
      query_active_dims: 2.5,
      query_active_dims_p95: 3,
      query_sparsity_ratio: 1 - 2.5 / 4,
      query_zero_ratio: 0.25,
      query_full_ratio: 0.5,
      query_max_df: 0.75,
      document_zero_ratio: 0,
      document_max_df: 1,
      positive_score: (1.5 + (2 + 4) / 2) / 2,
      'in_batch_accuracy@1': 0.25,
    });
    expect(Object.values(window.figures()).every(Number.isFinite)).toBe(true);
    expect(window.frequentTerms(2)).toEqual({
      queries: [
        { term: 0, share: 0.75 },
        { term: 2, share: 0.75 },
      ],
      documents: [
        { term: 0, share: 1 },
        { term: 2, share: 2 / 3 },
      ],
    });
  });

  it('ranks terms by frequency, then by number, as sorting does', () => {
    const window = new HealthWindow();
    const figures = simulateStep(5, { density: 0.3 }, { density: 0.1 });
    window.add(figures, stepHealth(figures));
    const counts = [...figures.documentTerms.counts].map((count, term) => ({ term, share: count / 12 }));
    const sorted = counts.filter(({ share }) => share > 0).sort((a, b) => b.share - a.share || a.term - b.term);
    expect(window.frequentTerms(20).documents).toEqual(sorted.slice(0, 20));
    expect(window.frequentTerms(1000).documents).toEqual(sorted);
    expect(figures.documentTerms.counts).toHaveLength(vocabularySize);
  });

  it('is empty before the first step', () => {
    expect(new HealthWindow().figures()).toEqual({});
    expect(new HealthWindow().frequentTerms()).toEqual({ queries: [], documents: [] });
  });
});
