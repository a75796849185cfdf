/** Opens all that a training run works with: the model on an engine, the tokenized data, the step, the encoder. */
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { modelShape } from '../checkpoint/families/registry.ts';
import { type ModelFolder, openModelFolder, requireSharedEncoder } from '../checkpoint/layouts/model-folder.ts';
import type { LexrayModelPolicy } from '../checkpoint/layouts/model-policy.ts';
import type { Pooling } from '../checkpoint/layouts/sentence-transformers-files.ts';
import type { Engine, VariableSpec } from '../compute/runtime/engine.ts';
import { openOrtEngine } from '../compute/runtime/ort-engine.ts';
import type { TrainingExample } from '../data/read-training-examples.ts';
import { correctCheckpoint } from '../head/corrected-checkpoint.ts';
import type { Correction } from '../head/correction.ts';
import { preparedText, SparseEncoder, type TextKind } from '../model/sparse-encoder.ts';
import { headScaleName, modelVariables } from '../model/splade-graph.ts';
import { checkVocabulary } from '../tokenizer/check-vocabulary.ts';
import { loadTokenizer } from '../tokenizer/load-tokenizer.ts';
import { LexrayError, throwIfAborted } from '../util/errors.ts';
import { hashFile, hashTexts } from '../util/manifest.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import { BatchSampler } from './batch-sampler.ts';
import type { FinetuneConfig } from './finetune-config.ts';
import { makeObjective } from './make-objective.ts';
import type { Objective } from './objective.ts';
import { TransformerSide } from './side-encoder.ts';
import { SplitStep } from './split-step.ts';
import { buildTrainingSet } from './training-set.ts';
import { SingleGraphStep, type TrainingStep } from './training-step.ts';

/** What {@link openTrainingSession} needs besides the settings. */
export interface TrainingSessionOptions {
  readonly model: string;
  /** Done to the model's head before anything else. */
  readonly correction?: Correction | undefined;
  readonly examples: readonly TrainingExample[];
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** A training run, ready to begin. */
export interface TrainingSession {
  readonly model: ModelFolder;
  /** The model's config, as its corrected head needs it. */
  readonly modelConfig: ModelConfig;
  readonly pooling: Pooling;
  readonly engine: Engine;
  readonly variables: readonly VariableSpec[];
  readonly sampler: BatchSampler;
  readonly training: TrainingStep;
  readonly objective: Objective;
  /** Encodes with the weights as they are at the moment. */
  readonly encoder: SparseEncoder;
  readonly steps: number;
  /** SHA-256 of model and data. */
  readonly origin: { readonly model: string; readonly data: string };
  close(): Promise<void>;
}

/** Opens a session; the caller closes it. */
export async function openTrainingSession(
  config: FinetuneConfig,
  options: TrainingSessionOptions,
): Promise<TrainingSession> {
  const { examples, signal, onProgress, onWarning } = options;
  const model = await openModelFolder(options.model, onWarning ? { onWarning } : {});
  let engine: Engine | undefined;
  try {
    requireSharedEncoder(model, 'finetune');
    const { checkpoint } = model;
    const source = options.correction ? await correctCheckpoint(checkpoint, options.correction) : checkpoint;
    const modelConfig = source.config;
    const { strategy } = model.pooling;
    const activation = config.activation ?? model.pooling.activation;
    if (strategy !== 'max') {
      throw new LexrayError('BAD_INPUT', `training needs max pooling, the model has ${strategy} pooling`, {
        where: options.model,
      });
    }
    const tokenizer = await loadTokenizer(model.tokenizerFolder);
    checkVocabulary(tokenizer, modelConfig.vocab_size, { where: options.model, onWarning });
    const policy = trainingPolicy(model, config);
    const tokenize = (kind: TextKind) => (text: string) =>
      tokenizer.encode(preparedText(text, kind, policy), { maxLength: policy.maxLength[kind] });
    const data = await buildTrainingSet(examples, {
      tokenizeQuery: tokenize('query'),
      tokenizeDocument: tokenize('document'),
      negativesPerQuery: config.negativesPerQuery,
      signal,
      onProgress,
      onWarning,
    });
    const sampler = new BatchSampler(data, config);
    const learnedScale = config.headScaleLearningRate !== undefined;
    const variables = [
      ...modelVariables(modelConfig, true),
      ...(learnedScale ? [{ name: headScaleName, dims: [1], trainable: true }] : []),
    ];
    engine = await openOrtEngine(options.threads === undefined ? {} : { threads: options.threads });
    await engine.createVariables(variables);
    for await (const { name, data: weights } of source.loadWeights()) {
      throwIfAborted(signal);
      await engine.writeVariable(name, 'value', weights);
    }
    const { lengthBuckets: buckets, dropoutRate, gradientCacheChunk: chunkSize } = config;
    const encoders = { shared: new TransformerSide(modelConfig, { activation, buckets, dropoutRate, learnedScale }) };
    const objective = makeObjective(config);
    const training =
      chunkSize === undefined
        ? new SingleGraphStep(engine, encoders, objective)
        : new SplitStep(engine, encoders, objective, modelShape(modelConfig).vocabularySize, { chunkSize });
    const { maxActiveDims } = model;
    const recorded = recordedPolicy(policy);
    const parts = { engine, config: modelConfig, activation, tokenizer, policy: recorded, maxActiveDims };
    const opened = engine;
    return {
      model,
      modelConfig,
      pooling: { strategy, activation },
      engine,
      variables,
      sampler,
      training,
      objective,
      encoder: new SparseEncoder(parts),
      steps: stepsOf(config, sampler),
      origin: {
        model: await hashModel(model),
        data: hashTexts(
          examples.flatMap(({ query, positive, negatives, scores }) =>
            [query, positive, ...negatives].concat(scores === undefined ? [] : JSON.stringify(scores)),
          ),
        ),
      },
      close: async () => {
        await opened.dispose();
        await model.close();
      },
    };
  } catch (error) {
    await engine?.dispose();
    await model.close();
    throw error;
  }
}

/** SHA-256 of the weights, over that of each file where there are several. */
async function hashModel({ checkpoint: { paths } }: ModelFolder): Promise<string> {
  const hashes = await Promise.all(paths.map(hashFile));
  return hashes.length === 1 ? hashes[0]! : hashTexts(hashes);
}

function stepsOf(config: FinetuneConfig, sampler: BatchSampler): number {
  const batches = config.epochs * sampler.batchesPerEpoch;
  const wanted = Math.max(1, Math.round(batches / config.accumulationSteps));
  return config.maxSteps === undefined ? wanted : Math.min(config.maxSteps, wanted);
}

/** The model's policy with the lengths of this run. */
function trainingPolicy(model: ModelFolder, config: FinetuneConfig): LexrayModelPolicy {
  const limit = model.maxSequenceLength;
  const length = (wanted: number | undefined, recorded: number): number => {
    if (wanted !== undefined && wanted > limit) {
      throw new LexrayError('CONFIG', `a maximum length of ${wanted} tokens, but the model takes at most ${limit}`);
    }
    return wanted ?? recorded;
  };
  const { query, document } = model.policy.maxLength;
  return {
    ...model.policy,
    maxLength: { query: length(config.queryMaxLength, query), document: length(config.documentMaxLength, document) },
  };
}

/**
 * What the trained model records: one length for queries and documents, the longer of the two, because
 * sentence-transformers knows only one. So a folder gives the same vectors there as here.
 */
function recordedPolicy(policy: LexrayModelPolicy): LexrayModelPolicy {
  const longest = Math.max(policy.maxLength.query, policy.maxLength.document);
  return { ...policy, maxLength: { query: longest, document: longest } };
}
