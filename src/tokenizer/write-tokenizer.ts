/**
 * Writes the tokenizer files of a model folder such that transformers (4.x and 5.x), sentence-transformers and Lexray
 * open them with the same ids: tokenizer.json, tokenizer_config.json, special_tokens_map.json, and vocab.txt, or vocab.json
 * and merges.txt.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LexrayError } from '../util/errors.ts';
import { writeManifest } from '../util/manifest.ts';
import { toolName } from '../util/version.ts';
import { writeFileAtomic, writeFolderAtomic } from '../util/write-atomic.ts';
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

type Role = 'pad' | 'unk' | 'cls' | 'sep' | 'mask';

const bertRoles: Readonly<Record<Role, string>> = {
  pad: '[PAD]',
  unk: '[UNK]',
  cls: '[CLS]',
  sep: '[SEP]',
  mask: '[MASK]',
};
const robertaRoles: Readonly<Record<Role, string>> = {
  pad: '<pad>',
  unk: '<unk>',
  cls: '<s>',
  sep: '</s>',
  mask: '<mask>',
};

/**
 * Writes a tokenizer (as {@link trainTokenizer} or {@link trainWordPiece} makes it) into a folder, which is made if need be.
 * transformers builds BERT's and RoBERTa's tokenizers anew from their vocabulary, so that only tokenizers that are just
 * those get their class; all others get `PreTrainedTokenizerFast`, which takes tokenizer.json as it is.
 * @throws LexrayError USAGE for a tokenizer of another kind
 */
export async function writeTokenizer(
  folder: string,
  json: TokenizerJson,
  options: WriteTokenizerOptions = {},
): Promise<void> {
  const checked = checkTokenizerJson(json, 'tokenizer.json');
  const { model, normalizer, pre_tokenizer: splitter, post_processor: frame, added_tokens: added } = checked;
  const isBert = model.type === 'WordPiece' && splitter?.type === 'BertPreTokenizer';
  const isByteLevel = model.type === 'BPE' && splitter?.type === 'ByteLevel';
  if (!isBert && !isByteLevel) {
    throw new LexrayError(
      'USAGE',
      `only WordPiece with BERT's words and byte-level BPE are written, got ${model.type} with ${splitter?.type ?? 'no pre-tokenizer'}`,
      { cure: 'copy the files of other tokenizers with copyTokenizerFiles' },
    );
  }
  const plainBert = isBert && normalizer?.type === 'BertNormalizer';
  const roberta = isByteLevel && frame?.type === 'RobertaProcessing';
  const present = Object.entries(roberta ? robertaRoles : bertRoles).filter(([, token]) =>
    added.some(({ content }) => content === token),
  );
  const roles = Object.fromEntries(present.map(([role, token]) => [`${role}_token`, token]));
  const config = {
    added_tokens_decoder: Object.fromEntries(added.map(({ id, ...token }) => [id, token])),
    clean_up_tokenization_spaces: false,
    ...(plainBert && {
      do_lower_case: normalizer.lowercase,
      strip_accents: normalizer.strip_accents,
      tokenize_chinese_chars: normalizer.handle_chinese_chars,
    }),
    ...(isByteLevel && { add_prefix_space: false, model_input_names: ['input_ids', 'attention_mask'] }),
    ...(roberta && { bos_token: '<s>', eos_token: '</s>' }),
    model_max_length: options.modelMaxLength ?? 512,
    tokenizer_class: plainBert
      ? 'BertTokenizer'
      : roberta && normalizer === null
        ? 'RobertaTokenizer'
        : 'PreTrainedTokenizerFast',
    ...roles,
  };
  const write = (name: string, value: unknown): Promise<void> =>
    writeFileAtomic(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');
  await write('tokenizer.json', json);
  await write('tokenizer_config.json', config);
  await write('special_tokens_map.json', roles);
  const vocabulary = vocabularyOf(model);
  if (isBert) {
    const tokens: string[] = [];
    for (const [token, id] of vocabulary) tokens[id] = token;
    await writeFileAtomic(join(folder, 'vocab.txt'), lines(Array.from(tokens, (token) => token ?? '')));
  } else if (roberta) {
    const merges = model.merges as readonly (string | readonly string[])[];
    await write('vocab.json', Object.fromEntries(vocabulary));
    await writeFileAtomic(
      join(folder, 'merges.txt'),
      `#version: 0.2\n${lines(merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' '))))}`,
    );
  }
}

/** Options of {@link writeTokenizerFolder}. */
export interface WriteTokenizerFolderOptions extends WriteTokenizerOptions {
  /** Resolved settings, for the manifest. */
  readonly config: Readonly<Record<string, unknown>>;
  /** SHA-256 of the texts' files. */
  readonly parents: Readonly<Record<string, string>>;
  /** @default false */
  readonly force?: boolean;
}

/**
 * Writes a tokenizer as a folder of its own, with a manifest; it appears whole or not at all.
 * @throws LexrayError USAGE when the folder is occupied and `force` is not set
 */
export async function writeTokenizerFolder(
  folder: string,
  json: TokenizerJson,
  { config, parents, force = false, ...options }: WriteTokenizerFolderOptions,
): Promise<void> {
  await writeFolderAtomic(
    folder,
    async (temporary) => {
      await writeTokenizer(temporary, json, options);
      const created = new Date().toISOString();
      await writeManifest(temporary, {
        format: 'lexray-tokenizer',
        version: 1,
        config,
        parents,
        created,
        tool: toolName,
      });
    },
    { force },
  );
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
