/** The main loop of training: batch, gradients, update, and from time to time metrics, an evaluation, a checkpoint. */
import type { Engine, VariableSpec } from '../compute/runtime/engine.ts';
import { LexrayError } from '../util/errors.ts';
import { mean } from '../util/mean.ts';
import type { ProgressListener } from '../util/progress.ts';
import type { BatchSampler } from './batch-sampler.ts';
import type { DevResult } from './dev-evaluation.ts';
import type { FinetuneConfig } from './finetune-config.ts';
import { pooledHealth } from './guard/pooled-health.ts';
import { stepHealth } from './guard/step-health.ts';
import type { TrainingGuard } from './guard/training-guard.ts';
import { evaluationKey, type MetricsListener } from './metrics-log.ts';
import { type LoggedStep, MetricsWindow } from './metrics-window.ts';
import type { Objective } from './objective.ts';
import { type OptimizerGroups, optimizerGroups, type SpecialVariables } from './optimizer-groups.ts';
import { adamWStep, batchShares } from './optimizer-step.ts';
import type { RegularizerWeights } from './regularizer-weights.ts';
import { RunLog } from './run-log.ts';
import { learningRateFactor } from './schedules.ts';
import { type BestStep, saveBestWeights, saveTrainingState, type TrainingState } from './training-state.ts';
import type { StepResult, TrainingBatch, TrainingStep } from './training-step.ts';

/** What a loop works on. */
export interface TrainingLoopParts {
  readonly engine: Engine;
  readonly variables: readonly VariableSpec[];
  readonly special: SpecialVariables;
  readonly sampler: BatchSampler;
  readonly training: TrainingStep;
  readonly objective: Objective;
  readonly weights: RegularizerWeights;
  readonly guard: TrainingGuard;
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
  readonly #groups: OptimizerGroups;
  #best: BestStep | undefined;
  readonly #warmupSteps: number;
  #window = new MetricsWindow();
  #log: RunLog | undefined;

  constructor(parts: TrainingLoopParts) {
    this.#parts = parts;
    this.#warmupSteps = Math.round(parts.config.warmupRatio * parts.steps);
    this.#groups = optimizerGroups(parts.variables, parts.special, parts.config);
  }

  /**
   * Trains from a state, or from the start, to the last step.
   * @throws LexrayError INTERRUPTED after a checkpoint when the signal fires, GATE when the guard stops the run
   */
  async run(from: TrainingState | undefined): Promise<{ best: BestStep | undefined; seconds: number }> {
    const { config, evaluate, steps, signal } = this.#parts;
    const { guard, objective, weights } = this.#parts;
    this.#best = from?.best;
    if (from !== undefined) {
      guard.restore(from.guard);
      weights.restore(from.controllers);
      objective.restore(from.learned);
    }
    this.#log = await RunLog.open(this.#parts.trainingFolder, from?.step ?? 0, this.#parts.onMetrics);
    const started = performance.now() - (from?.seconds ?? 0) * 1000;
    const seconds = (): number => (performance.now() - started) / 1000;
    const evaluateEvery = config.evaluateEvery ?? Math.max(1, Math.ceil(steps / 10));
    if (from?.evaluationDue && evaluate) await this.#evaluate(from.step, evaluate, seconds);
    for (let step = (from?.step ?? 0) + 1; step <= steps; step++) {
      const logged = await this.#step(step);
      this.#report(step, logged);
      const collapse = this.#judge(step, logged);
      if (collapse || step % config.logEvery === 0 || step === steps) {
        await this.#log.write(this.#window.row(step, this.#epoch, seconds()));
        this.#window = new MetricsWindow();
      }
      if (collapse) {
        // `--guard warn --resume` can go on from here, unless weights or gradients are not finite.
        if (logged.pooled.notFinite.length === 0) await this.#save(step, seconds());
        throw collapse;
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

  async #step(step: number): Promise<LoggedStep> {
    const { config, engine, sampler, steps, training, weights } = this.#parts;
    const started = performance.now();
    const regularizerWeights = weights.at(step);
    const { queryTopTerms, documentTopTerms, temperature } = config;
    const done: { batch: TrainingBatch; result: StepResult }[] = [];
    for (const share of batchShares(config, step)) {
      const batch = sampler.next();
      done.push({ batch, result: await training.run(batch, { regularizerWeights, ...share }) });
    }
    const warmup = this.#warmupSteps;
    const learningRate = config.learningRate * learningRateFactor(step, steps, warmup, config.learningRateFloor);
    const { gradientNorm } = await engine.adamW(adamWStep(config, this.#groups, { step, learningRate }));
    const milliseconds = performance.now() - started;
    const limits = { queryTopTerms, documentTopTerms };
    const health = done.map(({ batch: { otherPositives }, result }) =>
      stepHealth({ ...result, gradientNorm }, { ...limits, temperature, otherPositives }),
    );
    const results = done.map(({ result }) => result);
    const pooled = pooledHealth(results, health, limits);
    const logged = { results, health, pooled, gradientNorm, learningRate, regularizerWeights, milliseconds };
    this.#window.add(logged);
    const dims = (pick: (result: StepResult) => Float32Array): number =>
      mean(results.map((result) => mean(pick(result))));
    weights.observe({
      queries: dims(({ queryActiveDims }) => queryActiveDims),
      documents: dims(({ documentActiveDims }) => documentActiveDims),
    });
    return logged;
  }

  #report(step: number, { results, milliseconds }: LoggedStep): void {
    const average = (pick: (result: StepResult) => number): number => mean(results.map(pick));
    this.#parts.onProgress?.({
      phase: 'train',
      done: step,
      total: this.#parts.steps,
      unit: 'steps',
      figures: {
        loss: average(({ loss }) => loss),
        base: average(({ baseLoss }) => baseLoss),
        'q dims': average(({ queryActiveDims }) => mean(queryActiveDims)),
        'd dims': average(({ documentActiveDims }) => mean(documentActiveDims)),
        'tok/s': (results.reduce((sum, { tokenCount }) => sum + tokenCount, 0) / milliseconds) * 1000,
      },
    });
  }

  /** The error with which the run ends here, if it does. */
  #judge(step: number, { pooled }: LoggedStep): LexrayError | undefined {
    try {
      this.#parts.guard.check(step, pooled);
      return undefined;
    } catch (error) {
      if (error instanceof LexrayError) return error;
      throw error;
    }
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
    await this.#log?.write({
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
    const { config, engine, guard, objective, sampler, trainingFolder, variables, weights } = this.#parts;
    const state = {
      step,
      sampler: sampler.state,
      best: this.#best,
      evaluationDue,
      seconds,
      guard: guard.state,
      controllers: weights.state,
      learned: objective.state,
    };
    await saveTrainingState(trainingFolder, engine, variables, state, config.keepCheckpoints);
  }

  #interruption(step: number): LexrayError {
    const { steps, trainingFolder } = this.#parts;
    return new LexrayError('INTERRUPTED', `interrupted after step ${step} of ${steps}, which is saved`, {
      where: trainingFolder,
      cure: 'go on with --resume',
    });
  }
}
