/**
 * The `tokenizer.json` format of Hugging Face's tokenizers: its type, and the check that a file from outside passes
 * before anything is built from it. A pipeline: normalizer → pre-tokenizer → model → post-processor, each an object
 * with a `type`; `added_tokens` are matched in the text before all of it.
 */
import { badInput, type LexrayError } from '../util/errors.ts';

/** A stage of the pipeline: its type and that type's own fields. */
export interface TokenizerStage {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A token that is matched in the raw text. */
export interface AddedTokenJson {
  readonly id: number;
  readonly content: string;
  readonly single_word?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  readonly normalized?: boolean;
  readonly special?: boolean;
}

/** The model stage. `vocab` is token → id, for Unigram a list of [token, log probability]. */
export interface TokenizerModelJson extends TokenizerStage {
  readonly type: 'WordPiece' | 'BPE' | 'Unigram';
  readonly vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[];
}

/** A whole `tokenizer.json`. */
export interface TokenizerJson {
  readonly version: string;
  readonly truncation: Readonly<Record<string, unknown>> | null;
  readonly padding: Readonly<Record<string, unknown>> | null;
  readonly added_tokens: readonly AddedTokenJson[];
  readonly normalizer: TokenizerStage | null;
  readonly pre_tokenizer: TokenizerStage | null;
  readonly post_processor: TokenizerStage | null;
  readonly decoder: TokenizerStage | null;
  readonly model: TokenizerModelJson;
}

/** Ids stay below this: the widest vocabularies in use have 256,000 tokens. */
export const tokenIdLimit: number = 1 << 24;

const modelTypes: readonly string[] = ['WordPiece', 'BPE', 'Unigram'];

/**
 * Checks a parsed `tokenizer.json`: shapes, model type, unique ids within bounds, added tokens that agree with the
 * vocabulary. Missing optional stages become null.
 * @param where the file, for the error
 * @throws LexrayError BAD_INPUT
 */
export function checkTokenizerJson(value: unknown, where: string): TokenizerJson {
  const fail = (message: string): LexrayError =>
    badInput(message, {
      where,
      cure: 'save the tokenizer again with tokenizer.save_pretrained, or fetch the file again',
    });
  if (!isRecord(value)) throw fail('a tokenizer.json must be a JSON object');
  const model = checkModel(value.model, fail);
  const ids = vocabularyOf(model, fail);
  const added = checkAddedTokens(value.added_tokens ?? [], ids, fail);
  const unknown = model.unk_token;
  if (model.type === 'WordPiece' && (typeof unknown !== 'string' || !ids.has(unknown))) {
    throw fail(`the WordPiece model needs an unknown token of its vocabulary, unk_token is ${JSON.stringify(unknown)}`);
  }
  const stage = (name: string): TokenizerStage | null => {
    const field = value[name] ?? null;
    if (field !== null && (!isRecord(field) || typeof field.type !== 'string')) {
      throw fail(`${name} must be null or an object with a type`);
    }
    return field as TokenizerStage | null;
  };
  return {
    ...value,
    version: typeof value.version === 'string' ? value.version : '1.0',
    truncation: isRecord(value.truncation) ? value.truncation : null,
    padding: isRecord(value.padding) ? value.padding : null,
    added_tokens: added,
    normalizer: stage('normalizer'),
    pre_tokenizer: stage('pre_tokenizer'),
    post_processor: stage('post_processor'),
    decoder: stage('decoder'),
    model,
  };
}

/** Token → id of a checked model. */
export function vocabularyOf(
  model: TokenizerModelJson,
  fail: (message: string) => LexrayError = badInput,
): ReadonlyMap<string, number> {
  const tokens = new Map<string, number>();
  if (Array.isArray(model.vocab)) {
    for (const entry of model.vocab as readonly unknown[]) {
      if (!Array.isArray(entry) || typeof entry[0] !== 'string' || !Number.isFinite(entry[1])) {
        throw fail('a Unigram vocabulary must be a list of [token, log probability]');
      }
      tokens.set(entry[0], tokens.size);
    }
    if (tokens.size !== model.vocab.length) throw fail('a token appears twice in the vocabulary');
    return tokens;
  }
  const seen = new Map<number, string>();
  for (const [token, id] of Object.entries(model.vocab)) {
    if (!isTokenId(id))
      throw fail(
        `the id of ${quote(token)} is ${JSON.stringify(id)}, expected an integer from 0 to ${tokenIdLimit - 1}`,
      );
    const other = seen.get(id);
    if (other !== undefined) throw fail(`${quote(other)} and ${quote(token)} have the same id ${id}`);
    seen.set(id, token);
    tokens.set(token, id);
  }
  return tokens;
}

function checkModel(model: unknown, fail: (message: string) => LexrayError): TokenizerModelJson {
  if (!isRecord(model)) throw fail('a tokenizer.json must have a model object');
  const { vocab, merges } = model;
  const type = model.type ?? (Array.isArray(vocab) ? 'Unigram' : merges === undefined ? 'WordPiece' : 'BPE');
  if (typeof type !== 'string' || !modelTypes.includes(type)) {
    throw fail(
      `the tokenizer model ${JSON.stringify(type)?.slice(0, 80)} is not supported, expected one of ${modelTypes.join(', ')}`,
    );
  }
  const list = type === 'Unigram';
  if (list ? !Array.isArray(vocab) : !isRecord(vocab)) {
    throw fail(`the vocabulary of a ${type} model must be ${list ? 'a list' : 'an object of token → id'}`);
  }
  if ((list ? (vocab as unknown[]).length : Object.keys(vocab as object).length) === 0)
    throw fail('the vocabulary is empty');
  if (type === 'BPE') {
    const isMerge = (m: unknown): boolean =>
      typeof m === 'string'
        ? m.includes(' ')
        : Array.isArray(m) && m.length === 2 && m.every((x) => typeof x === 'string');
    if (!Array.isArray(merges) || !merges.every(isMerge))
      throw fail('the merges of a BPE model must be a list of pairs');
    return { ...model, type, merges } as unknown as TokenizerModelJson;
  }
  if (type === 'WordPiece') {
    const prefix = model.continuing_subword_prefix ?? '##';
    const limit = model.max_input_chars_per_word ?? 100;
    if (typeof prefix !== 'string') throw fail('continuing_subword_prefix must be a string');
    if (!Number.isInteger(limit) || (limit as number) < 1 || (limit as number) > 1_000_000) {
      throw fail('max_input_chars_per_word must be a positive integer');
    }
    return {
      ...model,
      type,
      continuing_subword_prefix: prefix,
      max_input_chars_per_word: limit,
    } as unknown as TokenizerModelJson;
  }
  return { ...model, type } as unknown as TokenizerModelJson;
}

function checkAddedTokens(
  value: unknown,
  vocabulary: ReadonlyMap<string, number>,
  fail: (message: string) => LexrayError,
): readonly AddedTokenJson[] {
  if (!Array.isArray(value)) throw fail('added_tokens must be a list');
  const byId = new Map<number, string>();
  for (const [token, id] of vocabulary) byId.set(id, token);
  for (const token of value as readonly unknown[]) {
    if (!isRecord(token) || typeof token.content !== 'string' || token.content === '') {
      throw fail('an added token must be an object with an id and a content');
    }
    const { id, content } = token;
    if (!isTokenId(id)) {
      throw fail(
        `the id of the added token ${quote(content)} is ${JSON.stringify(id)}, expected an integer from 0 to ${tokenIdLimit - 1}`,
      );
    }
    const other = byId.get(id);
    if (other !== undefined && other !== content)
      throw fail(`${quote(other)} and ${quote(content)} have the same id ${id}`);
    const known = vocabulary.get(content);
    if (known !== undefined && known !== id)
      throw fail(`the added token ${quote(content)} has id ${id}, the vocabulary says ${known}`);
    byId.set(id, content);
  }
  return value as readonly AddedTokenJson[];
}

/** Whether a value is a plain JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTokenId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < tokenIdLimit;
}

function quote(token: string): string {
  return JSON.stringify(token.length > 40 ? `${token.slice(0, 40)}…` : token);
}
