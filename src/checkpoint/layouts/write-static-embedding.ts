/**
 * Writes a table of token weights as sentence-transformers' `SparseStaticEmbedding` (see `static-embedding.ts`).
 *
 * sentence-transformers makes vectors as wide as its tokenizer has tokens, and cannot compare them with documents of another
 * width. Where the documents' encoder is wider, which is common since widths are rounded up, the tokenizer of the queries
 * gets a token for each dimension that has none, with a text that no query has.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput } from '../../util/errors.ts';
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
}

type Json = Record<string, unknown>;

/**
 * Writes the module's folder, which is made if need be.
 * @throws LexrayError BAD_INPUT when a weight is not finite, or the tokenizer has more tokens than there are weights
 */
export async function writeStaticEmbedding(
  folder: string,
  { weights, frozen }: StaticContent,
  { tokenizer, maxLength, signal }: WriteStaticOptions,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), json({ frozen: frozen ?? false }));
  await writeTokenizerFiles(folder, tokenizer);
  await fitTokenizer(folder, weights.length, maxLength);
  const tensor = { name: staticWeightName, shape: [weights.length], data: weights };
  await writeSafetensors(join(folder, 'model.safetensors'), [tensor], { signal });
}

/** Gives the tokenizer its limit, the class that transformers asks for, and as many tokens as there are weights. */
async function fitTokenizer(folder: string, size: number, maxLength: number): Promise<void> {
  const configPath = join(folder, 'tokenizer_config.json');
  const config = ((await readJsonIfExists(configPath)) ?? {}) as Json;
  const path = join(folder, 'tokenizer.json');
  const tokenizer = JSON.parse(await readFile(path, 'utf8')) as Json;
  const added = paddingTokens(tokenizer, size, path);
  if (added.length > 0) {
    const known = Array.isArray(tokenizer.added_tokens) ? (tokenizer.added_tokens as readonly unknown[]) : [];
    await writeFile(path, json({ ...tokenizer, added_tokens: [...known, ...added] }));
  }
  // transformers 5 takes the tokens that are added to BERT's from here.
  const decoder = Object.fromEntries(added.map(({ id, ...token }) => [id, token]));
  await writeFile(
    configPath,
    json({
      // Without a config.json of a model beside it, transformers knows the class from here only.
      tokenizer_class: 'PreTrainedTokenizerFast',
      ...config,
      ...(added.length > 0 ? { added_tokens_decoder: { ...(config.added_tokens_decoder as Json), ...decoder } } : {}),
      model_max_length: maxLength,
    }),
  );
}

interface AddedToken extends Json {
  readonly id: number;
}

/** A token for each id from the end of the tokenizer on. */
function paddingTokens(tokenizer: Json, size: number, where: string): AddedToken[] {
  const { vocab = {} } = (tokenizer.model ?? {}) as { vocab?: Record<string, number> | unknown[] };
  const ids = new Set<number>(Array.isArray(vocab) ? vocab.keys() : Object.values(vocab));
  for (const { id } of (tokenizer.added_tokens ?? []) as readonly AddedToken[]) ids.add(id);
  let end = 0;
  for (const id of ids) end = Math.max(end, id + 1);
  if (end > size) {
    throw badInput(`the tokenizer of the queries has ids up to ${end - 1}; there are ${size} token weights`, {
      where,
      cure: 'queries and documents must share a vocabulary',
    });
  }
  if (ids.size < end) return []; // added tokens are numbered from the count on: they would fill a gap with the wrong id
  return Array.from({ length: size - end }, (_, i) => ({
    id: end + i,
    content: `[lexray-no-token-${end + i}]`,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: false,
  }));
}
