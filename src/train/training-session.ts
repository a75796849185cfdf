/** Opens all that a training run works with: the model on an engine, the tokenized data, the step, the encoder. */
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { modelShape } from '../checkpoint/families/registry.ts';
import { type ModelFolder, openModelFolder } from '../checkpoint/layouts/model-folder.ts';
import type { LexrayModelPolicy } from '../checkpoint/layouts/model-policy.ts';
import type { Pooling } from '../checkpoint/layouts/sentence-transformers-files.ts';
import type { Engine, VariableSpec } from '../compute/runtime/engine.ts';
import { openOrtEngine } from '../compute/runtime/ort-engine.ts';
import type { TrainingExample } from '../data/read-training-examples.ts';
import { correctCheckpoint } from '../head/corrected-checkpoint.ts';
import type { Correction } from '../head/correction.ts';
import { queryPrefix } from '../model/encoder-parts.ts';
import { preparedText, SparseEncoder } from '../model/sparse-encoder.ts';
import { checkVocabulary } from '../tokenizer/check-vocabulary.ts';
import { loadTokenizer } from '../tokenizer/load-tokenizer.ts';
import { LexrayError, throwIfAborted } from '../util/errors.ts';
import { hashFile, hashTexts } from '../util/manifest.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import { BatchSampler } from './batch-sampler.ts';
import type { FinetuneConfig } from './finetune-config.ts';
import { headVariables } from './head-variables.ts';
import { makeObjective } from './make-objective.ts';
import type { Objective } from './objective.ts';
import { isHeadScale, type SpecialVariables } from './optimizer-groups.ts';
import { openQuerySide, type QueryTraining } from './query-side.ts';
import { runSteps } from './run-steps.ts';
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
  /** All variables. */
  readonly variables: readonly VariableSpec[];
  /** Those of the documents' encoder. */
  readonly documentVariables: readonly VariableSpec[];
  /** What encodes the queries, if not the documents' encoder. */
  readonly query: QueryTraining | undefined;
  readonly special: SpecialVariables;
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
    const { inputVocabularySize, ownTerms } = modelShape(modelConfig);
    checkVocabulary(tokenizer, inputVocabularySize, { where: options.model, ownTerms, onWarning });
    const policy = trainingPolicy(model, config);
    const { lengthBuckets: buckets, dropoutRate, gradientCacheChunk: chunkSize } = config;
    const learnedScale = config.headScaleLearningRate !== undefined || config.headDivisor !== undefined;
    const constantScale = config.headScaleLearningRate === undefined;
    const transformer = { activation, buckets, dropoutRate, learnedScale, constantScale };
    const query = await openQuerySide(config.queryEncoder, {
      model,
      documents: source,
      tokenizer,
      texts: () => new Set(examples.flatMap(({ positive, negatives }) => [positive, ...negatives])),
      transformer,
      activation: config.activation,
      maxLength: policy.maxLength.query,
      signal,
      onProgress,
      onWarning,
    });
    const data = await buildTrainingSet(examples, {
      tokenizeQuery: (text) =>
        (query?.tokenizer ?? tokenizer).encode(
          preparedText(text, 'query', { ...policy, casing: query?.casing ?? policy.casing }),
          {
            maxLength: policy.maxLength.query,
            addSpecialTokens: query?.addSpecialTokens ?? true,
          },
        ),
      tokenizeDocument: (text) =>
        tokenizer.encode(preparedText(text, 'document', policy), { maxLength: policy.maxLength.document }),
      negativesPerQuery: config.negativesPerQuery,
      signal,
      onProgress,
      onWarning,
    });
    const sampler = new BatchSampler(data, config);
    const documentVariables = TransformerSide.variables(modelConfig, { learnedScale, constantScale });
    const variables = [...documentVariables, ...(query?.variables ?? [])];
    engine = await openOrtEngine(options.threads === undefined ? {} : { threads: options.threads });
    await engine.createVariables(variables);
    for (const weights of [source, ...(query ? [query] : [])]) {
      for await (const { name, data: values } of weights.loadWeights()) {
        throwIfAborted(signal);
        await engine.writeVariable(name, 'value', values);
      }
    }
    const scale = Float32Array.of(Math.log(config.headDivisor ?? 1));
    for (const { name } of variables) if (isHeadScale(name)) await engine.writeVariable(name, 'value', scale);
    const documents = new TransformerSide(modelConfig, transformer);
    const encoders = query ? { queries: query.side, documents } : { shared: documents };
    const objective = makeObjective(config);
    // Two transformers do not fit into one graph.
    const isSplit = chunkSize !== undefined || query?.kind === 'encoder';
    const training = isSplit
      ? new SplitStep(engine, encoders, objective, modelShape(modelConfig).vocabularySize, { chunkSize })
      : new SingleGraphStep(engine, encoders, objective);
    const recorded = query ? policy : recordedPolicy(policy);
    const opened = engine;
    const encoder = new SparseEncoder({
      engine,
      config: modelConfig,
      activation,
      learnedScale,
      tokenizer,
      outputVocabulary: model.outputVocabulary,
      policy: recorded,
      maxActiveDims: model.maxActiveDims,
      query: query?.partsFor(engine),
    });
    return {
      model,
      modelConfig,
      pooling: { strategy, activation },
      engine,
      variables,
      sampler,
      training,
      objective,
      encoder,
      query,
      special: { frozen: query?.frozen ?? [], head: headOf(config, modelConfig, query) },
      documentVariables,
      steps: runSteps(config, data.queries.length),
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

/** Variables of the heads whose learning rate is not that of the model. */
function headOf(config: FinetuneConfig, documents: ModelConfig, query: QueryTraining | undefined): string[] {
  const { headLearningRateFactor = 1, headLearningRateOf = 'norm' } = config;
  if (headLearningRateFactor === 1) return [];
  const own = query?.config && headVariables(query.config, headLearningRateOf, queryPrefix);
  return [...headVariables(documents, headLearningRateOf), ...(own ?? [])];
}

/** SHA-256 of the weights, over that of each file where there are several. */
async function hashModel({ checkpoint, query }: ModelFolder): Promise<string> {
  const queryPaths = query.kind === 'encoder' ? query.checkpoint.paths : query.kind === 'static' ? query.paths : [];
  const paths = [...checkpoint.paths, ...queryPaths];
  const hashes = await Promise.all(paths.map(hashFile));
  return hashes.length === 1 ? hashes[0]! : hashTexts(hashes);
}

/** The model's policy with the lengths of this run. */
function trainingPolicy(model: ModelFolder, config: FinetuneConfig): LexrayModelPolicy {
  const length = (wanted: number | undefined, recorded: number, limit: number): number => {
    if (wanted !== undefined && wanted > limit) {
      throw new LexrayError('CONFIG', `a maximum length of ${wanted} tokens, but the model takes at most ${limit}`);
    }
    return Math.min(wanted ?? recorded, limit);
  };
  const side = model.query;
  // A table of token weights has no positions that could run out, an encoder that takes its place has.
  const isTable = config.queryEncoder === 'static' || (config.queryEncoder === 'shared' && side.kind === 'static');
  const ownLimit = side.kind === 'encoder' || (side.kind === 'static' && isTable);
  const queryLimit = ownLimit ? side.maxSequenceLength : model.maxSequenceLength;
  const { query, document } = model.policy.maxLength;
  return {
    ...model.policy,
    maxLength: {
      query: length(config.queryMaxLength, query, queryLimit),
      document: length(config.documentMaxLength, document, model.maxSequenceLength),
    },
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
