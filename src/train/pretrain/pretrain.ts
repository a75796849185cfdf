/**
 * Pre-trains a masked language model, end to end: texts and a model (or a tokenizer) in, model folder out. While it runs,
 * its state is in the folder `OUTPUT.training`, from which a killed or interrupted run goes on.
 */
import { rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { findFamily } from '../../checkpoint/families/registry.ts';
import { writeModelFolder } from '../../checkpoint/layouts/write-model-folder.ts';
import { makeFolder } from '../../util/make-folder.ts';
import { discardTensors } from '../checkpoints.ts';
import { type MetricsListener, type MetricsRow, readMetrics } from '../metrics-log.ts';
import { agreeOnConfig, checkRunFolders, trainingFolderOf } from '../run-folder.ts';
import { trainedWeights } from '../trained-weights.ts';
import { type PretrainConfig, type PretrainSettings, resolvePretrainConfig } from './pretrain-config.ts';
import { isEvaluation, PretrainLoop, restorePretraining } from './pretrain-loop.ts';
import { hashParents, openPretrainSession, type PretrainSessionOptions } from './pretrain-session.ts';
import { type CardNotes, pretrainingCard } from './pretraining-card.ts';
import { parameterCount } from './start-model.ts';

/** Options of {@link pretrain}. */
export interface PretrainOptions extends PretrainSessionOptions {
  /** Model folder to write. */
  readonly output: string;
  readonly settings: PretrainSettings;
  /** What the model card says of the texts. */
  readonly card?: CardNotes | undefined;
  /** Element type of the written weights. @default 'F32' */
  readonly dtype?: 'F32' | 'F16' | 'BF16' | undefined;
  /** Go on from the newest checkpoint of `OUTPUT.training`. @default false */
  readonly resume?: boolean | undefined;
  /** Replace the output, and discard the state of an earlier run. @default false */
  readonly force?: boolean | undefined;
  readonly onMetrics?: MetricsListener | undefined;
}

/** What {@link pretrain} did. */
export interface PretrainResult {
  readonly output: string;
  /** Where metrics.jsonl and the resolved settings are. */
  readonly trainingFolder: string;
  readonly config: PretrainConfig;
  readonly parameters: number;
  readonly steps: number;
  readonly tokens: number;
  /** Passes over the texts that were begun. */
  readonly passes: number;
  readonly seconds: number;
  /** The last evaluation on what is held out; empty where nothing is. */
  readonly evaluation: Readonly<Record<string, number>>;
}

/**
 * Pre-trains a model.
 * @throws LexrayError INTERRUPTED after a clean checkpoint when the signal fires; GATE when the loss is not finite; USAGE
 * when the output or an earlier run is in the way; BAD_INPUT when model, texts or settings do not fit
 */
export async function pretrain(options: PretrainOptions): Promise<PretrainResult> {
  const { output, resume = false, force = false, signal, onProgress, onWarning, onMetrics } = options;
  const config = resolvePretrainConfig(options.settings);
  const trainingFolder = trainingFolderOf(output);
  await checkRunFolders(output, trainingFolder, { resume, force });
  // Until the model and the texts are known to fit, nothing is written or removed.
  const session = await openPretrainSession(config, options);
  try {
    const { model, engine, variables } = session;
    if (!resume) await rm(trainingFolder, { recursive: true, force: true });
    await makeFolder(trainingFolder);
    const parents = await hashParents(session, signal);
    const start = 'create' in options.start ? { create: options.start.create } : {};
    await agreeOnConfig(trainingFolder, { ...config, ...start, ...options.form, parents }, resume);
    const state = resume ? await restorePretraining(trainingFolder, session) : undefined;
    if (resume && state === undefined) onWarning?.('there is no checkpoint yet: the run starts at step 1');
    const loop = new PretrainLoop({ session, config, trainingFolder, signal, onProgress, onMetrics });
    const outcome = await loop.run(state);
    for (const sentence of session.report.describe(options.form?.invalidUtf8)) onWarning?.(sentence);
    const rows = await readMetrics(join(trainingFolder, 'metrics.jsonl'));
    const parameters = parameterCount(model.config);
    await writeModelFolder(
      output,
      {
        config: model.config,
        weights: trainedWeights(findFamily(model.config.model_type, 'config.json'), variables, engine),
        tokenizer: model.tokenizerFolder,
        outputVocabulary: model.outputVocabulary,
        policy: { casing: model.casing },
        card: await pretrainingCard({
          notes: options.card,
          config,
          units: config.units ?? (model.outputVocabulary === undefined ? 'pieces' : 'unigrams'),
          outcome,
          rows,
          parameters,
          files: session.files,
          parents,
          machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${options.threads ?? cpus().length} threads`,
        }),
        origin: { config: { ...config, ...start, ...outcome }, seed: config.seed, parents },
      },
      { force, dtype: options.dtype },
    );
    await discardTensors(trainingFolder);
    const evaluation = evaluationOf(rows.findLast(isEvaluation));
    return { output, trainingFolder, config, parameters, ...outcome, evaluation };
  } finally {
    await session.close();
  }
}

function evaluationOf(row: MetricsRow | undefined): Record<string, number> {
  const entries = Object.entries(row ?? {}).filter(([name]) => name.startsWith('eval_'));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice('eval_'.length), value]));
}

/** What a run would take. */
export interface PretrainForecast {
  /** Seconds, evaluations not counted. */
  readonly seconds: number;
  readonly tokensPerSecond: number;
  /** Resident memory after the trial steps, in bytes. */
  readonly memoryBytes: number;
  readonly parameters: number;
}

/** Runs a few steps without updating anything, and estimates the whole run. */
export async function forecastPretrain(options: Omit<PretrainOptions, 'output'>): Promise<PretrainForecast> {
  const config = resolvePretrainConfig(options.settings);
  const session = await openPretrainSession(config, options);
  try {
    const batches = session.batches(undefined);
    const trial = async (step: number): Promise<number> => {
      const batch = await batches.next();
      await session.step.run(batch.sequences, { seed: config.seed, step });
      return batch.tokenCount;
    };
    await trial(1);
    const started = performance.now();
    const tokens = (await trial(2)) + (await trial(3)) + (await trial(4));
    const tokensPerSecond = (tokens / (performance.now() - started)) * 1000;
    await batches.close();
    const total = config.tokens ?? (config.steps! * config.accumulationSteps * tokens) / 3;
    return {
      seconds: total / tokensPerSecond,
      tokensPerSecond,
      memoryBytes: process.memoryUsage().rss,
      parameters: parameterCount(session.model.config),
    };
  } finally {
    await session.close();
  }
}
