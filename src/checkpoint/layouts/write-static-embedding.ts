/**
 * Writes a table of token weights as sentence-transformers' `SparseStaticEmbedding` (see `static-embedding.ts`).
 *
 * sentence-transformers makes vectors as wide as its tokenizer has tokens, and cannot compare them with documents of another
 * width. Where the documents' encoder is wider, which is common since widths are rounded up, or the tokenizer has gaps, the
 * tokenizer of the queries gets a token for each dimension that has none, with a text that no query has.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput } from '../../util/errors.ts';
import type { WarningListener } from '../../util/progress.ts';
import { readJsonIfExists } from '../read-json.ts';
import { writeSafetensors } from '../safetensors-writer.ts';
import { staticWeightName } from './static-embedding.ts';
import { type TokenizerSource, writeTokenizerFiles } from './tokenizer-files.ts';
import { json } from './write-encoder.ts';

/** What a table of token weights is made of. */
export interface StaticContent {
  /** Weight of each token by id, as many as the documents' vectors have dimensions. */
  readonly weights: Float32Array;
  /** A folder to copy tokenizer files from, or their texts by file name. @default that of the documents */
  readonly tokenizer?: TokenizerSource | undefined;
  /** Whether a training is to leave the weights as they are. @default false */
  readonly frozen?: boolean | undefined;
}

/** Options of {@link writeStaticEmbedding}. */
export interface WriteStaticOptions {
  readonly tokenizer: TokenizerSource;
  /** Longest query in tokens; sentence-transformers takes it from the tokenizer. */
  readonly maxLength: number;
  readonly signal?: AbortSignal | undefined;
  readonly onWarning?: WarningListener | undefined;
}

type Json = Readonly<Record<string, unknown>>;

/** The parts of a tokenizer.json that matter here. */
interface TokenizerFile extends Json {
  readonly added_tokens?: readonly ({ readonly id: number } & Json)[];
  /** Tokens and ids; a list for Unigram. */
  readonly model: { readonly vocab: Readonly<Record<string, number>> | readonly unknown[] } & Json;
}

/**
 * Writes the module's folder, which is made if need be.
 * @throws LexrayError BAD_INPUT when a weight is not finite, or the tokenizer has more tokens than there are weights
 */
export async function writeStaticEmbedding(
  folder: string,
  { weights, frozen }: StaticContent,
  options: WriteStaticOptions,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), json({ frozen: frozen ?? false }));
  await writeTokenizerFiles(folder, options.tokenizer);
  await fitTokenizer(folder, weights.length, options);
  const tensor = { name: staticWeightName, shape: [weights.length], data: weights };
  await writeSafetensors(join(folder, 'model.safetensors'), [tensor], { signal: options.signal });
}

/** Gives the tokenizer its limit, the class that transformers asks for, and as many tokens as there are weights. */
async function fitTokenizer(folder: string, size: number, { maxLength, onWarning }: WriteStaticOptions): Promise<void> {
  const path = join(folder, 'tokenizer.json');
  const tokenizer = JSON.parse(await readFile(path, 'utf8')) as TokenizerFile;
  const filled = fillVocabulary(tokenizer, size, path);
  if (filled === undefined) {
    onWarning?.(
      `${path} has no place for ${size} tokens: sentence-transformers will not compare these queries with the documents`,
    );
  } else if (filled !== tokenizer) {
    await writeFile(path, json(filled));
    await rm(join(folder, 'vocab.txt'), { force: true }); // it would have fewer tokens
  }
  const configPath = join(folder, 'tokenizer_config.json');
  const config = ((await readJsonIfExists(configPath)) ?? {}) as Json;
  const roles = ((await readJsonIfExists(join(folder, 'special_tokens_map.json'))) ?? {}) as Json;
  const pad = tokenizer.added_tokens?.find(({ content }) => content === '[PAD]' || content === '<pad>');
  // Without a config.json of a model beside it, transformers knows the class from here only; and it pads with a token that
  // it is told.
  const needed = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    ...(roles.pad_token === undefined && pad !== undefined ? { pad_token: pad.content } : {}),
  };
  await writeFile(configPath, json({ ...needed, ...config, model_max_length: maxLength }));
}

/**
 * The tokenizer with a token for every id below `size`; undefined where that cannot be. Ids between others, and at the end
 * where all added tokens are in the vocabulary, go into the vocabulary: words made of such a token never come up. Else they
 * are added tokens, whose ids must follow the vocabulary without a gap.
 */
function fillVocabulary(tokenizer: TokenizerFile, size: number, where: string): TokenizerFile | undefined {
  const { vocab } = tokenizer.model;
  const isList = Array.isArray(vocab);
  const added = tokenizer.added_tokens ?? [];
  const ids = new Set(isList ? vocab.keys() : Object.values(vocab as Readonly<Record<string, number>>));
  const outside = added.filter(({ id }) => !ids.has(id));
  const firstOutside = outside.reduce((least, { id }) => Math.min(least, id), isList ? ids.size : size);
  for (const { id } of added) ids.add(id);
  const end = [...ids].reduce((most, id) => Math.max(most, id + 1), 0);
  if (end > size) {
    throw badInput(`the tokenizer of the queries has ids up to ${end - 1}; there are ${size} token weights`, {
      where,
      cure: 'queries and documents must share a vocabulary',
    });
  }
  const missing = Array.from({ length: size }, (_, id) => id).filter((id) => !ids.has(id));
  if (missing.length === 0) return tokenizer;
  const inside = missing.filter((id) => id < firstOutside);
  const behind = missing.filter((id) => id >= firstOutside);
  if ((isList && inside.length > 0) || behind.some((id) => id < end)) return undefined;
  const name = (id: number): string => `[lexray-no-token-${id}]`;
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
  return {
    ...tokenizer,
    added_tokens: [...added, ...behind.map((id) => ({ id, content: name(id), ...flags }))],
    model: isList
      ? tokenizer.model
      : { ...tokenizer.model, vocab: { ...vocab, ...Object.fromEntries(inside.map((id) => [name(id), id])) } },
  };
}
