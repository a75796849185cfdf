/** The `tokenizer.json` of a RoBERTa tokenizer, from its `vocab.json` and `merges.txt`: byte-level BPE, `<s> text </s>`. */
import { badInput } from '../util/errors.ts';
import { isRecord, type TokenizerJson } from './tokenizer-json.ts';

const specialTokens = ['<s>', '<pad>', '</s>', '<unk>', '<mask>'];

/**
 * Builds the tokenizer; {@link checkTokenizerJson} still has to check it.
 * @param vocabulary the parsed `vocab.json`, token → id
 * @param merges the text of `merges.txt`: a pair a line, best first, perhaps after a `#version` line
 * @throws LexrayError BAD_INPUT without `<s>`, `</s>` and `<unk>`
 */
export function robertaTokenizerJson(vocabulary: unknown, merges: string, where: string): TokenizerJson {
  if (!isRecord(vocabulary)) throw badInput('vocab.json must be an object of token → id', { where });
  const id = (token: string): number => {
    const value = Object.hasOwn(vocabulary, token) ? vocabulary[token] : undefined;
    if (typeof value === 'number') return value;
    throw badInput(`a RoBERTa vocabulary must have the token ${token}`, {
      where,
      cure: 'save the tokenizer with tokenizer.save_pretrained, which writes tokenizer.json',
    });
  };
  const lines = merges.split(/\r?\n/);
  if (lines[0]?.startsWith('#version')) lines.shift();
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens
      .filter((token) => Object.hasOwn(vocabulary, token))
      .map((content) => ({
        id: id(content),
        content,
        single_word: false,
        lstrip: content === '<mask>',
        rstrip: false,
        normalized: content !== '<mask>',
        special: true,
      })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: {
      type: 'RobertaProcessing',
      sep: ['</s>', id('</s>')],
      cls: ['<s>', id('<s>')],
      trim_offsets: true,
      add_prefix_space: false,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: vocabulary as Record<string, number>,
      merges: lines.filter((line) => line !== ''),
    },
  };
}
