/**
 * A normalized text that knows where its characters come from. A normalizer is applied to the text whole, as it must be,
 * and to each cluster alone (a character with its marks, or the jamo of a syllable); where the clusters' results
 * together are the whole's, each gives the place of its own. Where they are not, in a word between white space, all of the
 * word has one place.
 */
import type { Normalize } from './normalizer.ts';

/** A normalized text and, for each of its UTF-16 units, the part of the original that it stands for. */
export interface AlignedText {
  readonly text: string;
  /** First unit of the original for the unit at `at`. */
  startOf(at: number): number;
  /** After the last unit of the original for the unit at `at`. */
  endOf(at: number): number;
}

/** Hangul syllables whole, or of jamo: leading consonants, vowels, trailing consonants. */
const [lead, vowel, tail] = [
  '\\u1100-\\u115f\\ua960-\\ua97c',
  '\\u1160-\\u11a7\\ud7b0-\\ud7c6',
  '\\u11a8-\\u11ff\\ud7cb-\\ud7fb',
];
const syllable = `[${lead}]*[${vowel}\\uac00-\\ud7a3][${vowel}]*[${tail}]*`;
/** Half-width sound marks of kana are letters by their class. */
const mark = '[\\p{M}\\uff9e\\uff9f]';
const clusters = new RegExp(`(?:${syllable}|\\P{M})${mark}*|\\p{M}+`, 'gu');
const chunks = /\s+|\S+/gu;
const plain = /^[\0-\x7f]*$/;
const cacheLimit = 1 << 16;

/** Makes a function that normalizes and aligns. */
export function alignedNormalizer(normalize: Normalize): (text: string) => AlignedText {
  const cache = new Map<string, string>();
  const normalizePart = (part: string): string => {
    let result = cache.get(part);
    if (result === undefined) {
      result = normalize(part);
      if (part.length <= 8) {
        if (cache.size >= cacheLimit) cache.clear();
        cache.set(part, result);
      }
    }
    return result;
  };
  return (text) => {
    const normalized = normalize(text);
    // Of plain text, normalizers change the case, or leave out control characters.
    if (normalized === text || (normalized.length === text.length && plain.test(text))) {
      return { text: normalized, startOf: (at) => at, endOf: (at) => at + 1 };
    }
    const places = placesOf(text, normalizePart, normalized);
    if (places !== undefined) return { text: normalized, ...places };
    return { text: normalized, startOf: () => 0, endOf: () => text.length };
  };
}

function placesOf(
  text: string,
  normalize: Normalize,
  whole: string,
): Pick<AlignedText, 'startOf' | 'endOf'> | undefined {
  const starts = new Int32Array(whole.length);
  const ends = new Int32Array(whole.length);
  let from = 0;
  let at = 0;
  const place = (length: number, result: string): void => {
    starts.fill(from, at, at + result.length);
    ends.fill(from + length, at, at + result.length);
    from += length;
    at += result.length;
  };
  for (const chunk of text.match(chunks) ?? []) {
    const result = normalize(chunk);
    if (!whole.startsWith(result, at)) return undefined;
    const parts = chunk.match(clusters) ?? [];
    const results = parts.map(normalize);
    if (results.join('') === result) for (const [i, part] of parts.entries()) place(part.length, results[i]!);
    else place(chunk.length, result);
  }
  return at === whole.length ? { startOf: (i) => starts[i]!, endOf: (i) => ends[i]! } : undefined;
}
