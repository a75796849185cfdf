/**
 * sentence-transformers' `SparseStaticEmbedding`: one weight for each token of the vocabulary, and no model. A text has the
 * weight of each token that occurs in it, however often; no special tokens are put around it.
 *
 *     config.json         {"frozen": false}                       and model.safetensors with one tensor "weight" [tokens]
 *     config.json         {"frozen": true, "path": "idf.json"}    and idf.json: {"[PAD]": 1.0, "the": 0.27, …}
 *     tokenizer.json …    the tokenizer
 *
 * A table may be shorter than the vocabulary of the documents' encoder, whose width is often rounded up: what is missing
 * has the weight 0.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { badInput } from '../../util/errors.ts';
import { quote } from '../json-cursor.ts';
import { checkJson, readJson, readJsonIfExists } from '../read-json.ts';
import { openTensorFiles } from '../tensor-files.ts';
import { readTokenizerMaxLength } from './encoder-modules.ts';
import type { LexrayModelPolicy } from './model-policy.ts';
import { pathInside } from './module-path.ts';

/** An open table of token weights. */
export interface StaticEmbedding {
  /** Where the tokenizer files are. */
  readonly tokenizerFolder: string;
  /** Weights by token id; or by token, where the folder stores them so. All finite; zero and below are allowed. */
  readonly weights: Float32Array | ReadonlyMap<string, number>;
  /** Whether a training is to leave the weights as they are. */
  readonly frozen: boolean;
  /** Longest input in tokens; {@link unlimitedLength} when the tokenizer sets none. */
  readonly maxSequenceLength: number;
  readonly casing: LexrayModelPolicy['casing'];
  /** The file of the weights, for hashing. */
  readonly paths: readonly string[];
}

interface StoredStaticEmbedding {
  readonly frozen: boolean;
  readonly path?: string | null | undefined;
}

const schema: z.ZodType<StoredStaticEmbedding> = z.looseObject({
  frozen: z.boolean().default(false),
  path: z.string().max(1000).nullish(),
});

/** Longest query where no limit is set: a table has no positions that could run out. */
export const unlimitedLength: number = 1 << 20;

/** Name of the tensor. */
export const staticWeightName = 'weight';

/**
 * Opens a table of token weights.
 * @param folder of the module
 * @param model the model folder, which nothing may leave
 * @param vocabularySize width of the documents' vectors
 * @throws LexrayError BAD_INPUT when a file does not fit, the table is wider than the documents' vectors, or a weight is
 * not finite
 */
export async function openStaticEmbedding(
  folder: string,
  model: string,
  vocabularySize: number,
): Promise<StaticEmbedding> {
  const where = join(folder, 'config.json');
  const { frozen, path } = checkJson(schema, (await readJsonIfExists(where)) ?? {}, where);
  const limit = (await readTokenizerMaxLength(folder)) ?? unlimitedLength;
  const maxSequenceLength = Math.max(1, Math.min(Math.floor(limit), unlimitedLength));
  const facts = { tokenizerFolder: folder, frozen, maxSequenceLength, casing: 'keep' } as const;
  // As sentence-transformers: any other path is not looked at.
  if (path?.endsWith('.json')) {
    const file = await findTable(folder, model, path, where);
    return { ...facts, weights: await readTable(file), paths: [file] };
  }
  return { ...facts, ...(await readTensor(folder, vocabularySize)) };
}

/** The file of a table: beside `config.json`, or from the model folder on. */
async function findTable(folder: string, model: string, path: string, where: string): Promise<string> {
  const beside = await pathInside(model, folder, path, where);
  if (existsSync(beside)) return beside;
  const above = await pathInside(model, model, path, where);
  if (existsSync(above)) return above;
  throw badInput(`${where} says the token weights are in ${quote(path)}, which is neither beside it nor in ${model}`, {
    where,
    cure: 'fetch the file and put it beside config.json',
  });
}

async function readTable(path: string): Promise<ReadonlyMap<string, number>> {
  const value = await readJson(path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badInput(`${path} is not a JSON object of tokens and weights`, { where: path });
  }
  const weights = new Map<string, number>();
  for (const [token, weight] of Object.entries(value)) {
    if (typeof weight !== 'number' || !Number.isFinite(Math.fround(weight))) {
      throw badInput(`${path}: the weight of ${quote(token)} is not a finite number`, { where: path });
    }
    weights.set(token, weight);
  }
  return weights;
}

async function readTensor(folder: string, vocabularySize: number): Promise<Pick<StaticEmbedding, 'weights' | 'paths'>> {
  const files = await openTensorFiles(folder);
  try {
    const info = files.tensors.get(staticWeightName);
    if (info === undefined) {
      throw badInput(`the weights in ${folder} have no tensor ${quote(staticWeightName)}`, { where: folder });
    }
    if (info.shape.length !== 1 || info.shape[0]! > vocabularySize) {
      throw badInput(
        `the token weights have shape [${info.shape.join(', ')}]; expected [n] with n at most ${vocabularySize}, the width of the documents' vectors`,
        { where: folder, cure: 'queries and documents must share a vocabulary' },
      );
    }
    return { weights: await files.readTensor(staticWeightName), paths: files.paths };
  } finally {
    await files.close();
  }
}
