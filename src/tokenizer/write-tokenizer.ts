/**
 * Writes the tokenizer files of a model folder such that transformers (4.x and 5.x), sentence-transformers and Lexray
 * open them with the same ids: tokenizer.json, tokenizer_config.json, special_tokens_map.json, vocab.txt.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LexrayError } from '../util/errors.ts';
import { writeFileAtomic } from '../util/write-atomic.ts';
import { checkTokenizerJson, type TokenizerJson, vocabularyOf } from './tokenizer-json.ts';

/** Options of {@link writeTokenizer}. */
export interface WriteTokenizerOptions {
  /** The longest input of the model, special tokens included. @default 512 */
  readonly modelMaxLength?: number;
}

/** Names of all files that a tokenizer may consist of. */
export const tokenizerFileNames: readonly string[] = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
];

/**
 * Writes a BERT tokenizer (as {@link trainWordPiece} makes it) into a folder, which is made if need be.
 * @throws LexrayError USAGE for a tokenizer of another kind
 */
export async function writeTokenizer(
  folder: string,
  json: TokenizerJson,
  options: WriteTokenizerOptions = {},
): Promise<void> {
  const { model, normalizer, added_tokens: added } = checkTokenizerJson(json, 'tokenizer.json');
  if (model.type !== 'WordPiece' || normalizer?.type !== 'BertNormalizer') {
    throw new LexrayError(
      'USAGE',
      `only BERT tokenizers are written, got ${model.type} with ${normalizer?.type ?? 'no normalizer'}`,
      {
        cure: 'copy the files of other tokenizers with copyTokenizerFiles',
      },
    );
  }
  const tokens: string[] = [];
  for (const [token, id] of vocabularyOf(model)) tokens[id] = token;
  const roles = Object.entries({ pad: '[PAD]', unk: '[UNK]', cls: '[CLS]', sep: '[SEP]', mask: '[MASK]' })
    .filter(([, token]) => added.some(({ content }) => content === token))
    .map(([role, token]) => [`${role}_token`, token] as const);
  const config = {
    added_tokens_decoder: Object.fromEntries(added.map(({ id, ...token }) => [id, token])),
    clean_up_tokenization_spaces: false,
    do_lower_case: normalizer.lowercase,
    model_max_length: options.modelMaxLength ?? 512,
    strip_accents: normalizer.strip_accents,
    tokenize_chinese_chars: normalizer.handle_chinese_chars,
    tokenizer_class: 'BertTokenizer',
    ...Object.fromEntries(roles),
  };
  const write = (name: string, value: unknown): Promise<void> =>
    writeFileAtomic(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  await write('tokenizer.json', json);
  await write('tokenizer_config.json', config);
  await write('special_tokens_map.json', Object.fromEntries(roles));
  await writeFileAtomic(join(folder, 'vocab.txt'), Array.from(tokens, (token) => `${token ?? ''}\n`).join(''));
}

/**
 * Copies the tokenizer of one model folder to another, byte for byte: what fine-tuning does with it.
 * @returns the names of the files copied
 */
export async function copyTokenizerFiles(from: string, to: string): Promise<readonly string[]> {
  await mkdir(to, { recursive: true });
  const copied: string[] = [];
  for (const name of tokenizerFileNames) {
    try {
      await copyFile(join(from, name), join(to, name));
      copied.push(name);
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') throw error;
    }
  }
  return copied;
}
