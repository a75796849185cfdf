/** Counts the words of texts, as a WordPiece trainer sees them: BERT's cleaning and word splitting. */
import { throwIfAborted } from '../util/errors.ts';
import type { ProgressListener } from '../util/progress.ts';
import { type BertNormalizerOptions, bertNormalize, bertWords } from './bert-text.ts';

/** Options of {@link countWords}. */
export interface CountWordsOptions extends BertNormalizerOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

const reportEvery = 4096;

/** Occurrences of each word over all texts. */
export function countWords(texts: Iterable<string>, options: CountWordsOptions = {}): Map<string, number> {
  const counts = new Map<string, number>();
  let done = 0;
  for (const text of texts) {
    if (done % reportEvery === 0) {
      throwIfAborted(options.signal);
      options.onProgress?.({ phase: 'count words', done, unit: 'texts' });
    }
    const valid = text.replace(/\p{Surrogate}/gu, '\uFFFD');
    for (const word of bertWords(bertNormalize(valid, options))) counts.set(word, (counts.get(word) ?? 0) + 1);
    done++;
  }
  options.onProgress?.({ phase: 'count words', done, total: done, unit: 'texts' });
  return counts;
}
