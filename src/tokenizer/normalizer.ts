/**
 * The normalizer of a tokenizer.json as a function, equal to the native library's. Where `@huggingface/tokenizers` differs
 * from that (BERT's cleaning, final sigma) or takes unbounded time, this is used instead.
 */
import { type BertNormalizerOptions, bertNormalize, lowerEachCharacter } from './bert-text.ts';
import type { TokenizerStage } from './tokenizer-json.ts';
import { normalizeBounded } from './unicode-normalize.ts';

/** Text to normalized text. */
export type Normalize = (text: string) => string;

/** A function for a normalizer; undefined for kinds that are left to the library. */
export function normalizerOf(stage: TokenizerStage | null): Normalize | undefined {
  switch (stage?.type) {
    case undefined:
      return (text) => text;
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form = stage.type;
      return (text) => normalizeBounded(text, (part) => part.normalize(form));
    }
    case 'Lowercase':
      return lowerEachCharacter;
    case 'BertNormalizer': {
      const options = bertOptions(stage);
      return (text) => bertNormalize(text, options);
    }
    case 'Sequence': {
      if (!Array.isArray(stage.normalizers)) return undefined;
      const steps = (stage.normalizers as readonly TokenizerStage[]).map(normalizerOf);
      if (steps.includes(undefined)) return undefined;
      return (text) => steps.reduce((result, step) => step!(result), text);
    }
    default:
      return undefined;
  }
}

function bertOptions(stage: TokenizerStage): BertNormalizerOptions {
  return {
    cleanText: stage.clean_text !== false,
    handleChineseChars: stage.handle_chinese_chars !== false,
    stripAccents: typeof stage.strip_accents === 'boolean' ? stage.strip_accents : null,
    lowercase: stage.lowercase !== false,
  };
}
