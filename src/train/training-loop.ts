/** The main loop of training: batch, gradients, update, and from time to time metrics, an evaluation, a checkpoint. */
import { join } from 'node:path';
import type { Engine, VariableSpec } from '../compute/runtime/engine.ts';
import { LexrayError } from '../util/errors.ts';
import type { ProgressListener } from '../util/progress.ts';
import type { BatchSampler } from './batch-sampler.ts';
import type { DevResult } from './dev-evaluation.ts';
import type { FinetuneConfig } from './finetune-config.ts';
import { appendMetrics, evaluationKey, type MetricsListener, type MetricsRow, truncateMetrics } from './metrics-log.ts';
import { learningRateFactor, quadraticRamp } from './schedules.ts';
import { type BestStep, saveBestWeights, saveTrainingState, type TrainingState } from './training-state.ts';
import type { StepResult, TrainingStep } from './training-step.ts';

/** What a loop works on. */
export interface TrainingLoopParts {
  readonly engine: Engine;
  readonly variables: readonly VariableSpec[];
  readonly sampler: BatchSampler;
  readonly training: TrainingStep;
  readonly config: FinetuneConfig;
  readonly steps: number;
  readonly trainingFolder: string;
  readonly evaluate: (() => Promise<DevResult>) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ProgressListener | undefined;
  readonly onMetrics: MetricsListener | undefined;
}

/** One run of training. */
export class TrainingLoop {
  readonly #parts: TrainingLoopParts;
  readonly #metricsPath: string;
  readonly #withoutDecay: ReadonlySet<string>;
  #best: BestStep | undefined;
  #window = new MetricsWindow();

  constructor(parts: TrainingLoopParts) {
    this.#parts = parts;
    this.#metricsPath = join(parts.trainingFolder, 'metrics.jsonl');
    this.#withoutDecay = new Set(parts.variables.filter(({ dims }) => dims.length < 2).map(({ name }) => name));
  }

  /**
   * Trains from a state, or from the start, to the last step.
   * @throws LexrayError INTERRUPTED after a checkpoint when the signal fires, FAILED when loss or gradient is not finite
   */
  async run(from: TrainingState | undefined): Promise<{ best: BestStep | undefined; seconds: number }> {
    const { config, evaluate, steps, signal } = this.#parts;
    this.#best = from?.best;
    await truncateMetrics(this.#metricsPath, from?.step ?? 0);
    const started = performance.now() - (from?.seconds ?? 0) * 1000;
    const seconds = (): number => (performance.now() - started) / 1000;
    const evaluateEvery = config.evaluateEvery ?? Math.max(1, Math.ceil(steps / 10));
    if (from?.evaluationDue && evaluate) await this.#evaluate(from.step, evaluate, seconds);
    for (let step = (from?.step ?? 0) + 1; step <= steps; step++) {
      const figures = await this.#step(step);
      this.#report(step, figures);
      if (step % config.logEvery === 0 || step === steps) {
        await this.#log(this.#window.row(step, this.#epoch, seconds()));
        this.#window = new MetricsWindow();
      }
      if (evaluate && (step % evaluateEvery === 0 || step === steps)) await this.#evaluate(step, evaluate, seconds);
      const interrupted = signal?.aborted ?? false;
      if (interrupted || (step % config.saveEvery === 0 && step < steps)) await this.#save(step, seconds());
      if (interrupted) throw this.#interruption(step);
    }
    return { best: this.#best, seconds: seconds() };
  }

  /** The epoch of the batch drawn last, from 0. */
  get #epoch(): number {
    return this.#parts.sampler.state.epoch;
  }

  async #step(step: number): Promise<StepFigures> {
    const { config, engine, sampler, steps, training } = this.#parts;
    const started = performance.now();
    const ramp = quadraticRamp(step, Math.round(config.regularizerRampRatio * steps));
    const result = await training.run(sampler.next(), {
      regularizerWeights: {
        query_regularizer_loss: config.queryRegularizerWeight * ramp,
        document_regularizer_loss: config.documentRegularizerWeight * ramp,
      },
      seed: config.seed,
      step,
    });
    const warmup = Math.round(config.warmupRatio * steps);
    const learningRate = config.learningRate * learningRateFactor(step, steps, warmup, config.learningRateFloor);
    const { gradientNorm } = await engine.adamW({
      step,
      learningRate,
      beta1: config.beta1,
      beta2: config.beta2,
      epsilon: config.epsilon,
      weightDecay: config.weightDecay,
      withoutDecay: this.#withoutDecay,
      maxGradientNorm: config.maxGradientNorm,
    });
    if (!Number.isFinite(result.loss) || !Number.isFinite(gradientNorm)) {
      throw new LexrayError('FAILED', `step ${step}: the loss is ${result.loss}, the gradient norm ${gradientNorm}`, {
        where: this.#parts.trainingFolder,
        cure: 'lower the learning rate, and start anew with --force',
      });
    }
    const figures = { result, gradientNorm, learningRate, milliseconds: performance.now() - started };
    this.#window.add(figures);
    return figures;
  }

  #report(step: number, { result, milliseconds }: StepFigures): void {
    this.#parts.onProgress?.({
      phase: 'train',
      done: step,
      total: this.#parts.steps,
      unit: 'steps',
      figures: {
        loss: result.loss,
        base: result.baseLoss,
        'q dims': mean(result.queryActiveDims),
        'd dims': mean(result.documentActiveDims),
        'tok/s': (result.tokenCount / milliseconds) * 1000,
      },
    });
  }

  async #evaluate(step: number, evaluate: () => Promise<DevResult>, seconds: () => number): Promise<void> {
    const { config, engine, signal, trainingFolder, variables } = this.#parts;
    let result: DevResult;
    try {
      result = await evaluate();
    } catch (error) {
      const interrupted = signal?.aborted ?? false;
      await this.#save(step, seconds(), { evaluationDue: true }).catch((cause: unknown) => {
        if (interrupted) throw cause;
      });
      throw interrupted ? this.#interruption(step) : error;
    }
    const { measures, queryActiveDims, documentActiveDims, flops } = result;
    const figures = Object.fromEntries([...measures].map(([name, value]) => [evaluationKey(name), value]));
    await this.#log({
      step,
      epoch: this.#epoch,
      ...figures,
      eval_query_active_dims: queryActiveDims,
      eval_corpus_active_dims: documentActiveDims,
      eval_avg_flops: flops,
      seconds: seconds(),
    });
    const value = [...measures][0]![1];
    if (this.#best === undefined || value > this.#best.value) {
      this.#best = { step, value };
      await saveBestWeights(trainingFolder, engine, variables, step);
      // A checkpoint that names a best step must come after its weights.
      if (step % config.saveEvery !== 0) await this.#save(step, seconds());
    }
  }

  async #save(step: number, seconds: number, { evaluationDue = false } = {}): Promise<void> {
    const { config, engine, sampler, trainingFolder, variables } = this.#parts;
    const state = { step, sampler: sampler.state, best: this.#best, evaluationDue, seconds };
    await saveTrainingState(trainingFolder, engine, variables, state, config.keepCheckpoints);
  }

  #interruption(step: number): LexrayError {
    const { steps, trainingFolder } = this.#parts;
    return new LexrayError('INTERRUPTED', `interrupted after step ${step} of ${steps}, which is saved`, {
      where: trainingFolder,
      cure: 'go on with --resume',
    });
  }

  async #log(row: MetricsRow): Promise<void> {
    await appendMetrics(this.#metricsPath, row);
    this.#parts.onMetrics?.(row);
  }
}

interface StepFigures {
  readonly result: StepResult;
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly milliseconds: number;
}

/** Means over the steps since the last line of metrics. */
class MetricsWindow {
  readonly #steps: StepFigures[] = [];

  add(figures: StepFigures): void {
    this.#steps.push(figures);
  }

  row(step: number, epoch: number, seconds: number): MetricsRow {
    const average = (pick: (figures: StepFigures) => number): number => mean(this.#steps.map(pick));
    const tokens = this.#steps.reduce((sum, { result }) => sum + result.tokenCount, 0);
    const milliseconds = this.#steps.reduce((sum, figures) => sum + figures.milliseconds, 0);
    return {
      step,
      epoch,
      loss: average(({ result }) => result.loss),
      base_loss: average(({ result }) => result.baseLoss),
      ...Object.fromEntries(
        Object.keys(this.#steps[0]!.result.parts).map((part) => [part, average(({ result }) => result.parts[part]!)]),
      ),
      grad_norm: average(({ gradientNorm }) => gradientNorm),
      learning_rate: this.#steps.at(-1)!.learningRate,
      query_active_dims: average(({ result }) => mean(result.queryActiveDims)),
      document_active_dims: average(({ result }) => mean(result.documentActiveDims)),
      tokens_per_second: (tokens / milliseconds) * 1000,
      seconds,
    };
  }
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
