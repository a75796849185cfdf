/**
 * A SPLADE encoder as sentence-transformers stores it: a masked language model and SpladePooling, each in a folder. A model
 * has one such pair, or behind a Router one for the documents and perhaps another for the queries.
 */
import { join } from 'node:path';
import { badInput } from '../../util/errors.ts';
import type { WarningListener } from '../../util/progress.ts';
import { type Checkpoint, type OpenCheckpointOptions, openCheckpoint } from '../checkpoint.ts';
import { quote } from '../json-cursor.ts';
import { checkJson, readJson, readJsonIfExists } from '../read-json.ts';
import type { LexrayModelPolicy } from './model-policy.ts';
import { type OutputVocabulary, readOutputVocabulary } from './output-vocabulary.ts';
import {
  type Pooling,
  type StoredTransformerModule,
  spladePoolingSchema,
  tokenizerConfigSchema,
  transformerModuleFiles,
  transformerModuleSchema,
} from './sentence-transformers-files.ts';

/** The folders of the two modules, and what their types say. */
export interface StoredEncoder {
  readonly transformer: string;
  readonly pooling: string;
  /** Whether the type of the transformer says that it gives MLM logits (`MLMTransformer` does, `Transformer` not). */
  readonly fillMask: boolean;
}

/** An open encoder. */
export interface EncoderModules {
  readonly checkpoint: Checkpoint;
  /** Where the tokenizer files are. */
  readonly tokenizerFolder: string;
  /** The terms of the vectors, where they are not the tokens of the tokenizer. */
  readonly outputVocabulary: OutputVocabulary | undefined;
  readonly pooling: Pooling;
  /** Longest input in tokens, special tokens included; never more than the model has positions. */
  readonly maxSequenceLength: number;
  readonly casing: LexrayModelPolicy['casing'];
}

/** Module types of a masked language model: of 5.0, and from 5.4 on. */
const transformerTypes: readonly string[] = ['MLMTransformer', 'Transformer'];

/** Lengths from this on mean "not set": transformers writes 10^30 for it. */
const notSet = 1e9;

/** A module as `modules.json` or `router_config.json` names it. */
export interface NamedModule {
  /** Python class. */
  readonly type: string;
  /** Folder on this machine. */
  readonly folder: string;
}

/** The class of a module without its package: `SpladePooling`. */
export function moduleKind({ type }: Pick<NamedModule, 'type'>): string {
  return type.split('.').at(-1) ?? '';
}

/**
 * Takes a list of modules for an encoder.
 * @param where the file that lists them
 * @param also what else may stand in place of the first module, for the error
 * @throws LexrayError BAD_INPUT when they are others than a masked language model and SpladePooling
 */
export function encoderOf(modules: readonly NamedModule[], where: string, also: readonly string[] = []): StoredEncoder {
  const [first, second, third] = modules;
  const supported = [...transformerTypes, ...also].join(' or ');
  if (first === undefined || !transformerTypes.includes(moduleKind(first))) throw unsupported(first?.type, supported);
  if (second === undefined || moduleKind(second) !== 'SpladePooling') throw unsupported(second?.type, 'SpladePooling');
  if (third !== undefined) throw unsupported(third.type, 'nothing after SpladePooling');
  return {
    transformer: first.folder,
    pooling: second.folder,
    fillMask: moduleKind(first) === 'MLMTransformer',
  };

  function unsupported(got: string | undefined, expected: string): Error {
    const found = got === undefined ? `no ${first === undefined ? 'module' : 'second module'}` : quote(got);
    return badInput(`${where} has ${found} where Lexray supports ${expected}`, {
      where,
      cure: 'use a SPLADE model: an MLM transformer followed by SpladePooling',
    });
  }
}

/**
 * Opens an encoder.
 * @throws LexrayError BAD_INPUT when a file does not fit
 */
export async function openEncoderModules(
  { transformer, pooling, fillMask }: StoredEncoder,
  options: OpenCheckpointOptions,
): Promise<EncoderModules> {
  const module = await readTransformerModule(transformer);
  const task = module.transformer_task ?? (fillMask ? 'fill-mask' : 'feature-extraction');
  if (task !== 'fill-mask') {
    throw badInput(
      `the transformer module in ${transformer} gives ${quote(task)}, not the logits of a masked language model`,
      { where: transformer, cure: 'use a SparseEncoder made of an MLM transformer and SpladePooling' },
    );
  }
  const checkpoint = await openCheckpoint(transformer, options);
  try {
    return {
      checkpoint,
      tokenizerFolder: transformer,
      outputVocabulary: await readOutputVocabulary(transformer, checkpoint.config),
      pooling: await readPooling(pooling, checkpoint.family.shape(checkpoint.config).vocabularySize),
      maxSequenceLength: await readMaxSequenceLength(checkpoint, module.max_seq_length, options.onWarning),
      casing: module.do_lower_case ? 'lower' : 'keep',
    };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

/**
 * The longest input in tokens: what the module says, else `model_max_length` of the tokenizer, never more than the
 * model has positions. Values of 10^9 and more mean "not set".
 */
export async function readMaxSequenceLength(
  checkpoint: Checkpoint,
  ofModule: number | null | undefined,
  onWarning: WarningListener | undefined,
): Promise<number> {
  const positions = checkpoint.family.shape(checkpoint.config).maxPositions;
  const length = isSet(ofModule) ? ofModule : await readTokenizerMaxLength(checkpoint.folder);
  if (length === undefined) return positions;
  if (length > positions) {
    onWarning?.(
      `${checkpoint.folder} asks for inputs of ${length} tokens; the model has ${positions} positions, which is used`,
    );
  }
  return Math.max(1, Math.min(Math.floor(length), positions));
}

/** `model_max_length` of the tokenizer in a folder, if it is set. */
export async function readTokenizerMaxLength(folder: string): Promise<number | undefined> {
  const path = join(folder, 'tokenizer_config.json');
  const config = checkJson(tokenizerConfigSchema, (await readJsonIfExists(path)) ?? {}, path);
  return isSet(config.model_max_length) ? config.model_max_length : undefined;
}

function isSet(length: number | null | undefined): length is number {
  return typeof length === 'number' && length > 0 && length < notSet;
}

async function readTransformerModule(folder: string): Promise<StoredTransformerModule> {
  for (const name of transformerModuleFiles) {
    const path = join(folder, name);
    const value = await readJsonIfExists(path);
    if (value !== undefined) return checkJson(transformerModuleSchema, value, path);
  }
  return {};
}

async function readPooling(folder: string, vocabularySize: number): Promise<Pooling> {
  const path = join(folder, 'config.json');
  const config = checkJson(spladePoolingSchema, await readJson(path), path);
  const dimension = config.embedding_dimension ?? config.word_embedding_dimension;
  if (dimension !== undefined && dimension !== null && dimension !== vocabularySize) {
    throw badInput(`${path} says vectors have ${dimension} dimensions; the model's vocabulary has ${vocabularySize}`, {
      where: path,
      cure: 'correct the dimension, or set it to null',
    });
  }
  return { strategy: config.pooling_strategy, activation: config.activation_function };
}
