/**
 * Counts the words of a stream of texts for a tokenizer's trainer: exactly and in bounded memory. A trainer holds every
 * different word in memory, so that only the most frequent ones are given to it; what is left out is counted.
 */
import { throwIfAborted } from '../util/errors.ts';
import { FrequencyProfile } from './counting/frequency-profile.ts';
import { MostFrequent } from './counting/most-frequent.ts';
import { SpillingCounter, type SpillingCounterOptions } from './counting/spilling-counter.ts';

/** Options of {@link countStreamWords}. */
export interface CountStreamWordsOptions extends Omit<SpillingCounterOptions, 'keyOf'> {
  /** The words of a text. */
  readonly wordsOf: (text: string) => readonly string[];
  /** Different words that are given at most, the most frequent ones. @default 2000000 */
  readonly mostKept?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Counted words. */
export interface StreamWords {
  readonly counts: ReadonlyMap<string, number>;
  readonly texts: number;
  /** Different words, those left out included. */
  readonly distinct: number;
  /** Occurrences of all words. */
  readonly occurrences: number;
  /** Occurrences of words left out. */
  readonly occurrencesLeftOut: number;
}

/** Counts words. @throws LexrayError INTERRUPTED when the signal fires */
export async function countStreamWords(
  texts: Iterable<string> | AsyncIterable<string>,
  { wordsOf, mostKept = 2_000_000, signal, ...memory }: CountStreamWordsOptions,
): Promise<StreamWords> {
  const counter = new SpillingCounter(memory);
  try {
    let count = 0;
    for await (const text of texts) {
      if ((count++ & 255) === 0) throwIfAborted(signal);
      for (const word of wordsOf(text.replace(/\p{Surrogate}/gu, '\uFFFD'))) counter.table.add(word);
      if (counter.isFull) await counter.spill();
    }
    const profile = new FrequencyProfile();
    const kept = new MostFrequent<{ key: string; count: number }>(mostKept);
    for await (const [word, total] of counter.merged()) {
      profile.add(total);
      if (kept.accepts(word, total)) kept.add({ key: word, count: total });
    }
    const counts = new Map<string, number>();
    let occurrences = 0;
    for (const { key, count: total } of kept.items()) {
      counts.set(key, total);
      occurrences += total;
    }
    return {
      counts,
      texts: count,
      distinct: profile.words,
      occurrences: profile.occurrences,
      occurrencesLeftOut: profile.occurrences - occurrences,
    };
  } finally {
    await counter.dispose();
  }
}
