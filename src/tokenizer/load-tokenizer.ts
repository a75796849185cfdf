/**
 * Loads the tokenizer of a Hugging Face folder: `tokenizer.json`, else `vocab.txt` (BERT), else `vocab.json` and
 * `merges.txt` (RoBERTa); with `tokenizer_config.json` and `special_tokens_map.json` for roles and limits.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput } from '../util/errors.ts';
import { bertTokenizerJson } from './bert-tokenizer-json.ts';
import { HuggingFaceTokenizer } from './hugging-face-tokenizer.ts';
import { robertaTokenizerJson } from './roberta-tokenizer-json.ts';
import type { SpecialTokens, Tokenizer } from './tokenizer.ts';
import { type AddedTokenJson, checkTokenizerJson, isRecord, type TokenizerJson } from './tokenizer-json.ts';

/** A file larger than this is refused: the largest tokenizers in use take about 35 MB. */
export const tokenizerFileLimit: number = 64 * 1024 * 1024;

/** Lengths from here on are placeholders: transformers writes 10^30 for "no limit". */
const lengthSentinel = 1e8;

const roleNames: Readonly<Record<keyof SpecialTokens, readonly string[]>> = {
  pad: ['[PAD]', '<pad>'],
  unk: ['[UNK]', '<unk>'],
  cls: ['[CLS]', '<s>'],
  sep: ['[SEP]', '</s>'],
  mask: ['[MASK]', '<mask>'],
};

/** Tokenizer classes of transformers whose settings in tokenizer_config.json override the normalizer of tokenizer.json. */
const bertClass = /^(Bert|DistilBert|Electra)Tokenizer(Fast)?$/;

type Config = Readonly<Record<string, unknown>>;

/**
 * Loads a tokenizer.
 * @param folder a model or tokenizer folder as transformers saves it
 * @throws LexrayError BAD_INPUT when there is no tokenizer, or one that is damaged, hostile or of an unsupported kind
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const config = (await readJson(folder, 'tokenizer_config.json')) ?? {};
  const map = (await readJson(folder, 'special_tokens_map.json')) ?? {};
  if (!isRecord(config)) throw badInput('expected a JSON object', { where: join(folder, 'tokenizer_config.json') });
  const names = isRecord(map) ? map : {};
  const json = applyConfig(await readTokenizerJson(folder, config), config, folder);
  const side = config.truncation_side ?? json.truncation?.direction;
  return new HuggingFaceTokenizer(json, {
    roles: roles(json, config, names),
    modelMaxLength: modelMaxLength(config),
    truncationSide: typeof side === 'string' && side.toLowerCase() === 'left' ? 'left' : 'right',
    where: folder,
  });
}

/** The tokenizer of a `tokenizer.json` in memory, as {@link trainWordPiece} makes it. */
export function tokenizerFromJson(json: TokenizerJson, options: { modelMaxLength?: number } = {}): Tokenizer {
  const where = 'tokenizer.json';
  const checked = checkTokenizerJson(json, where);
  return new HuggingFaceTokenizer(checked, {
    roles: roles(checked, {}, {}),
    modelMaxLength: options.modelMaxLength,
    truncationSide: 'right',
    where,
  });
}

async function readTokenizerJson(folder: string, config: Config): Promise<TokenizerJson> {
  const json = await readJson(folder, 'tokenizer.json');
  if (json !== undefined) return checkTokenizerJson(json, join(folder, 'tokenizer.json'));
  const vocabulary = await readText(folder, 'vocab.txt');
  if (vocabulary !== undefined) {
    const where = join(folder, 'vocab.txt');
    const tokens = vocabulary.split(/\r?\n/);
    if (tokens.at(-1) === '') tokens.pop();
    const built = bertTokenizerJson(tokens, {
      where,
      lowercase: config.do_lower_case !== false,
      handleChineseChars: config.tokenize_chinese_chars !== false,
      stripAccents: typeof config.strip_accents === 'boolean' ? config.strip_accents : null,
    });
    return checkTokenizerJson(built, where);
  }
  const pieces = await readJson(folder, 'vocab.json');
  const merges = await readText(folder, 'merges.txt');
  if (pieces !== undefined && merges !== undefined) {
    const where = join(folder, 'vocab.json');
    return checkTokenizerJson(robertaTokenizerJson(pieces, merges, where), where);
  }
  throw badInput('no tokenizer found: expected tokenizer.json, vocab.txt, or vocab.json with merges.txt', {
    where: folder,
    cure: 'check the path, or save the tokenizer there with AutoTokenizer.from_pretrained(...).save_pretrained(folder)',
  });
}

/** What tokenizer_config.json changes: tokens added in it, and BERT's text settings, as transformers applies them. */
function applyConfig(json: TokenizerJson, config: Config, folder: string): TokenizerJson {
  const added: AddedTokenJson[] = [...json.added_tokens];
  if (isRecord(config.added_tokens_decoder)) {
    const known = new Set(added.map((token) => token.content));
    for (const [id, token] of Object.entries(config.added_tokens_decoder)) {
      if (!isRecord(token) || typeof token.content !== 'string' || known.has(token.content)) continue;
      added.push({ ...token, id: Number(id), content: token.content });
    }
  }
  let normalizer = json.normalizer;
  if (normalizer?.type === 'BertNormalizer' && bertClass.test(String(config.tokenizer_class))) {
    normalizer = {
      ...normalizer,
      ...(typeof config.do_lower_case === 'boolean' ? { lowercase: config.do_lower_case } : {}),
      ...(config.strip_accents === undefined ? {} : { strip_accents: config.strip_accents }),
      ...(typeof config.tokenize_chinese_chars === 'boolean'
        ? { handle_chinese_chars: config.tokenize_chinese_chars }
        : {}),
    };
  }
  return checkTokenizerJson({ ...json, added_tokens: added, normalizer }, join(folder, 'tokenizer_config.json'));
}

function roles(json: TokenizerJson, config: Config, map: Config): Partial<Record<keyof SpecialTokens, string>> {
  const contents = new Set(json.added_tokens.map((token) => token.content));
  const result: Partial<Record<keyof SpecialTokens, string>> = {};
  for (const role of Object.keys(roleNames) as (keyof SpecialTokens)[]) {
    const name =
      tokenName(config[`${role}_token`]) ??
      tokenName(map[`${role}_token`]) ??
      (role === 'unk' ? tokenName(json.model.unk_token) : undefined) ??
      roleNames[role].find((token) => contents.has(token));
    if (name !== undefined) result[role] = name;
  }
  return result;
}

/** A token given as a string or as an object with its content. */
function tokenName(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return isRecord(value) && typeof value.content === 'string' ? value.content : undefined;
}

function modelMaxLength(config: Config): number | undefined {
  const value = config.model_max_length ?? config.max_len;
  return typeof value === 'number' && value >= 1 && value < lengthSentinel ? Math.floor(value) : undefined;
}

async function readJson(folder: string, name: string): Promise<unknown> {
  const text = await readText(folder, name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw badInput(`${name} is not JSON: ${(cause as Error).message.slice(0, 200)}`, {
      where: join(folder, name),
      cause,
      cure: 'fetch the file again',
    });
  }
}

/** The text of a file; undefined when it does not exist. */
async function readText(folder: string, name: string): Promise<string | undefined> {
  const where = join(folder, name);
  try {
    const { size } = await stat(where);
    if (size > tokenizerFileLimit) {
      throw badInput(`${name} has ${size} bytes, more than the ${tokenizerFileLimit} that a tokenizer may take`, {
        where,
        cure: 'check that this is a tokenizer file',
      });
    }
    const text = await readFile(where, 'utf8');
    return text.startsWith('\uFEFF') ? text.slice(1) : text;
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined;
    if (cause.name === 'LexrayError') throw cause;
    throw badInput(`cannot read ${name}: ${cause.message}`, {
      where,
      cause,
      cure: 'check the file and its permissions',
    });
  }
}
