/**
 * The health of the steps between two lines of metrics.jsonl, as figures under the names of sentence-transformers where it
 * has one: its trainer logs `grad_norm`, `query_regularizer_loss`…, its evaluators `query_active_dims`,
 * `query_sparsity_ratio`, `avg_flops`. What stands for texts is `query_…` and `document_…`.
 */
import type { SideHealth, StepFigures, StepHealth } from './step-health.ts';

/** A term and the share of the vectors that it is active in. */
export interface FrequentTerm {
  readonly term: number;
  readonly share: number;
}

/** Collects steps. */
export class HealthWindow {
  readonly #steps: StepHealth[] = [];
  readonly #terms = { queries: new TermTotals(), documents: new TermTotals() };

  /** Takes in a step and its health. */
  add(step: StepFigures, health: StepHealth): void {
    this.#steps.push(health);
    this.#terms.queries.add(step.queryTerms.counts, health.queries.vectors);
    this.#terms.documents.add(step.documentTerms.counts, health.documents.vectors);
  }

  /** The figures of a line of metrics.jsonl: means over the steps, and counts of vectors. Empty without a step. */
  figures(): Readonly<Record<string, number>> {
    if (this.#steps.length === 0) return {};
    const mean = (pick: (health: StepHealth) => number): number =>
      this.#steps.reduce((sum, health) => sum + pick(health), 0) / this.#steps.length;
    const side = (
      name: string,
      terms: TermTotals,
      pick: (health: StepHealth) => SideHealth,
    ): Record<string, number> => ({
      [`${name}_active_dims`]: mean((health) => pick(health).mean),
      [`${name}_active_dims_p95`]: mean((health) => pick(health).p95),
      [`${name}_sparsity_ratio`]: 1 - mean((health) => pick(health).mean) / terms.vocabularySize,
      [`${name}_zero_ratio`]: mean((health) => pick(health).zero / pick(health).vectors),
      [`${name}_full_ratio`]: mean((health) => pick(health).full / pick(health).vectors),
      [`${name}_max_df`]: terms.frequent(1)[0]?.share ?? 0,
    });
    return {
      ...side('query', this.#terms.queries, ({ queries }) => queries),
      ...side('document', this.#terms.documents, ({ documents }) => documents),
      avg_flops: mean(({ flops }) => flops),
      positive_score: mean(({ scores }) => scores.positive.mean),
      positive_score_std: mean(({ scores }) => scores.positive.std),
      negative_score: mean(({ scores }) => scores.negative.mean),
      negative_score_std: mean(({ scores }) => scores.negative.std),
      score_entropy: mean(({ scores }) => scores.entropy),
      loss_over_chance: mean(({ scores }) => scores.ranking),
      'in_batch_accuracy@1': mean(({ scores }) => scores.rightAtOne),
    };
  }

  /** The terms that most vectors of each side had, most frequent first. */
  frequentTerms(count = 20): {
    readonly queries: readonly FrequentTerm[];
    readonly documents: readonly FrequentTerm[];
  } {
    return { queries: this.#terms.queries.frequent(count), documents: this.#terms.documents.frequent(count) };
  }
}

/** In how many vectors of several steps each term was active. */
class TermTotals {
  #counts = new Float64Array(0);
  #vectors = 0;

  get vocabularySize(): number {
    return this.#counts.length;
  }

  add(counts: Float32Array, vectors: number): void {
    if (this.#counts.length === 0) this.#counts = new Float64Array(counts.length);
    for (let v = 0; v < counts.length; v++) this.#counts[v]! += counts[v]!;
    this.#vectors += vectors;
  }

  /** By falling share, then by term; terms in no vector are left out. */
  frequent(count: number): FrequentTerm[] {
    const best: { term: number; count: number }[] = [];
    this.#counts.forEach((found, term) => {
      if (found === 0 || (best.length === count && found <= best.at(-1)!.count)) return;
      let at = best.length;
      while (at > 0 && best[at - 1]!.count < found) at--;
      best.splice(at, 0, { term, count: found });
      best.length = Math.min(best.length, count);
    });
    return best.map(({ term, count: found }) => ({ term, share: found / this.#vectors }));
  }
}
