/**
 * Fine-tunes an MLM into a sparse retriever, end to end: model folder and examples in, model folder out.
 * While it runs, its state is in the folder `OUTPUT.training` (see `training-state.ts`), from which a killed or
 * interrupted run goes on.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openModelFolder } from '../checkpoint/layouts/model-folder.ts';
import { writeModelFolder } from '../checkpoint/layouts/write-model-folder.ts';
import type { VariableSpec } from '../compute/runtime/engine.ts';
import { openOrtEngine } from '../compute/runtime/ort-engine.ts';
import type { BeirCollection } from '../data/load-beir.ts';
import type { TrainingExample } from '../data/read-training-examples.ts';
import { preparedText, SparseEncoder } from '../model/sparse-encoder.ts';
import { modelVariables } from '../model/splade-graph.ts';
import { checkVocabulary } from '../tokenizer/check-vocabulary.ts';
import { loadTokenizer } from '../tokenizer/load-tokenizer.ts';
import { badInput, LexrayError, throwIfAborted } from '../util/errors.ts';
import { hashFile, hashTexts } from '../util/manifest.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import { writeFileAtomic } from '../util/write-atomic.ts';
import { BatchSampler } from './batch-sampler.ts';
import { evaluateOnDev, sampleCollection } from './dev-evaluation.ts';
import { type FinetuneConfig, type FinetuneSettings, finetuneConfigSchema } from './finetune-config.ts';
import { InfoNceLoss } from './losses/info-nce.ts';
import type { MetricsListener } from './metrics-log.ts';
import { FlopsRegularizer } from './regularizers/flops.ts';
import { TrainingLoop } from './training-loop.ts';
import { buildTrainingSet } from './training-set.ts';
import { restoreTrainingState, restoreWeights } from './training-state.ts';
import { TrainingStep } from './training-step.ts';

/** Options of {@link finetune}. */
export interface FinetuneOptions {
  /** Model folder to start from. */
  readonly model: string;
  /** Model folder to write. */
  readonly output: string;
  readonly examples: readonly TrainingExample[];
  /** Chooses the best step; without it the last step is kept. */
  readonly dev?: BeirCollection | undefined;
  readonly settings?: FinetuneSettings | undefined;
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
}

/**
 * Fine-tunes a model.
 * @throws LexrayError INTERRUPTED after a clean checkpoint when the signal fires; FAILED when loss or gradient is not
 * finite; USAGE when the output or an earlier run is in the way; BAD_INPUT when model, data or settings do not fit
 */
export async function finetune(options: FinetuneOptions): Promise<FinetuneResult> {
  const { model: source, output, examples, signal, onProgress, onWarning } = options;
  const config = resolveConfig(options.settings ?? {});
  const trainingFolder = `${output.replace(/[\\/]+$/, '')}.training`;
  await checkFolders(output, trainingFolder, options);

  const folder = await openModelFolder(source, onWarning ? { onWarning } : {});
  const modelConfig = folder.checkpoint.config;
  const tokenizer = await loadTokenizer(folder.tokenizerFolder);
  checkVocabulary(tokenizer, modelConfig.vocab_size, { where: source, onWarning });
  const policy = {
    ...folder.policy,
    maxLength: {
      query: config.queryMaxLength ?? folder.policy.maxLength.query,
      document: config.documentMaxLength ?? folder.policy.maxLength.document,
    },
  };
  const variables = modelVariables(modelConfig, true);
  const origin = {
    model: await hashFile(folder.checkpoint.paths[0]!),
    data: hashTexts(examples.flatMap(({ query, positive, negatives }) => [query, positive, ...negatives])),
  };
  await agreeOnConfig(trainingFolder, { ...config, ...origin }, options.resume ?? false);

  const data = buildTrainingSet(examples, {
    tokenizeQuery: (text) =>
      tokenizer.encode(preparedText(text, 'query', policy), { maxLength: policy.maxLength.query }),
    tokenizeDocument: (text) =>
      tokenizer.encode(preparedText(text, 'document', policy), { maxLength: policy.maxLength.document }),
    signal,
    onProgress,
  });
  const sampler = new BatchSampler(data, config);
  const steps = Math.max(1, Math.min(config.maxSteps ?? Infinity, Math.round(config.epochs * sampler.batchesPerEpoch)));

  const engine = await openOrtEngine(options.threads === undefined ? {} : { threads: options.threads });
  try {
    await engine.createVariables(variables);
    for await (const { name, data: weights } of folder.checkpoint.loadWeights()) {
      throwIfAborted(signal);
      await engine.writeVariable(name, 'value', weights);
    }
    const state = options.resume ? await restoreTrainingState(trainingFolder, engine, variables) : undefined;
    if (options.resume && state === undefined) onWarning?.('there is no checkpoint yet: the run starts at step 1');
    if (state) sampler.restore(state.sampler);

    const encoder = new SparseEncoder({
      engine,
      config: modelConfig,
      activation: folder.pooling.activation,
      tokenizer,
      policy,
      maxActiveDims: folder.maxActiveDims,
    });
    const dev =
      options.dev && config.devDocuments !== undefined
        ? await sampleCollection(options.dev, config.devDocuments, config.seed)
        : options.dev;
    const loop = new TrainingLoop({
      engine,
      variables,
      sampler,
      config,
      steps,
      trainingFolder,
      training: new TrainingStep(engine, modelConfig, {
        activation: folder.pooling.activation,
        buckets: config.lengthBuckets,
        dropoutRate: config.dropoutRate,
        loss: new InfoNceLoss({ temperature: config.temperature }),
        queryRegularizer: new FlopsRegularizer(),
        documentRegularizer: new FlopsRegularizer(),
      }),
      evaluate:
        dev && (() => evaluateOnDev(encoder, dev, [...new Set([config.devMeasure, 'RR@10', 'nDCG@10'])], signal)),
      signal,
      onProgress,
      onMetrics: options.onMetrics,
    });
    const { best, seconds } = await loop.run(state);
    if (best) await restoreWeights(join(trainingFolder, 'best.safetensors'), engine, variables);
    await writeModelFolder(
      output,
      {
        config: modelConfig,
        weights: weightsOf(variables, (name) => engine.readVariable(name, 'value')),
        tokenizer: folder.tokenizerFolder,
        pooling: folder.pooling,
        maxSequenceLength: folder.maxSequenceLength,
        maxActiveDims: folder.maxActiveDims,
        policy,
        origin: { config: { ...config, steps, best }, seed: config.seed, parents: origin },
      },
      { force: options.force ?? false },
    );
    await discardTensors(trainingFolder);
    return { output, trainingFolder, config, steps, seconds, best };
  } finally {
    await engine.dispose();
    await folder.close();
  }
}

function resolveConfig(settings: FinetuneSettings): FinetuneConfig {
  const parsed = finetuneConfigSchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new LexrayError('CONFIG', `setting ${issue!.path.join('.') || '(all)'}: ${issue!.message}`, {
    cure: 'see lexray finetune --help',
  });
}

async function checkFolders(output: string, trainingFolder: string, options: FinetuneOptions): Promise<void> {
  if (existsSync(output) && !options.force) {
    throw new LexrayError('USAGE', `the output already exists: ${output}`, {
      where: output,
      cure: 'choose another output, or pass --force to replace it',
    });
  }
  const hasState = existsSync(trainingFolder) && (await readdir(trainingFolder)).length > 0;
  if (hasState && !options.resume) {
    if (!options.force) {
      throw new LexrayError('USAGE', `an earlier run left its state in ${trainingFolder}`, {
        where: trainingFolder,
        cure: 'pass --resume to go on with it, or --force to start anew',
      });
    }
    await rm(trainingFolder, { recursive: true });
  }
  await mkdir(trainingFolder, { recursive: true });
}

/** Writes the settings of a new run; a resumed one must have the same. */
async function agreeOnConfig(
  trainingFolder: string,
  config: Readonly<Record<string, unknown>>,
  resume: boolean,
): Promise<void> {
  const path = join(trainingFolder, 'config.json');
  if (resume && existsSync(path)) {
    const before = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    const keys = new Set([...Object.keys(before), ...Object.keys(config)]);
    const changed = [...keys].filter((key) => JSON.stringify(before[key]) !== JSON.stringify(config[key]));
    if (changed.length > 0) {
      const list = changed.map(
        (key) => `${key} (was ${JSON.stringify(before[key])}, is ${JSON.stringify(config[key])})`,
      );
      throw badInput(`the run to resume had other settings: ${list.join(', ')}`, {
        where: path,
        cure: 'give the same model, data and settings, or start anew with --force',
      });
    }
    return;
  }
  await writeFileAtomic(path, `${JSON.stringify(config, null, 2)}\n`);
}

async function* weightsOf(
  variables: readonly VariableSpec[],
  read: (name: string) => Promise<Float32Array>,
): AsyncGenerator<{ name: string; shape: readonly number[]; data: Float32Array }> {
  for (const { name, dims } of variables) yield { name, shape: dims, data: await read(name) };
}

/** After the model is written only metrics and settings are kept. */
async function discardTensors(trainingFolder: string): Promise<void> {
  for (const name of await readdir(trainingFolder)) {
    if (name.startsWith('checkpoint-') || name.endsWith('.safetensors')) {
      await rm(join(trainingFolder, name), { recursive: true, force: true });
    }
  }
}
