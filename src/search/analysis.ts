/**
 * Text to words, for BM25: lower-cased runs of letters and digits of any script, combining marks included, composed
 * (Unicode NFC) so that é is one letter however it was written. No stop words. English stemming is optional.
 */
import { porterStem } from './porter-stemmer.ts';

/** How words are reduced: not at all, or by the Porter stemmer, which is for English. */
export type Stemming = 'none' | 'porter';

/** Options of {@link analyze}. */
export interface AnalysisOptions {
  /** @default 'none' */
  readonly stemming?: Stemming | undefined;
}

const word = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;

/** The words of a text, in order. */
export function analyze(text: string, { stemming = 'none' }: AnalysisOptions = {}): string[] {
  const words = text.normalize('NFC').toLowerCase().match(word) ?? [];
  return stemming === 'porter' ? words.map(porterStem) : words;
}
