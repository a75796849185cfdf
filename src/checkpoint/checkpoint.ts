/**
 * A model's checkpoint: the checked `config.json` and the weights under canonical names, whatever spelling, element
 * type or number of files they are stored in. Tying and duplicate biases: see `families/model-family.ts`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { badInput } from '../util/errors.ts';
import type { WarningListener } from '../util/progress.ts';
import type { ModelConfig, ModelFamily } from './families/model-family.ts';
import { findFamily } from './families/registry.ts';
import { quote } from './json-cursor.ts';
import { checkJson, readJson } from './read-json.ts';
import { type Rivals, resolveWeights } from './resolve-weights.ts';
import type { TensorInfo } from './safetensors-header.ts';
import { openTensorFiles } from './tensor-files.ts';

/** A weight under its canonical name. */
export interface NamedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major elements. */
  readonly data: Float32Array;
}

/** An open checkpoint. */
export interface Checkpoint {
  readonly folder: string;
  /** config.json with defaults filled in; unknown keys are kept. */
  readonly config: ModelConfig;
  readonly family: ModelFamily;
  /** Every weight of the model by canonical name (that of today's transformers), in canonical order; `info.name` is the name in the file. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Pairs of stored tensors that ought to be equal and are not; of each, one is used and one is not. */
  readonly rivals: readonly Rivals[];
  /** The weight files, for hashing. */
  readonly paths: readonly string[];
  /**
   * Reads one weight.
   * @param name canonical name
   * @throws LexrayError BAD_INPUT when the model has no such weight, or a value is NaN or infinite
   */
  readTensor(name: string): Promise<Float32Array>;
  /**
   * Reads one weight in blocks of `length` elements, row-major, one in memory at a time.
   * @throws as {@link readTensor}
   */
  readBlocks(name: string, length: number): AsyncGenerator<Float32Array>;
  /** Reads all weights in canonical order, one at a time. */
  loadWeights(): AsyncGenerator<NamedWeight>;
  close(): Promise<void>;
}

/** Options of {@link openCheckpoint}. */
export interface OpenCheckpointOptions {
  readonly onWarning?: WarningListener | undefined;
}

/**
 * Opens a folder with `config.json` and safetensors weights. Names, shapes and types of all weights are checked;
 * data is read later, tensor by tensor.
 * @throws LexrayError BAD_INPUT when the family is not supported, the MLM head or another weight is missing, or a file
 * does not fit
 */
export async function openCheckpoint(folder: string, options: OpenCheckpointOptions = {}): Promise<Checkpoint> {
  const { config, family } = await readModelConfig(folder);
  const files = await openTensorFiles(folder);
  try {
    const { weights, unused, rivals } = resolveWeights(family, config, files.tensors, folder);
    const different: Rivals[] = [];
    for (const rival of rivals) {
      const { used, ignored, readings } = rival;
      if (await files.sameBytes(used, ignored)) continue;
      different.push(rival);
      options.onWarning?.(`${folder}: ${ignored} differs from ${used} and is not used: ${readings}`);
    }
    const { bias, biasCopy } = family.tied;
    if (biasCopy !== undefined && !config.tie_word_embeddings && weights.get(bias)?.name !== biasCopy) {
      options.onWarning?.(
        `${folder} is not tied and has no ${biasCopy}: transformers 4 and Lexray use ${bias}; transformers 5 uses zeros`,
      );
    }
    const surplus = unused.filter((name) => !rivals.some(({ ignored }) => ignored === name));
    if (surplus.length > 0) {
      const names = surplus.slice(0, 3).map(quote).join(', ');
      options.onWarning?.(`${folder}: the model does not use ${surplus.length} stored tensors: ${names}…`);
    }
    const stored = (name: string): string => {
      const info = weights.get(name);
      if (info === undefined) throw badInput(`the model has no weight ${quote(name)}`, { where: folder });
      return info.name;
    };
    const readTensor = async (name: string): Promise<Float32Array> => files.readTensor(stored(name));
    return {
      folder,
      config,
      family,
      tensors: weights,
      rivals: different,
      paths: files.paths,
      readTensor,
      async *readBlocks(name, length) {
        yield* files.readBlocks(stored(name), length);
      },
      async *loadWeights() {
        for (const [name, { shape }] of weights) yield { name, shape, data: await readTensor(name) };
      },
      close: () => files.close(),
    };
  } catch (error) {
    await files.close();
    throw error;
  }
}

/**
 * Reads and checks the `config.json` of a model folder.
 * @throws LexrayError BAD_INPUT when it is missing or does not fit, or the family is not supported
 */
export async function readModelConfig(folder: string): Promise<{ config: ModelConfig; family: ModelFamily }> {
  const where = join(folder, 'config.json');
  if (!existsSync(folder)) throw badInput(`there is no folder ${folder}`, { where: folder, cure: 'check the path' });
  const value = await readJson(where);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badInput(`${where} is not a JSON object`, { where, cure: 'fetch or write the file again' });
  }
  const family = findFamily('model_type' in value ? value.model_type : undefined, where);
  return { config: checkJson(family.configSchema, value, where), family };
}
