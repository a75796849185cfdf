/** The `tokenizer.json` of a BERT tokenizer, from its vocabulary: what Hugging Face makes of a `vocab.txt`. */
import { badInput } from '../util/errors.ts';
import type { BertNormalizerOptions } from './bert-text.ts';
import type { AddedTokenJson, TokenizerJson, TokenizerStage } from './tokenizer-json.ts';

/** The special tokens of BERT, in the order that a trained vocabulary begins with. */
export const bertSpecialTokens: readonly string[] = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/** Options of {@link bertTokenizerJson}. */
export interface BertTokenizerJsonOptions extends BertNormalizerOptions {
  /** Tokens that are matched in the raw text and marked special. @default the five of BERT */
  readonly specialTokens?: readonly string[];
  /** The file, for errors. */
  readonly where?: string;
}

/**
 * Builds the tokenizer: BertNormalizer, BertPreTokenizer, WordPiece, `[CLS] text [SEP]`.
 * @param tokens the vocabulary; the index is the id (of a token that occurs twice, the last)
 * @throws LexrayError BAD_INPUT without [UNK], [CLS] and [SEP]
 */
export function bertTokenizerJson(tokens: readonly string[], options: BertTokenizerJsonOptions = {}): TokenizerJson {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const special = (token: string): number => {
    const id = ids.get(token);
    if (id !== undefined) return id;
    throw badInput(`a BERT vocabulary must have the token ${token}`, {
      ...(options.where === undefined ? {} : { where: options.where }),
      cure: 'check that this is a WordPiece vocabulary, one token a line',
    });
  };
  for (const token of ['[CLS]', '[SEP]', '[UNK]']) special(token);
  const added: AddedTokenJson[] = (options.specialTokens ?? bertSpecialTokens)
    .filter((token) => ids.has(token))
    .map((content) => ({
      id: special(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    }));
  added.sort((a, b) => a.id - b.id);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: {
      type: 'BertNormalizer',
      clean_text: options.cleanText ?? true,
      handle_chinese_chars: options.handleChineseChars ?? true,
      strip_accents: options.stripAccents ?? null,
      lowercase: options.lowercase ?? true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: bertFrame(special),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(ids),
    },
  };
}

/** The frame `[CLS] text [SEP]`, of pairs `[CLS] A [SEP] B [SEP]`. */
export function bertFrame(idOf: (token: string) => number): TokenizerStage {
  const token = (id: string, type: number): object => ({ SpecialToken: { id, type_id: type } });
  const sequence = (id: string, type: number): object => ({ Sequence: { id, type_id: type } });
  const entry = (id: string): object => ({ id, ids: [idOf(id)], tokens: [id] });
  return {
    type: 'TemplateProcessing',
    single: [token('[CLS]', 0), sequence('A', 0), token('[SEP]', 0)],
    pair: [token('[CLS]', 0), sequence('A', 0), token('[SEP]', 0), sequence('B', 1), token('[SEP]', 1)],
    special_tokens: { '[CLS]': entry('[CLS]'), '[SEP]': entry('[SEP]') },
  };
}
