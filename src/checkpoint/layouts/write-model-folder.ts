/**
 * Writes a model folder in the layout of sentence-transformers 5.0, which opens in 5.0 to 6.2 and, as a bare masked
 * language model, in transformers; with `lexray.json` and `manifest.json` for what that layout cannot say.
 * The folder appears when it is whole, or not at all.
 *
 * Weights are written under the names of today's transformers. When tied, no decoder is written: transformers 4 would
 * drop it and transformers 5 use it. When not tied, the output bias is written under both of its names, since
 * transformers 5 reads one and transformers 4 the other.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput } from '../../util/errors.ts';
import { writeManifest } from '../../util/manifest.ts';
import type { ProgressListener } from '../../util/progress.ts';
import { lexrayVersion, toolName } from '../../util/version.ts';
import { writeFolderAtomic } from '../../util/write-atomic.ts';
import type { NamedWeight } from '../checkpoint.ts';
import type { ModelConfig, ModelFamily } from '../families/model-family.ts';
import { findFamily } from '../families/registry.ts';
import { checkJson } from '../read-json.ts';
import type { FloatDtype } from '../safetensors-header.ts';
import { type WritableTensor, writeSafetensors } from '../safetensors-writer.ts';
import { encodeModelCard, type ModelCard } from './model-card.ts';
import { modelManifestFormat, modelManifestVersion } from './model-folder.ts';
import {
  checkLengths,
  defaultModelPolicy,
  encodeModelPolicy,
  type LexrayModelPolicy,
  policyFileName,
} from './model-policy.ts';
import type { Pooling } from './sentence-transformers-files.ts';
import { type TokenizerSource, writeTokenizerFiles } from './tokenizer-files.ts';
import { weightQueue } from './weight-queue.ts';

/** What a model folder is made of. */
export interface ModelFolderContent {
  /** config.json; keys that Lexray does not know are written back. `tie_word_embeddings` decides whether a decoder is expected. */
  readonly config: ModelConfig;
  /** All weights under canonical names; in canonical order they are streamed, otherwise those that come early are held. */
  readonly weights: Iterable<NamedWeight> | AsyncIterable<NamedWeight>;
  /** A folder to copy tokenizer files from, or their texts by file name. */
  readonly tokenizer: TokenizerSource;
  /** @default max over log1p(relu(z)) */
  readonly pooling?: Pooling | undefined;
  /** Longest input in tokens. @default what the model has positions for */
  readonly maxSequenceLength?: number | undefined;
  /** Largest number of active dimensions of a vector. @default none */
  readonly maxActiveDims?: number | undefined;
  readonly policy?: Partial<LexrayModelPolicy> | undefined;
  readonly card?: ModelCard | undefined;
  /** How the model was made, for `manifest.json`. */
  readonly origin?: {
    readonly config?: Readonly<Record<string, unknown>> | undefined;
    readonly seed?: number | undefined;
    /** SHA-256 of the files it was made from, by role or path. */
    readonly parents?: Readonly<Record<string, string>> | undefined;
  };
}

/** Options of {@link writeModelFolder}. */
export interface WriteModelFolderOptions {
  /** @default 'st-5.0', the only one yet */
  readonly layout?: 'st-5.0' | undefined;
  /** Element type of the weights; numbers are rounded to the nearest. @default 'F32' */
  readonly dtype?: FloatDtype | undefined;
  /** Replace what is already there. @default false */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

const torchNames: Readonly<Record<FloatDtype, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/**
 * Writes a model folder.
 * @throws LexrayError USAGE when the folder is occupied and `force` is not set; BAD_INPUT when config, weights,
 * tokenizer or policy do not fit together
 */
export async function writeModelFolder(
  folder: string,
  content: ModelFolderContent,
  options: WriteModelFolderOptions = {},
): Promise<void> {
  const family = findFamily(content.config.model_type, 'config');
  const config = checkJson(family.configSchema, content.config, 'config');
  const dtype = options.dtype ?? 'F32';
  const pooling = content.pooling ?? { strategy: 'max', activation: 'relu' };
  const { maxPositions } = family.shape(config);
  const maxSequenceLength = content.maxSequenceLength ?? maxPositions;
  if (!Number.isInteger(maxSequenceLength) || maxSequenceLength < 1 || maxSequenceLength > maxPositions) {
    throw badInput(
      `expected a maximum sequence length from 1 to the ${maxPositions} positions of the model, got ${maxSequenceLength}`,
      { where: folder },
    );
  }
  const noPrompts = { query: '', document: '' };
  const policy: LexrayModelPolicy = {
    ...defaultModelPolicy({ prompts: noPrompts, casing: 'keep', maxSequenceLength }),
    ...content.policy,
  };
  checkLengths(policy, maxSequenceLength, folder);

  const files: Record<string, string> = {
    'config.json': withPythonFloats(
      json({ ...withoutKey(config, 'torch_dtype'), architectures: [family.architecture], dtype: torchNames[dtype] }),
    ),
    'modules.json': json([
      { idx: 0, name: '0', path: '', type: 'sentence_transformers.sparse_encoder.models.MLMTransformer' },
      { idx: 1, name: '1', path: '1_SpladePooling', type: 'sentence_transformers.sparse_encoder.models.SpladePooling' },
    ]),
    'sentence_bert_config.json': json({ max_seq_length: maxSequenceLength, do_lower_case: policy.casing === 'lower' }),
    'config_sentence_transformers.json': json({
      model_type: 'SparseEncoder',
      __version__: { sentence_transformers: '5.0.0', lexray: lexrayVersion },
      prompts: policy.prompts,
      default_prompt_name: null,
      similarity_fn_name: 'dot',
      ...(content.maxActiveDims === undefined ? {} : { max_active_dims: content.maxActiveDims }),
    }),
    '1_SpladePooling/config.json': json({
      pooling_strategy: pooling.strategy,
      activation_function: pooling.activation,
      word_embedding_dimension: config.vocab_size,
    }),
    [policyFileName]: encodeModelPolicy(policy),
    'README.md': encodeModelCard(content.card ?? {}, {
      architecture: family.architecture,
      dimensions: config.vocab_size,
      maxSequenceLength,
      pooling,
      policy,
    }),
  };
  await writeFolderAtomic(
    folder,
    async (temporary) => {
      await mkdir(join(temporary, '1_SpladePooling'));
      for (const [name, text] of Object.entries(files)) await writeFile(join(temporary, name), text);
      await writeTokenizerFiles(temporary, content.tokenizer);
      await writeWeights(join(temporary, 'model.safetensors'), family, config, content.weights, { ...options, dtype });
      await writeManifest(temporary, {
        format: modelManifestFormat,
        version: modelManifestVersion,
        config: content.origin?.config ?? {},
        ...(content.origin?.seed === undefined ? {} : { seed: content.origin.seed }),
        parents: content.origin?.parents ?? {},
        created: new Date().toISOString(),
        tool: toolName,
      });
    },
    { force: options.force ?? false },
  );
}

async function writeWeights(
  path: string,
  family: ModelFamily,
  config: ModelConfig,
  weights: ModelFolderContent['weights'],
  options: WriteModelFolderOptions & { readonly dtype: FloatDtype },
): Promise<void> {
  const specs = family.weights(config);
  const queue = weightQueue(weights, specs);
  const { bias, biasCopy } = family.tied;
  let lastBias = new Float32Array();
  try {
    await writeSafetensors(path, specs.flatMap(tensorsOf), { signal: options.signal, onProgress: options.onProgress });
    await queue.end();
  } finally {
    await queue.close();
  }

  function tensorsOf({ name, shape }: { name: string; shape: readonly number[] }): WritableTensor[] {
    const { dtype } = options;
    if (name !== bias || biasCopy === undefined || config.tie_word_embeddings) {
      return [{ name, shape, dtype, data: () => queue.take(name) }];
    }
    const readBias = async (): Promise<Float32Array> => {
      lastBias = new Float32Array(await queue.take(name));
      return lastBias;
    };
    return [
      { name, shape, dtype, data: readBias },
      { name: biasCopy, shape, dtype, data: () => lastBias },
    ];
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * The text of config.json with `.0` on whole numbers in fields that are floats in Python: transformers 5 refuses an
 * integer there.
 */
function withPythonFloats(text: string): string {
  return text.replace(/^( *"(?:initializer_\w+|\w*norm_eps|\w*rope_theta|factor)": \d+)(?=,?$)/gm, '$1.0');
}

function withoutKey(config: ModelConfig, key: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).filter(([name]) => name !== key));
}
