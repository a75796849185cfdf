/**
 * What the pooled logits of texts look like: the statistics of Appendix E of arXiv 2605.01407, whose logit spread and number
 * of terms above 0 go with the quality after fine-tuning. The paper's formulas were not at hand; this reading of its names is
 * our own. With u_i,v the largest logit of term v over the tokens of text i:
 *
 * | name | what |
 * |---|---|
 * | doc_score_avg_K | mean over texts of the mean of a text's K largest u (10, 100, all) |
 * | doc_score_std_K | mean over texts of their standard deviation |
 * | logit_score_std | mean over terms of the standard deviation of u over texts |
 * | non_neg_terms_avg, non_neg_terms_std | terms with u ≥ 0 of a text: mean and standard deviation over texts |
 * | score_entropy | mean over i of the entropy of softmax_j≠i(s_ij), divided by ln(B − 1), in batches of 64 texts; s the dot product of the weights log(1 + ReLU(u)) |
 */
import type { ModelConfig } from '../../checkpoint/families/model-family.ts';
import { modelShape } from '../../checkpoint/families/registry.ts';
import { Graph } from '../../compute/graph/graph.ts';
import type { Engine, Program } from '../../compute/runtime/engine.ts';
import { scoreMatrix } from '../../head/score-matrix.ts';
import { buildSpladeGraph } from '../../model/splade-graph.ts';
import { packTokens } from '../../model/token-layout.ts';

/** Texts whose scores are compared. */
const scoreBatch = 64;
/** Texts of an encoding batch. */
const batchTexts = 16;
const cutoffs = [10, 100] as const;

/** Adds up the statistics text by text. */
export class LogitStatistics {
  readonly #terms: number;
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  readonly #averages: number[][] = [];
  readonly #deviations: number[][] = [];
  readonly #counts: number[] = [];
  readonly #entropies: number[] = [];
  #rows: Float32Array[] = [];

  /** @param terms terms of the vocabulary, V */
  constructor(terms: number) {
    this.#terms = terms;
    this.#sums = new Float64Array(terms);
    this.#squares = new Float64Array(terms);
  }

  /** @param pooled largest logit of each term, [V] */
  add(pooled: Float32Array): void {
    let count = 0;
    for (let v = 0; v < this.#terms; v++) {
      const u = pooled[v]!;
      this.#sums[v]! += u;
      this.#squares[v]! += u * u;
      if (u >= 0) count++;
    }
    const sorted = pooled.slice().sort().reverse();
    const spreads = [...cutoffs, this.#terms].map((k) => meanAndDeviation(sorted.subarray(0, k)));
    this.#averages.push(spreads.map(([mean]) => mean));
    this.#deviations.push(spreads.map(([, deviation]) => deviation));
    this.#counts.push(count);
    this.#rows.push(pooled.map((u) => (u > 0 ? Math.log1p(u) : 0)));
    if (this.#rows.length === scoreBatch) this.#compare();
  }

  /** The statistics by name; empty when no text was added. */
  figures(): Record<string, number> {
    const texts = this.#counts.length;
    if (texts === 0) return {};
    // A last batch that is not full counts only where it is the only one: entropy depends on the size.
    if (this.#entropies.length === 0 && this.#rows.length > 2) this.#compare();
    const columns = ['10', '100', 'all'].map((name, i) => [
      [`doc_score_avg_${name}`, average(this.#averages.map((row) => row[i]!))],
      [`doc_score_std_${name}`, average(this.#deviations.map((row) => row[i]!))],
    ]);
    let spread = 0;
    for (let v = 0; v < this.#terms; v++) {
      const mean = this.#sums[v]! / texts;
      spread += Math.sqrt(Math.max(0, this.#squares[v]! / texts - mean * mean)) / this.#terms;
    }
    const [nonNegative, nonNegativeDeviation] = meanAndDeviation(this.#counts);
    return {
      ...Object.fromEntries(columns.flat()),
      logit_score_std: spread,
      non_neg_terms_avg: nonNegative,
      non_neg_terms_std: nonNegativeDeviation,
      ...(this.#entropies.length > 0 && { score_entropy: average(this.#entropies) }),
    };
  }

  #compare(): void {
    const rows = this.#rows;
    this.#rows = [];
    const scores = scoreMatrix(rows, rows);
    for (let i = 0; i < rows.length; i++) {
      const others = [...scores.subarray(i * rows.length, (i + 1) * rows.length)].filter((_, j) => j !== i);
      const largest = others.reduce((a, b) => Math.max(a, b));
      const powers = others.map((score) => Math.exp(score - largest));
      const total = powers.reduce((a, b) => a + b);
      const entropy = powers.reduce(
        (sum, power) => sum - (power > 0 ? (power / total) * Math.log(power / total) : 0),
        0,
      );
      this.#entropies.push(entropy / Math.log(others.length));
    }
  }
}

/** Encodes texts and computes their statistics; compiled once, for many states of the weights. */
export class LogitObserver {
  readonly #engine: Engine;
  readonly #config: ModelConfig;
  readonly #programs = new Map<number, Promise<Program>>();

  constructor(engine: Engine, config: ModelConfig) {
    this.#engine = engine;
    this.#config = config;
  }

  /** @param texts token ids, special tokens included */
  async observe(texts: readonly Int32Array[]): Promise<Record<string, number>> {
    const shape = modelShape(this.#config);
    const statistics = new LogitStatistics(shape.vocabularySize);
    for (let start = 0; start < texts.length; start += batchTexts) {
      const packed = packTokens(texts.slice(start, start + batchTexts), { buckets: 2, ...shape });
      const { logits } = await (await this.#program(packed.bucketCount)).run(packed.feeds);
      const data = logits!.data as Float32Array;
      const width = packed.columns.length;
      for (const column of packed.columns) {
        statistics.add(Float32Array.from({ length: shape.vocabularySize }, (_, v) => data[v * width + column]!));
      }
    }
    return statistics.figures();
  }

  #program(buckets: number): Promise<Program> {
    let program = this.#programs.get(buckets);
    if (program === undefined) {
      const graph = new Graph();
      const options = { activation: 'relu', buckets, trained: false, dropoutRate: 0 } as const;
      graph.output('logits', buildSpladeGraph(graph, this.#config, options).logits);
      program = this.#engine.compile(graph);
      this.#programs.set(buckets, program);
    }
    return program;
  }
}

/** Mean and standard deviation (over all, not a sample). */
function meanAndDeviation(values: ArrayLike<number>): [number, number] {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) ** 2;
  return [mean, Math.sqrt(squares / values.length)];
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
