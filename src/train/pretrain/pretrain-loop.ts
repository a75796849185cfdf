/** The main loop of pre-training: batches, gradients, update, and from time to time metrics, an evaluation, a checkpoint. */
import { z } from 'zod';
import { LexrayError } from '../../util/errors.ts';
import type { ProgressListener } from '../../util/progress.ts';
import {
  newestCheckpoint,
  readCheckpointState,
  readCheckpointTensors,
  removePartialFiles,
  writeCheckpoint,
} from '../checkpoints.ts';
import type { MetricsListener, MetricsRow } from '../metrics-log.ts';
import { optimizerGroups } from '../optimizer-groups.ts';
import { adamWStep, batchShares } from '../optimizer-step.ts';
import { RunLog } from '../run-log.ts';
import { evaluateHeldOut } from './evaluate-held-out.ts';
import type { MaskedBatches } from './masked-batches.ts';
import type { MaskedStepResult } from './masked-step.ts';
import { type PretrainConfig, rateAt } from './pretrain-config.ts';
import type { PretrainSession } from './pretrain-session.ts';
import type { SequencePosition } from './sequences.ts';

/** Where a run stands, besides its tensors. */
export interface PretrainState {
  /** Steps done. */
  readonly step: number;
  /** Tokens trained on. */
  readonly tokens: number;
  readonly seconds: number;
  /** Where the texts go on. */
  readonly position: SequencePosition;
}

const whole = z.int().min(0);
const textPosition = z.strictObject({ file: whole, line: whole, offset: whole });
const stateSchema: z.ZodType<PretrainState> = z.strictObject({
  step: whole,
  tokens: whole,
  seconds: z.number().min(0),
  position: z.strictObject({
    pass: whole,
    group: whole,
    texts: z.strictObject({
      open: z.array(
        z.strictObject({
          file: whole,
          position: z.strictObject({ block: textPosition, blockNumber: whole, done: whole }).optional(),
          characters: whole,
        }),
      ),
      next: whole,
    }),
    done: whole,
    tokens: whole,
  }),
});

/** Restores the newest checkpoint into the engine; undefined when there is none. */
export async function restorePretraining(
  trainingFolder: string,
  { engine, variables }: Pick<PretrainSession, 'engine' | 'variables'>,
): Promise<PretrainState | undefined> {
  const folder = await newestCheckpoint(trainingFolder);
  if (folder === undefined) return undefined;
  const state = await readCheckpointState(folder, stateSchema);
  await readCheckpointTensors(folder, engine, variables);
  await removePartialFiles(trainingFolder);
  return state;
}

/** What a loop works on. */
export interface PretrainLoopParts {
  readonly session: PretrainSession;
  readonly config: PretrainConfig;
  readonly trainingFolder: string;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ProgressListener | undefined;
  readonly onMetrics: MetricsListener | undefined;
}

/** What a loop has done. */
export interface PretrainOutcome {
  readonly steps: number;
  readonly tokens: number;
  /** Passes over the texts that were begun. */
  readonly passes: number;
  readonly seconds: number;
}

interface DoneStep {
  readonly results: readonly MaskedStepResult[];
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly milliseconds: number;
}

/** One run of pre-training. */
export class PretrainLoop {
  readonly #parts: PretrainLoopParts;
  readonly #groups: ReturnType<typeof optimizerGroups>;
  #window: DoneStep[] = [];

  constructor(parts: PretrainLoopParts) {
    this.#parts = parts;
    this.#groups = optimizerGroups(parts.session.variables, { frozen: [], head: [] }, parts.config);
  }

  /**
   * Trains from a state, or from the start, to the end.
   * @throws LexrayError INTERRUPTED after a checkpoint when the signal fires, GATE when loss or gradients are not finite
   */
  async run(from: PretrainState | undefined): Promise<PretrainOutcome> {
    const { config, session, signal, trainingFolder, onMetrics } = this.#parts;
    const log = await RunLog.open(trainingFolder, from?.step ?? 0, onMetrics);
    const started = performance.now() - (from?.seconds ?? 0) * 1000;
    const seconds = (): number => (performance.now() - started) / 1000;
    const batches = session.batches(from?.position);
    let { step, tokens } = from ?? { step: 0, tokens: 0 };
    let position = from?.position;
    if (step === 0) await log.write({ step, epoch: 0, tokens, ...(await this.#evaluate()), seconds: seconds() });
    try {
      while (this.#progress(step, tokens) < 1) {
        const before = this.#progress(step, tokens);
        step++;
        const next = await this.#step(step, tokens, batches);
        ({ tokens, position } = next);
        const now = this.#progress(step, tokens);
        const row = { step, epoch: next.position.pass, tokens };
        if (step % config.logEvery === 0 || now >= 1) await log.write({ ...row, ...this.#means(), seconds: seconds() });
        const due = config.evaluateEvery
          ? step % config.evaluateEvery === 0
          : Math.floor(10 * now) > Math.floor(10 * before);
        if (due || now >= 1) await log.write({ ...row, ...(await this.#evaluate()), seconds: seconds() });
        const interrupted = signal?.aborted ?? false;
        if (interrupted || (step % config.saveEvery === 0 && now < 1)) {
          await this.#save({ step, tokens, seconds: seconds(), position: next.position });
        }
        if (interrupted) throw this.#interruption(step);
      }
    } catch (error) {
      // Reading texts stops at once when the signal fires: what was done until then is kept.
      if (signal?.aborted && error instanceof LexrayError && error.code === 'INTERRUPTED' && position) {
        await this.#save({ step: step - 1, tokens, seconds: seconds(), position });
        throw this.#interruption(step - 1);
      }
      throw error;
    } finally {
      await batches.close();
    }
    return { steps: step, tokens, passes: (position?.pass ?? 0) + 1, seconds: seconds() };
  }

  /** Share of the run that is done. */
  #progress(step: number, tokens: number): number {
    const { config } = this.#parts;
    return config.steps === undefined ? tokens / config.tokens! : step / config.steps;
  }

  async #step(
    step: number,
    tokensBefore: number,
    batches: MaskedBatches,
  ): Promise<{ tokens: number; position: SequencePosition }> {
    const { config, session, onProgress } = this.#parts;
    const started = performance.now();
    const results: MaskedStepResult[] = [];
    let tokens = tokensBefore;
    let position: SequencePosition | undefined;
    for (const share of batchShares(config, step)) {
      const batch = await batches.next();
      results.push(await session.step.run(batch.sequences, share));
      tokens += batch.tokenCount;
      position = batch.next;
    }
    const middle = (this.#progress(step - 1, tokensBefore) + this.#progress(step, tokens)) / 2;
    const learningRate = config.learningRate * rateAt(middle, config);
    const { gradientNorm } = await session.engine.adamW(adamWStep(config, this.#groups, { step, learningRate }));
    const milliseconds = performance.now() - started;
    const loss = meanOf(results, (result) => result.loss);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) throw this.#divergence(step);
    this.#window.push({ results, gradientNorm, learningRate, milliseconds });
    const total = config.tokens ?? config.steps!;
    onProgress?.({
      phase: 'pretrain',
      done: config.tokens === undefined ? step : Math.min(tokens, total),
      total,
      unit: config.tokens === undefined ? 'steps' : 'tokens',
      figures: { loss, 'tok/s': ((tokens - tokensBefore) / milliseconds) * 1000 },
    });
    return { tokens, position: position! };
  }

  /** Means over the steps since the last line. */
  #means(): Record<string, number> {
    const steps = this.#window;
    this.#window = [];
    const results = steps.flatMap((one) => one.results);
    const total = (pick: (result: MaskedStepResult) => number): number =>
      results.reduce((sum, result) => sum + pick(result), 0);
    const milliseconds = steps.reduce((sum, one) => sum + one.milliseconds, 0);
    return {
      loss: total(({ loss }) => loss) / results.length,
      grad_norm: meanOf(steps, (one) => one.gradientNorm),
      learning_rate: steps.at(-1)!.learningRate,
      masked_share: total(({ maskedCount }) => maskedCount) / total(({ tokenCount }) => tokenCount),
      tokens_per_second: (total(({ tokenCount }) => tokenCount) / milliseconds) * 1000,
    };
  }

  /** Figures of what is held out, by the names of the log. */
  async #evaluate(): Promise<Record<string, number>> {
    const { config, session, onProgress } = this.#parts;
    const figures = await evaluateHeldOut(session, { batchSize: config.batchSize, onProgress });
    return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`eval_${name}`, value]));
  }

  async #save(state: PretrainState): Promise<void> {
    const { config, session, trainingFolder } = this.#parts;
    const { engine, variables } = session;
    await writeCheckpoint(
      trainingFolder,
      engine,
      variables,
      { step: state.step, state: { ...state } },
      config.keepCheckpoints,
    );
  }

  #interruption(step: number): LexrayError {
    const { trainingFolder } = this.#parts;
    return new LexrayError('INTERRUPTED', `interrupted after step ${step}, which is saved`, {
      where: trainingFolder,
      cure: 'go on with --resume',
    });
  }

  #divergence(step: number): LexrayError {
    return new LexrayError('GATE', `loss or gradients are not finite at step ${step}`, {
      where: this.#parts.trainingFolder,
      cure: 'lower the learning rate or lengthen the warm-up, and start anew with --force',
    });
  }
}

/** The lines of an evaluation. */
export function isEvaluation(row: MetricsRow): boolean {
  return row.eval_loss !== undefined;
}

function meanOf<Item>(items: readonly Item[], pick: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + pick(item), 0) / items.length;
}
