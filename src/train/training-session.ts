/** Opens all that a training run works with: the model on an engine, the tokenized data, the step, the encoder. */
import { type ModelFolder, openModelFolder } from '../checkpoint/layouts/model-folder.ts';
import type { LexrayModelPolicy } from '../checkpoint/layouts/model-policy.ts';
import type { Engine, VariableSpec } from '../compute/runtime/engine.ts';
import { openOrtEngine } from '../compute/runtime/ort-engine.ts';
import type { TrainingExample } from '../data/read-training-examples.ts';
import { preparedText, SparseEncoder, type TextKind } from '../model/sparse-encoder.ts';
import { modelVariables } from '../model/splade-graph.ts';
import { checkVocabulary } from '../tokenizer/check-vocabulary.ts';
import { loadTokenizer } from '../tokenizer/load-tokenizer.ts';
import { LexrayError, throwIfAborted } from '../util/errors.ts';
import { hashFile, hashTexts } from '../util/manifest.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import { BatchSampler } from './batch-sampler.ts';
import type { FinetuneConfig } from './finetune-config.ts';
import { InfoNceLoss } from './losses/info-nce.ts';
import { Objective } from './objective.ts';
import { FlopsRegularizer } from './regularizers/flops.ts';
import { TransformerSide } from './side-encoder.ts';
import { buildTrainingSet } from './training-set.ts';
import { SingleGraphStep, type TrainingStep } from './training-step.ts';

/** What {@link openTrainingSession} needs besides the settings. */
export interface TrainingSessionOptions {
  readonly model: string;
  readonly examples: readonly TrainingExample[];
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** A training run, ready to begin. */
export interface TrainingSession {
  readonly model: ModelFolder;
  readonly engine: Engine;
  readonly variables: readonly VariableSpec[];
  readonly sampler: BatchSampler;
  readonly training: TrainingStep;
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
    const modelConfig = model.checkpoint.config;
    const { activation, strategy } = model.pooling;
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
    const variables = modelVariables(modelConfig, true);
    engine = await openOrtEngine(options.threads === undefined ? {} : { threads: options.threads });
    await engine.createVariables(variables);
    for await (const { name, data: weights } of model.checkpoint.loadWeights()) {
      throwIfAborted(signal);
      await engine.writeVariable(name, 'value', weights);
    }
    const side = new TransformerSide(modelConfig, {
      activation,
      buckets: config.lengthBuckets,
      dropoutRate: config.dropoutRate,
    });
    const objective = new Objective({
      losses: [{ loss: new InfoNceLoss({ temperature: config.temperature }), weight: 1 }],
      regularizers: [
        { part: 'query_regularizer_loss', regularizer: new FlopsRegularizer(), side: 'queries' },
        { part: 'document_regularizer_loss', regularizer: new FlopsRegularizer(), side: 'documents' },
      ],
    });
    const training = new SingleGraphStep(engine, { shared: side }, objective);
    const { maxActiveDims } = model;
    const recorded = recordedPolicy(policy);
    const parts = { engine, config: modelConfig, activation, tokenizer, policy: recorded, maxActiveDims };
    const opened = engine;
    return {
      model,
      engine,
      variables,
      sampler,
      training,
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
  const wanted = Math.max(1, Math.round(config.epochs * sampler.batchesPerEpoch));
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
