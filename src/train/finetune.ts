/**
 * Fine-tunes an MLM into a sparse retriever, end to end: model folder and examples in, model folder out.
 * While it runs, its state is in the folder `OUTPUT.training` (see `training-state.ts`), from which a killed or
 * interrupted run goes on.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeModelFolder } from '../checkpoint/layouts/write-model-folder.ts';
import type { BeirCollection } from '../data/load-beir.ts';
import type { TrainingExample } from '../data/read-training-examples.ts';
import { parseMeasure } from '../evaluate/measures/parse-measure.ts';
import type { SparseEncoder } from '../model/sparse-encoder.ts';
import type { Recipe } from '../recipes/recipe.ts';
import { resolvedRecipe } from '../recipes/resolved-recipe.ts';
import { LexrayError } from '../util/errors.ts';
import { makeFolder } from '../util/make-folder.ts';
import { hashTexts } from '../util/manifest.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import { schemaComplaint } from '../util/schema-complaint.ts';
import { writeFileAtomic } from '../util/write-atomic.ts';
import { discardTensors } from './checkpoints.ts';
import type { DataSources } from './data-sources.ts';
import { evaluateOnDev, sampleCollection } from './dev-evaluation.ts';
import { type FinetuneConfig, type FinetuneSettings, finetuneConfigSchema } from './finetune-config.ts';
import type { GuardAlarm } from './guard/guard-state.ts';
import { TrainingGuard } from './guard/training-guard.ts';
import type { MetricsListener } from './metrics-log.ts';
import { RegularizerWeights } from './regularizer-weights.ts';
import { agreeOnConfig, checkRunFolders, trainingFolderOf } from './run-folder.ts';
import { headFileName, headHistory, headOfRun } from './run-head.ts';
import { trainedWeights } from './trained-weights.ts';
import { TrainingLoop } from './training-loop.ts';
import { openTrainingSession } from './training-session.ts';
import { restoreBestWeights, restoreTrainingState } from './training-state.ts';

/** Options of {@link finetune}. */
export interface FinetuneOptions {
  /** Model folder to start from. */
  readonly model: string;
  /** Model folder to write. */
  readonly output: string;
  readonly examples: readonly TrainingExample[];
  /** Where the examples were read from; kept with the settings of the run. */
  readonly sources?: DataSources | undefined;
  /** Chooses the best step; without it the last step is kept. */
  readonly dev?: BeirCollection | undefined;
  readonly settings?: FinetuneSettings | undefined;
  /** The recipe that the settings come from; with the resolved settings it is kept beside the run's state. */
  readonly recipe?: { readonly recipe: Recipe; readonly overrides: readonly string[] } | undefined;
  /** Go on from the newest checkpoint of `OUTPUT.training`. @default false */
  readonly resume?: boolean | undefined;
  /** Replace the output, and discard the state of an earlier run. @default false */
  readonly force?: boolean | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
  readonly onMetrics?: MetricsListener | undefined;
}

/** What {@link finetune} did. */
export interface FinetuneResult {
  readonly output: string;
  /** Where metrics.jsonl and the resolved settings are. */
  readonly trainingFolder: string;
  readonly config: FinetuneConfig;
  readonly steps: number;
  /** Seconds of training, evaluations included. */
  readonly seconds: number;
  /** The step whose weights were written, and its value on dev. */
  readonly best: { readonly step: number; readonly value: number } | undefined;
  /** What the guard found; with the step at which it was over, where the run recovered. */
  readonly alarms: readonly GuardAlarm[];
}

/**
 * Fine-tunes a model.
 * @throws LexrayError INTERRUPTED after a clean checkpoint when the signal fires; GATE when the guard stops the run; USAGE when the output or an earlier run is in the way; BAD_INPUT when model, data or settings do not fit
 */
export async function finetune(options: FinetuneOptions): Promise<FinetuneResult> {
  const { output, resume = false, force = false, signal, onProgress, onWarning, onMetrics } = options;
  const config = resolveConfig(options.settings ?? {});
  const trainingFolder = trainingFolderOf(output);
  await checkRunFolders(output, trainingFolder, { resume, force });
  const head = await headOfRun(config, trainingFolder, options);
  // Until the model and the data are known to fit, nothing is written or removed.
  const session = await openTrainingSession(config, { ...options, correction: head.correction });
  try {
    const { engine, variables, model, objective, sampler, training, encoder, steps, origin } = session;
    if (!resume) await rm(trainingFolder, { recursive: true, force: true });
    await makeFolder(trainingFolder);
    const parents = { ...origin, ...(options.dev && { dev: hashCollection(options.dev) }) };
    const { sources } = options;
    await agreeOnConfig(trainingFolder, { ...config, ...parents, sources }, resume);
    if (options.recipe) {
      const { recipe, overrides } = options.recipe;
      await writeFileAtomic(join(trainingFolder, 'recipe.yaml'), resolvedRecipe(recipe, { ...config }, overrides));
    }
    if (config.accumulationSteps > 1) onWarning?.(accumulationWarning(config));
    await writeFileAtomic(join(trainingFolder, headFileName), `${JSON.stringify(head, null, 2)}\n`);
    const state = resume ? await restoreTrainingState(trainingFolder, engine, variables) : undefined;
    if (resume && state === undefined) onWarning?.('there is no checkpoint yet: the run starts at step 1');
    if (state) sampler.restore(state.sampler);

    const dev = options.dev && (await devCollection(options.dev, config));
    const measures = [...new Set([config.devMeasure, 'RR@10', 'nDCG@10'])];
    const evaluate = dev && (() => evaluateOnDev(encoder, dev, measures, signal));
    const weights = new RegularizerWeights(
      config,
      steps,
      head.regularizerFactor ?? head.correction?.regularizerFactor ?? 1,
    );
    const guard = new TrainingGuard({
      settings: config.guard,
      steps,
      rampSteps: weights.rampSteps,
      warmupSteps: Math.round(config.warmupRatio * steps),
      masked: { queries: config.queryTopTerms !== undefined, documents: config.documentTopTerms !== undefined },
      ranksBatch: (config.losses ?? []).every(({ name }) => name === 'info-nce'),
      where: trainingFolder,
      proposal: head.proposal,
      onWarning,
    });
    const loop = new TrainingLoop({
      objective,
      weights,
      guard,
      engine,
      variables,
      special: session.special,
      sampler,
      training,
      config,
      steps,
      trainingFolder,
      evaluate,
      signal,
      onProgress,
      onMetrics,
    });
    const { best, seconds } = await loop.run(state);
    if (best) await restoreBestWeights(trainingFolder, engine, variables, best.step);
    await checkEncodes(encoder, options.examples[0]!.query);
    await writeModelFolder(
      output,
      {
        config: session.modelConfig,
        weights: trainedWeights(model.checkpoint.family, session.documentVariables, engine),
        query: await session.query?.contentFor(engine),
        tokenizer: model.tokenizerFolder,
        pooling: session.pooling,
        maxSequenceLength: encoder.policy.maxLength.document,
        maxActiveDims: model.maxActiveDims,
        policy: encoder.policy,
        origin: { config: { ...config, steps, best, ...headHistory(model, head) }, seed: config.seed, parents },
      },
      { force },
    );
    await discardTensors(trainingFolder);
    return { output, trainingFolder, config, steps, seconds, best, alarms: guard.alarms };
  } finally {
    await session.close();
  }
}

function accumulationWarning({ accumulationSteps, batchSize, negativesPerQuery }: FinetuneConfig): string {
  const seen = batchSize * (1 + negativesPerQuery);
  return `a step averages ${accumulationSteps} batches: a query sees the ${seen} documents of its own batch, not ${seen * accumulationSteps}, and FLOPS the means of a batch; for the gradient of one large batch give --batch-size ${batchSize * accumulationSteps} --grad-cache ${batchSize}`;
}

/** A model whose weights overflowed at the last step looks well until it encodes. */
async function checkEncodes(encoder: SparseEncoder, text: string): Promise<void> {
  try {
    await encoder.encodeOne(text, { kind: 'query' });
  } catch (cause) {
    if (!(cause instanceof LexrayError)) throw cause;
    throw new LexrayError('FAILED', `the trained model cannot encode: ${cause.message}`, {
      cause,
      cure: 'lower the learning rate, and start anew with --force',
    });
  }
}

/** What a run would take. */
export interface FinetuneForecast {
  readonly steps: number;
  /** Seconds of the steps, without evaluations. */
  readonly seconds: number;
  /** Seconds of one step. */
  readonly secondsPerStep: number;
  /** Resident memory after the trial steps, in bytes. */
  readonly memoryBytes: number;
  readonly parameters: number;
}

/** Runs a few steps without updating anything, and estimates the whole run. */
export async function forecastFinetune(options: Omit<FinetuneOptions, 'output'>): Promise<FinetuneForecast> {
  const config = resolveConfig(options.settings ?? {});
  const session = await openTrainingSession(config, options);
  try {
    const { sampler, training, steps, variables } = session;
    const settings = { regularizerWeights: {}, seed: config.seed };
    await training.run(sampler.next(), { ...settings, step: 1 });
    const trials = 3;
    const start = performance.now();
    for (let trial = 0; trial < trials; trial++) await training.run(sampler.next(), { ...settings, step: 2 + trial });
    const secondsPerStep = (performance.now() - start) / 1000 / trials;
    const parameters = variables.reduce((sum, { dims }) => sum + dims.reduce((product, dim) => product * dim, 1), 0);
    return {
      steps,
      seconds: secondsPerStep * steps,
      secondsPerStep,
      memoryBytes: process.memoryUsage().rss,
      parameters,
    };
  } finally {
    await session.close();
  }
}

function devCollection(collection: BeirCollection, config: FinetuneConfig): Promise<BeirCollection> | BeirCollection {
  return config.devDocuments === undefined
    ? collection
    : sampleCollection(collection, config.devDocuments, config.seed);
}

/** SHA-256 of what decides which step is the best: queries and judgements, not the documents, which are streamed. */
function hashCollection({ queries, qrels }: BeirCollection): string {
  const judgements = [...qrels].map(([qid, grades]) => JSON.stringify([qid, ...grades]));
  return hashTexts([...queries.map(({ qid, text }) => JSON.stringify([qid, text])), ...judgements]);
}

function resolveConfig(settings: FinetuneSettings): FinetuneConfig {
  const parsed = finetuneConfigSchema.safeParse(settings);
  if (parsed.success) return { ...parsed.data, devMeasure: parseMeasure(parsed.data.devMeasure).name };
  throw new LexrayError('CONFIG', `setting ${schemaComplaint(parsed.error, settings, '(all)')}`, {
    cure: 'see lexray finetune --help',
  });
}
