import { describe, expect, it } from 'vitest';
import { loadWeights, randomSequences, randomWeights, tinyBertConfig } from '../../../test/fixtures/tiny-bert.ts';
import { openReferenceEngine } from '../../compute/runtime/reference/reference-engine.ts';
import { Random } from '../../util/random.ts';
import { LogitObserver, LogitStatistics } from './logit-statistics.ts';

/** The definitions, one by one, from all logits. */
function spelledOut(texts: readonly Float32Array[]): Record<string, number> {
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = (values: readonly number[]): number => Math.sqrt(mean(values.map((x) => (x - mean(values)) ** 2)));
  const top = (text: Float32Array, k: number): number[] => [...text].sort((a, b) => b - a).slice(0, k);
  const terms = texts[0]!.length;
  const counts = texts.map((text) => text.filter((u) => u >= 0).length);
  const figures: Record<string, number> = {
    logit_score_std: mean(Array.from({ length: terms }, (_, v) => deviation(texts.map((text) => text[v]!)))),
    non_neg_terms_avg: mean(counts),
    non_neg_terms_std: deviation(counts),
  };
  for (const [name, k] of [
    ['10', 10],
    ['100', 100],
    ['all', terms],
  ] as const) {
    figures[`doc_score_avg_${name}`] = mean(texts.map((text) => mean(top(text, k))));
    figures[`doc_score_std_${name}`] = mean(texts.map((text) => deviation(top(text, k))));
  }
  const weights = texts.map((text) => [...text].map((u) => Math.log1p(Math.max(0, u))));
  const entropies = weights.map((a, i) => {
    const powers = weights.filter((_, j) => j !== i).map((b) => Math.exp(a.reduce((sum, x, v) => sum + x * b[v]!, 0)));
    const total = powers.reduce((x, y) => x + y);
    return (
      -powers.reduce((sum, power) => sum + (power / total) * Math.log(power / total), 0) / Math.log(texts.length - 1)
    );
  });
  return { ...figures, score_entropy: mean(entropies) };
}

describe('LogitStatistics', () => {
  it('equals the definitions', () => {
    const random = new Random(2);
    const texts = Array.from({ length: 12 }, () =>
      Float32Array.from({ length: 150 }, () => 0.3 * random.normal() - 0.1),
    );
    const statistics = new LogitStatistics(150);
    for (const text of texts) statistics.add(text);
    const wanted = spelledOut(texts);
    const found = statistics.figures();
    expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort());
    for (const [name, value] of Object.entries(wanted)) expect(found[name], name).toBeCloseTo(value, 5);
    expect(found.score_entropy).toBeLessThan(0.999);
  });

  it('has an entropy of 1 where all scores are alike, and of 0 where one takes all', () => {
    const alike = new LogitStatistics(4);
    for (let i = 0; i < 5; i++) alike.add(Float32Array.of(1, 2, 3, 0));
    expect(alike.figures().score_entropy).toBeCloseTo(1, 6);
    const pairs = new LogitStatistics(4);
    for (let i = 0; i < 4; i++) pairs.add(Float32Array.from({ length: 4 }, (_, v) => (v === i >> 1 ? 1e6 : -1)));
    expect(pairs.figures().score_entropy).toBeLessThan(1e-6);
  });

  it('says nothing of no text', () => {
    expect(new LogitStatistics(4).figures()).toEqual({});
  });
});

it('LogitObserver pools the largest logit of each term over the tokens of a text', async () => {
  const config = tinyBertConfig();
  const engine = await openReferenceEngine();
  await loadWeights(engine, config, randomWeights(config));
  const texts = randomSequences([3, 6, 2, 5], config.vocab_size);
  const observer = new LogitObserver(engine, config);
  const together = await observer.observe(texts);
  const apart = await Promise.all(texts.map((text) => observer.observe([text])));
  const mean = apart.reduce((sum, one) => sum + one.doc_score_avg_all! / texts.length, 0);
  expect(together.doc_score_avg_all).toBeCloseTo(mean, 5);
  expect(together.non_neg_terms_avg).toBeGreaterThan(0);
  expect(apart[0]!.logit_score_std).toBe(0);
  expect(together.logit_score_std).toBeGreaterThan(0);
  await engine.dispose();
});
