/**
 * Reads the layout of a sentence-transformers `SparseEncoder`: a masked language model followed by SpladePooling, as
 * versions 5.0 to 6.2 write it. Other modules change the vectors, so they are refused by name.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { badInput } from '../../util/errors.ts';
import type { WarningListener } from '../../util/progress.ts';
import { type Checkpoint, type OpenCheckpointOptions, openCheckpoint } from '../checkpoint.ts';
import { quote } from '../json-cursor.ts';
import { checkJson, readJson, readJsonIfExists } from '../read-json.ts';
import { readMaxSequenceLength } from './hugging-face.ts';
import type { LayoutFacts } from './model-folder.ts';
import {
  encoderConfigSchema,
  modulesSchema,
  type Pooling,
  type StoredTransformerModule,
  spladePoolingSchema,
  transformerModuleFiles,
  transformerModuleSchema,
} from './sentence-transformers-files.ts';

/** What was found in such a folder. */
export interface SentenceTransformersFolder {
  readonly checkpoint: Checkpoint;
  readonly facts: LayoutFacts;
}

/**
 * @throws LexrayError BAD_INPUT when a file does not fit, a module is not supported, or a path leaves the folder
 */
export async function openSentenceTransformersLayout(
  folder: string,
  options: OpenCheckpointOptions,
): Promise<SentenceTransformersFolder> {
  const modules = await readModules(folder);
  const transformer = await readTransformerModule(modules.transformer);
  const task = transformer.transformer_task ?? (modules.fillMask ? 'fill-mask' : 'feature-extraction');
  if (task !== 'fill-mask') {
    throw badInput(
      `the transformer module of ${folder} gives ${quote(task)}, not the logits of a masked language model`,
      {
        where: folder,
        cure: 'use a SparseEncoder made of an MLM transformer and SpladePooling',
      },
    );
  }
  const checkpoint = await openCheckpoint(modules.transformer, options);
  try {
    const encoder = await readEncoderConfig(folder, options.onWarning);
    const facts: LayoutFacts = {
      layout: 'sentence-transformers',
      pooling: await readPooling(modules.pooling, checkpoint.config.vocab_size),
      maxSequenceLength: await readMaxSequenceLength(
        checkpoint,
        transformer.max_seq_length ?? undefined,
        options.onWarning,
      ),
      casing: transformer.do_lower_case ? 'lower' : 'keep',
      ...encoder,
    };
    return { checkpoint, facts };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

/** The folders of the two modules, and whether the type of the first says that it gives MLM logits. */
async function readModules(folder: string): Promise<{ transformer: string; pooling: string; fillMask: boolean }> {
  const where = join(folder, 'modules.json');
  const modules = checkJson(modulesSchema, await readJson(where), where);
  const kinds = modules.map(({ type }) => type.split('.').at(-1) ?? '');
  if (kinds.some((kind) => kind === 'Router' || kind === 'Asym') || existsSync(join(folder, 'router_config.json'))) {
    throw badInput(`${folder} is an inference-free model (a Router with separate ways for queries and documents)`, {
      where,
      cure: 'Router folders are not supported yet: use a model with one encoder for both',
    });
  }
  const [first, second, ...rest] = kinds;
  const supported = ['MLMTransformer', 'Transformer'];
  if (first === undefined || !supported.includes(first)) throw unsupported(modules[0]!.type, supported.join(' or '));
  if (second === undefined) throw unsupported('no second module', 'SpladePooling');
  if (second !== 'SpladePooling') throw unsupported(modules[1]!.type, 'SpladePooling');
  if (rest.length > 0) throw unsupported(modules[2]!.type, 'nothing after SpladePooling');
  return {
    transformer: moduleFolder(folder, modules[0]!.path, where),
    pooling: moduleFolder(folder, modules[1]!.path, where),
    fillMask: first === 'MLMTransformer',
  };

  function unsupported(got: string, expected: string): Error {
    return badInput(`${where} has ${quote(got)} where Lexray supports ${expected}`, {
      where,
      cure: 'use a SPLADE model: an MLM transformer followed by SpladePooling',
    });
  }
}

function moduleFolder(folder: string, path: string, where: string): string {
  const parts = path.split('/');
  if (path !== '' && (parts.some((part) => part === '' || part === '.' || part === '..') || /[\\:\0]/.test(path))) {
    throw badInput(`the module path ${quote(path)} is not a plain path inside the model folder`, {
      where,
      cure: 'do not use this model: it tries to read other folders',
    });
  }
  return join(folder, path);
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

async function readEncoderConfig(
  folder: string,
  onWarning: WarningListener | undefined,
): Promise<Pick<LayoutFacts, 'prompts' | 'similarity' | 'maxActiveDims'>> {
  const path = join(folder, 'config_sentence_transformers.json');
  const config = checkJson(encoderConfigSchema, (await readJsonIfExists(path)) ?? {}, path);
  const stored = config.prompts ?? {};
  const usual = config.default_prompt_name ?? '';
  const prompt = (...names: string[]): string => {
    const name = [...names, usual].find((candidate) => Object.hasOwn(stored, candidate));
    return name === undefined ? '' : (stored[name] ?? '');
  };
  const similarity = config.similarity_fn_name ?? 'dot';
  if (similarity !== 'dot') {
    onWarning?.(`${folder} was made for ${similarity} similarity; Lexray searches by dot product`);
  }
  return {
    prompts: { query: prompt('query'), document: prompt('document', 'passage', 'corpus') },
    similarity,
    maxActiveDims: config.max_active_dims ?? undefined,
  };
}
