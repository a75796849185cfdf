/**
 * Text to words, for BM25: lower-cased runs of letters and digits of any script, combining marks included, composed
 * (Unicode NFC) so that é is one letter however it was written. No stop words. English stemming is optional.
 */
import { porterStem } from './porter-stemmer.ts';

/** How words are reduced: not at all, or by the Porter stemmer, which is for English. */
export type Stemming = 'none' | 'porter';

/** Options of {@link createAnalyzer}. */
export interface AnalysisOptions {
  /** @default 'none' */
  readonly stemming?: Stemming | undefined;
}

/** Turns a text into its words, in order. */
export type Analyzer = (text: string) => string[];

const wordPattern = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;

/** Stems are remembered up to this number of words. */
const rememberedStems = 1 << 18;

/** Makes an analyzer. It remembers the stems of words it has seen. */
export function createAnalyzer({ stemming = 'none' }: AnalysisOptions = {}): Analyzer {
  const words = (text: string): string[] => text.normalize('NFC').toLowerCase().match(wordPattern) ?? [];
  if (stemming === 'none') return words;
  const stems = new Map<string, string>();
  const stem = (word: string): string => {
    let found = stems.get(word);
    if (found === undefined) {
      if (stems.size === rememberedStems) stems.clear();
      found = porterStem(word);
      stems.set(word, found);
    }
    return found;
  };
  return (text) => words(text).map(stem);
}
