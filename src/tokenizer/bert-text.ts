/**
 * BERT's text cleaning and word splitting, character for character as Hugging Face's native BertNormalizer and
 * BertPreTokenizer do it: cleaning, spaces around CJK ideographs, accent stripping (NFD, marks removed), lower case;
 * then words at white space, each punctuation character a word by itself.
 * Source: Devlin et al., "BERT" (2019), its `tokenization.py`; the native library's tables decide doubtful characters.
 */
import { nonspacingMark, punctuation, removed } from './bert-unicode.ts';
import { normalizeBounded } from './unicode-normalize.ts';

/** Fields of a `BertNormalizer` in tokenizer.json. */
export interface BertNormalizerOptions {
  /** Remove control characters, make all white space a space. @default true */
  readonly cleanText?: boolean;
  /** Put spaces around CJK ideographs. @default true */
  readonly handleChineseChars?: boolean;
  /** Decompose and remove non-spacing marks; null does it when lowercasing. @default null */
  readonly stripAccents?: boolean | null;
  /** @default true */
  readonly lowercase?: boolean;
}

const ideographs = '4e00-9fff 3400-4dbf 20000-2a6df 2a700-2b73f 2b740-2b81f 2b920-2ceaf f900-faff 2f800-2fa1f';

const removedPattern = new RegExp(`[${regExpClass(removed)}]+`, 'gu');
const markPattern = new RegExp(`[${regExpClass(nonspacingMark)}]+`, 'gu');
const ideographPattern = new RegExp(`[${regExpClass(ideographs)}]`, 'gu');
const wordPattern = new RegExp(`[^\\p{White_Space}${regExpClass(punctuation)}]+|[${regExpClass(punctuation)}]`, 'gu');
const plainPattern = /^[\t\n\r -~]*$/;
const plainWordPattern = /[0-9A-Za-z]+|[!-/:-@[-`{-~]/g;

/** One CJK ideograph, wherever it stands: a place where BERT's normalizer splits words. */
export const ideographClass: string = regExpClass(ideographs);

/** Normalizes a text as `BertNormalizer` does. */
export function bertNormalize(text: string, options: BertNormalizerOptions = {}): string {
  const { cleanText = true, handleChineseChars = true, stripAccents = null, lowercase = true } = options;
  if (plainPattern.test(text)) {
    const cased = lowercase ? text.toLowerCase() : text;
    return cleanText ? cased.replace(/[\t\n\r]/g, ' ') : cased;
  }
  let result = text;
  if (cleanText) result = result.replace(removedPattern, '').replace(/\p{White_Space}/gu, ' ');
  if (handleChineseChars) result = result.replace(ideographPattern, ' $& ');
  if (stripAccents ?? lowercase) {
    result = normalizeBounded(result, (part) => part.normalize('NFD')).replace(markPattern, '');
  }
  return lowercase ? lowerEachCharacter(result) : result;
}

/** Splits a normalized text into words as `BertPreTokenizer` does. */
export function bertWords(normalized: string): readonly string[] {
  return normalized.match(plainPattern.test(normalized) ? plainWordPattern : wordPattern) ?? [];
}

/** Lower case character by character: a sigma at the end of a word stays the ordinary small sigma. */
export function lowerEachCharacter(text: string): string {
  return text.replaceAll('Σ', 'σ').toLowerCase();
}

/** The body of a regular expression class from ranges of hexadecimal code points. */
function regExpClass(ranges: string): string {
  return ranges.replace(/[0-9a-f]+/g, '\\u{$&}').replaceAll(' ', '');
}
