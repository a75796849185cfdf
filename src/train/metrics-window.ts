/** The figures of the steps between two lines of metrics.jsonl, as one line: means over the steps. */

import { mean } from '../util/mean.ts';
import { HealthWindow } from './guard/health-window.ts';
import type { StepHealth } from './guard/step-health.ts';
import type { MetricsRow } from './metrics-log.ts';
import type { StepResult } from './training-step.ts';

/** What a step found, and what its update was. */
export interface LoggedStep {
  /** Of each batch of the step. */
  readonly results: readonly StepResult[];
  /** The health of each batch. */
  readonly health: readonly StepHealth[];
  /** The health of all batches together. */
  readonly pooled: StepHealth;
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** λ by part of the loss. */
  readonly regularizerWeights: Readonly<Record<string, number>>;
  readonly milliseconds: number;
}

/** Steps since the last line. */
export class MetricsWindow {
  readonly #steps: LoggedStep[] = [];
  readonly #health = new HealthWindow();

  add(step: LoggedStep): void {
    // Scores and term counts are summed up at once, so that a long window holds none of them.
    step.results.forEach((result, i) => {
      this.#health.add(result, step.health[i]!);
    });
    const results = step.results.map((result) => ({ ...result, ...emptied }));
    this.#steps.push({ ...step, results, health: [] });
  }

  row(step: number, epoch: number, seconds: number): MetricsRow {
    const results = this.#steps.flatMap((logged) => logged.results);
    const average = (pick: (result: StepResult) => number): number => mean(results.map(pick));
    const last = this.#steps.at(-1)!;
    const parts = Object.keys(results[0]!.parts);
    const milliseconds = this.#steps.reduce((sum, logged) => sum + logged.milliseconds, 0);
    const tokens = results.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
    return {
      step,
      epoch,
      loss: average(({ loss }) => loss),
      base_loss: average(({ baseLoss }) => baseLoss),
      ...Object.fromEntries(parts.map((part) => [part, average((result) => result.parts[part]!)])),
      grad_norm: mean(this.#steps.map(({ gradientNorm }) => gradientNorm)),
      learning_rate: last.learningRate,
      ...Object.fromEntries(
        parts
          .filter((part) => last.regularizerWeights[part] !== undefined)
          .map((part) => [part.replace(/_loss$/, '_weight'), last.regularizerWeights[part]!]),
      ),
      ...this.#health.figures(),
      tokens_per_second: (tokens / milliseconds) * 1000,
      seconds,
    };
  }
}

const none = new Float32Array();
const noTerms = { counts: none, vectors: 0 };
const emptied = { scores: none, queryTerms: noTerms, documentTerms: noTerms };
