/**
 * Writes one encoder of a model folder as sentence-transformers 5.0 does: the transformer with its tokenizer in one folder,
 * SpladePooling in another.
 *
 * Weights are written under the names of today's transformers. When tied, no decoder is written: transformers 4 would
 * drop it and transformers 5 use it. When not tied, the output bias is written under both of its names, since
 * transformers 5 reads one and transformers 4 the other.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput } from '../../util/errors.ts';
import type { ProgressListener } from '../../util/progress.ts';
import type { NamedWeight } from '../checkpoint.ts';
import type { ModelConfig, ModelFamily } from '../families/model-family.ts';
import { findFamily } from '../families/registry.ts';
import { checkJson } from '../read-json.ts';
import type { FloatDtype } from '../safetensors-header.ts';
import { type WritableTensor, writeSafetensors } from '../safetensors-writer.ts';
import type { LexrayModelPolicy } from './model-policy.ts';
import { type OutputVocabulary, writeOutputVocabulary } from './output-vocabulary.ts';
import type { Pooling } from './sentence-transformers-files.ts';
import { type TokenizerSource, writeTokenizerFiles } from './tokenizer-files.ts';
import { weightQueue } from './weight-queue.ts';

/** What an encoder is made of. */
export interface EncoderContent {
  /** config.json; keys that Lexray does not know are written back. `tie_word_embeddings` decides whether a decoder is expected. */
  readonly config: ModelConfig;
  /** All weights under canonical names; in canonical order they are streamed, otherwise those that come early are held. */
  readonly weights: Iterable<NamedWeight> | AsyncIterable<NamedWeight>;
  /** A folder to copy tokenizer files from, or their texts by file name. */
  readonly tokenizer: TokenizerSource;
  /** The terms of the decoder, where the config says that it has its own. @default those in the tokenizer's folder */
  readonly outputVocabulary?: OutputVocabulary | undefined;
  /** @default max over log1p(relu(z)) */
  readonly pooling?: Pooling | undefined;
  /** Longest input in tokens. @default what the model has positions for */
  readonly maxSequenceLength?: number | undefined;
}

/** An encoder that is known to fit, with its defaults filled in. */
export interface CheckedEncoder extends Omit<Required<EncoderContent>, 'outputVocabulary'> {
  readonly outputVocabulary: OutputVocabulary | undefined;
  readonly family: ModelFamily;
  readonly pooling: Pooling;
  readonly maxSequenceLength: number;
}

/** Options of {@link writeEncoder}. */
export interface WriteEncoderOptions {
  readonly casing: LexrayModelPolicy['casing'];
  readonly dtype: FloatDtype;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

const torchNames: Readonly<Record<FloatDtype, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/**
 * Checks the parts that need no weights.
 * @throws LexrayError BAD_INPUT
 */
export function checkEncoder(content: EncoderContent, where: string): CheckedEncoder {
  const { weights, tokenizer, outputVocabulary } = content;
  const family = findFamily(content.config.model_type, 'config');
  const config = checkJson(family.configSchema, content.config, 'config');
  const pooling = content.pooling ?? { strategy: 'max', activation: 'relu' };
  const { maxPositions } = family.shape(config);
  const maxSequenceLength = content.maxSequenceLength ?? maxPositions;
  if (!Number.isInteger(maxSequenceLength) || maxSequenceLength < 1 || maxSequenceLength > maxPositions) {
    throw badInput(
      `expected a maximum sequence length from 1 to the ${maxPositions} positions of the model, got ${maxSequenceLength}`,
      { where },
    );
  }
  return { config, weights, tokenizer, outputVocabulary, family, pooling, maxSequenceLength };
}

/**
 * Writes an encoder.
 * @param transformer folder of the transformer, which is made if need be
 * @param pooling folder of the pooling
 * @throws LexrayError BAD_INPUT when config, weights and tokenizer do not fit together
 */
export async function writeEncoder(
  transformer: string,
  pooling: string,
  encoder: CheckedEncoder,
  options: WriteEncoderOptions,
): Promise<void> {
  const { config, family, tokenizer, maxSequenceLength } = encoder;
  const architectures = [family.architecture];
  const dtype = torchNames[options.dtype];
  await mkdir(transformer, { recursive: true });
  await mkdir(pooling, { recursive: true });
  const files: readonly (readonly [string, string])[] = [
    [
      join(transformer, 'config.json'),
      withPythonFloats(json({ ...withoutKey(config, 'torch_dtype'), architectures, dtype })),
    ],
    [
      join(transformer, 'sentence_bert_config.json'),
      json({ max_seq_length: maxSequenceLength, do_lower_case: options.casing === 'lower' }),
    ],
    [
      join(pooling, 'config.json'),
      json({
        pooling_strategy: encoder.pooling.strategy,
        activation_function: encoder.pooling.activation,
        word_embedding_dimension: family.shape(config).vocabularySize,
      }),
    ],
  ];
  for (const [path, text] of files) await writeFile(path, text);
  await writeTokenizerFiles(transformer, tokenizer);
  const known = typeof tokenizer === 'string' ? tokenizer : undefined;
  await writeOutputVocabulary(transformer, config, encoder.outputVocabulary ?? known);
  await writeWeights(join(transformer, 'model.safetensors'), encoder, options);
}

async function writeWeights(
  path: string,
  { family, config, weights }: CheckedEncoder,
  { dtype, signal, onProgress }: WriteEncoderOptions,
): Promise<void> {
  const specs = family.weights(config);
  const queue = weightQueue(weights, specs);
  const { bias, biasCopy } = family.tied;
  let lastBias = new Float32Array();
  try {
    await writeSafetensors(path, specs.flatMap(tensorsOf), { signal, onProgress });
    await queue.end();
  } finally {
    await queue.close();
  }

  function tensorsOf({ name, shape }: { name: string; shape: readonly number[] }): WritableTensor[] {
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

/** A JSON file's text. */
export function json(value: unknown): string {
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
