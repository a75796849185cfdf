/** Opens all that a pre-training run works with: the model on an engine, the texts, the step, what is held out. */

import type { OutputVocabulary } from '../../checkpoint/layouts/output-vocabulary.ts';
import type { Engine, VariableSpec } from '../../compute/runtime/engine.ts';
import { openOrtEngine } from '../../compute/runtime/ort-engine.ts';
import { findTextFiles } from '../../data/text-stream/find-text-files.ts';
import { StreamReport } from '../../data/text-stream/stream-report.ts';
import type { TextStreamOptions } from '../../data/text-stream/stream-texts.ts';
import { modelVariables } from '../../model/splade-graph.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { unigramUnits } from '../../tokenizer/unigrams/unigram-units.ts';
import { badInput, throwIfAborted } from '../../util/errors.ts';
import { hashFile } from '../../util/manifest.ts';
import type { ProgressListener, WarningListener } from '../../util/progress.ts';
import { LogitObserver } from './logit-statistics.ts';
import { type HeldOut, MaskedBatches, readHeldOut, shardsOf } from './masked-batches.ts';
import { MaskedStep } from './masked-step.ts';
import { Masker } from './masking.ts';
import { pieceUnits, type UnitTokenizer, wordUnits } from './masking-units.ts';
import type { PretrainConfig } from './pretrain-config.ts';
import { type SequenceOptions, type SequencePosition, sequences, tooFewTokens } from './sequences.ts';
import { checkSequenceLength, type OpenStartModel, openStartModel, type StartModel } from './start-model.ts';

/** How lines of the files become texts. */
export type TextForm = Pick<TextStreamOptions, 'format' | 'fields' | 'column' | 'invalidUtf8'>;

/** What {@link openPretrainSession} needs besides the settings. */
export interface PretrainSessionOptions {
  readonly start: StartModel;
  /** Files, folders or patterns. */
  readonly texts: readonly string[];
  /** Texts to hold out. @default a share of `texts` */
  readonly heldOutTexts?: readonly string[] | undefined;
  readonly form?: TextForm | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** A pre-training run, ready to begin. */
export interface PretrainSession {
  readonly model: OpenStartModel;
  readonly engine: Engine;
  readonly variables: readonly VariableSpec[];
  readonly step: MaskedStep;
  readonly observer: LogitObserver;
  readonly heldOut: HeldOut;
  readonly files: readonly string[];
  /** What was found in the files, as far as they were read for training. */
  readonly report: StreamReport;
  batches(start: SequencePosition | undefined): MaskedBatches;
  close(): Promise<void>;
}

/** Opens a session; the caller closes it. */
export async function openPretrainSession(
  config: PretrainConfig,
  options: PretrainSessionOptions,
): Promise<PretrainSession> {
  const { threads, signal, onWarning } = options;
  const files = await findTextFiles(options.texts);
  const heldOutFiles = options.heldOutTexts && (await findTextFiles(options.heldOutTexts));
  const model = await openStartModel(options.start, config.seed, onWarning);
  let engine: Engine | undefined;
  try {
    const { tokenizer } = model;
    checkSequenceLength(model.config, config.length);
    const masker = new Masker(tokenizer, { rate: config.maskingRate, replacement: config.replacement });
    const report = new StreamReport();
    const shards = shardsOf(config.heldOutShare, config.heldOutSeed);
    const reading: SequenceOptions = {
      ...options.form,
      tokenizer,
      units: unitsOf(config, model),
      length: config.length,
      arrangement: config.arrangement,
      seed: config.seed,
      uniqueTokens: config.repeat > 1 ? Math.ceil(config.tokens! / config.repeat) : undefined,
      shard: heldOutFiles ? undefined : shards.train,
      report,
      signal,
    };
    if (reading.uniqueTokens !== undefined) await checkTokens(files, reading, options.onProgress);
    const heldOut = await readHeldOut(
      heldOutFiles ?? files,
      {
        ...reading,
        uniqueTokens: undefined,
        seed: config.heldOutSeed,
        shard: heldOutFiles ? undefined : shards.heldOut,
        report: new StreamReport(),
      },
      masker,
      { masked: config.heldOutSequences, texts: config.statisticsTexts },
    );
    const variables = modelVariables(model.config, true);
    engine = await openOrtEngine(threads === undefined ? {} : { threads });
    await engine.createVariables(variables);
    for await (const { name, data } of model.loadWeights()) {
      throwIfAborted(signal);
      await engine.writeVariable(name, 'value', data);
    }
    const opened = engine;
    const { lengthBuckets: buckets, dropoutRate } = config;
    return {
      model,
      engine,
      variables,
      step: new MaskedStep(engine, model.config, { buckets, dropoutRate }),
      observer: new LogitObserver(engine, model.config),
      heldOut,
      files,
      report,
      batches: (start) => new MaskedBatches(files, { ...reading, start }, masker, config.batchSize),
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

/** SHA-256 of the model's files and of the texts, by role and path. */
export async function hashParents(
  { model, files }: Pick<PretrainSession, 'model' | 'files'>,
  signal: AbortSignal | undefined,
): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const path of [...model.paths, ...files]) {
    throwIfAborted(signal);
    hashes[path] = await hashFile(path);
  }
  return hashes;
}

function unitsOf(config: PretrainConfig, { tokenizer, outputVocabulary, casing }: OpenStartModel): UnitTokenizer {
  const cut = unitTokenizer(config, tokenizer, outputVocabulary);
  return casing === 'lower' ? (text) => cut(text.toLowerCase()) : cut;
}

function unitTokenizer(
  { units, labels }: PretrainConfig,
  tokenizer: Tokenizer,
  vocabulary: OutputVocabulary | undefined,
): UnitTokenizer {
  if (vocabulary !== undefined) {
    if (units === undefined || units === 'unigrams') return unigramUnits(tokenizer, vocabulary, labels);
    throw badInput(`the decoder has unigrams as terms: it cannot predict ${units}`, { cure: 'mask unigrams' });
  }
  if (units === 'unigrams') {
    throw badInput('the model has no output vocabulary of unigrams', { cure: 'make one with lexray expand' });
  }
  return units === 'words' ? wordUnits(tokenizer) : pieceUnits(tokenizer);
}

/** Reads as many tokens as a pass is to have, so that a lack of them is found before the training. */
async function checkTokens(
  files: readonly string[],
  options: SequenceOptions,
  onProgress: ProgressListener | undefined,
): Promise<void> {
  const total = options.uniqueTokens!;
  let done = 0;
  for await (const { ids } of sequences(files, { ...options, uniqueTokens: undefined, passes: 1, report: undefined })) {
    done += ids.length;
    onProgress?.({ phase: 'count tokens', done, total, unit: 'tokens' });
    if (done >= total) return;
  }
  throw tooFewTokens(done, total);
}
