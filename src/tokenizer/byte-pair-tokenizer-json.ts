/**
 * The `tokenizer.json` of a byte-level BPE tokenizer trained here, with the special tokens and the frame of RoBERTa
 * (`<s> text </s>`) or of ModernBERT (`[CLS] text [SEP]`).
 */
import { bertFrame } from './bert-tokenizer-json.ts';
import type { AddedTokenJson, TokenizerJson, TokenizerStage } from './tokenizer-json.ts';
import type { BytePairs } from './train-byte-pair.ts';

/** Whose special tokens a byte-level tokenizer has. */
export type BytePairStyle = 'roberta' | 'modernbert';

/** The special tokens of each style, in the order that a trained vocabulary begins with. */
export const bytePairSpecialTokens: Readonly<Record<BytePairStyle, readonly string[]>> = {
  roberta: ['<s>', '<pad>', '</s>', '<unk>', '<mask>'],
  modernbert: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'],
};

/** Builds the tokenizer; the vocabulary must begin with the special tokens of its style. */
export function bytePairTokenizerJson(
  { tokens, merges }: BytePairs,
  options: { readonly style: BytePairStyle; readonly normalizer: TokenizerStage | null },
): TokenizerJson {
  const { style, normalizer } = options;
  const added: AddedTokenJson[] = bytePairSpecialTokens[style].map((content, id) => ({
    id,
    content,
    single_word: false,
    // A mask stands where a word with its space would.
    lstrip: content === '<mask>' || content === '[MASK]',
    rstrip: false,
    normalized: false,
    special: true,
  }));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: style === 'roberta' ? robertaFrame(tokens) : bertFrame((token) => tokens.indexOf(token)),
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      // Joined by a space, which is in no token, as tokenizers before 0.20 read them and later ones do too.
      merges: merges.map((pair) => pair.join(' ')),
    },
  };
}

function robertaFrame(tokens: readonly string[]): TokenizerStage {
  return {
    type: 'RobertaProcessing',
    sep: ['</s>', tokens.indexOf('</s>')],
    cls: ['<s>', tokens.indexOf('<s>')],
    trim_offsets: true,
    add_prefix_space: false,
  };
}
