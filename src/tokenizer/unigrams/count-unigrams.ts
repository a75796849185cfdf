/**
 * Counts the unigrams of a stream of texts, exactly and in bounded memory, and chooses the most frequent terms. What is
 * counted are surface forms (`Paris`, `PARIS`); they are normalized once each, when they leave the table, under keys `TERM⎵FORM`
 * (with a separator between them) that bring the forms of a term together.
 */
import type { UnigramRule } from '../../checkpoint/layouts/output-vocabulary.ts';
import { badInput, LexrayError, throwIfAborted } from '../../util/errors.ts';
import type { ProgressListener } from '../../util/progress.ts';
import { separator } from '../counting/count-runs.ts';
import { FrequencyProfile } from '../counting/frequency-profile.ts';
import { MostFrequent } from '../counting/most-frequent.ts';
import { SpillingCounter, type SpillingCounterOptions } from '../counting/spilling-counter.ts';
import { scanUnigrams, termOf } from './unigram-rule.ts';

/** Options of {@link countUnigrams}. */
export interface CountUnigramsOptions extends Omit<SpillingCounterOptions, 'keyOf'> {
  readonly rule: UnigramRule;
  /** Terms to choose. */
  readonly size: number;
  /** Terms that occur less often are not chosen. @default 2 */
  readonly minFrequency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** A form in which a term occurred. */
export interface SurfaceForm {
  readonly text: string;
  readonly count: number;
}

/** A chosen term. */
export interface CountedTerm {
  readonly term: string;
  readonly count: number;
  /** Its most frequent forms, eight at most, most frequent first. */
  readonly forms: readonly SurfaceForm[];
}

/** What {@link countUnigrams} found. */
export interface UnigramCounts {
  /** The chosen terms, most frequent first; of equally frequent ones the smaller (by UTF-16 units) first. */
  readonly terms: readonly CountedTerm[];
  /** Frequencies of all terms, chosen or not. */
  readonly profile: FrequencyProfile;
  /** Occurrences of unigrams that are no term: too long, or several runs after normalization. */
  readonly withoutTerm: number;
  readonly texts: number;
  /** How often the table was written to disk. */
  readonly spills: number;
}

const mostForms = 8;

interface Group {
  readonly key: string;
  readonly count: number;
  readonly forms: readonly SurfaceForm[];
}

/**
 * Counts unigrams.
 * @throws LexrayError BAD_INPUT when the texts have no unigram; INTERRUPTED when the signal fires
 */
export async function countUnigrams(
  texts: Iterable<string> | AsyncIterable<string>,
  options: CountUnigramsOptions,
): Promise<UnigramCounts> {
  const { rule, size, minFrequency = 2, signal, onProgress } = options;
  if (!Number.isInteger(size) || size < 1 || size > 1 << 24) {
    throw new LexrayError('USAGE', `the vocabulary must have from 1 to ${1 << 24} terms, got ${size}`);
  }
  const counter = new SpillingCounter({
    ...options,
    keyOf: (surface) => {
      const term = termOf(surface, rule);
      return (term ?? '') + separator + (term === surface ? '' : surface);
    },
  });
  try {
    const { table } = counter;
    let count = 0;
    for await (const text of texts) {
      if ((count++ & 255) === 0) throwIfAborted(signal);
      scanUnigrams(text, (start, end) => table.add(text, start, end));
      if (counter.isFull) await counter.spill();
    }
    const chosen = new MostFrequent<Group>(size);
    const profile = new FrequencyProfile();
    let withoutTerm = 0;
    for await (const [term, total, forms] of groups(counter.merged())) {
      throwIfAborted(signal);
      if (term === '') {
        withoutTerm += total;
        continue;
      }
      profile.add(total);
      if (profile.words % 65536 === 0) onProgress?.({ phase: 'choose terms', done: profile.words, unit: 'terms' });
      if (total >= minFrequency && chosen.accepts(term, total)) {
        chosen.add({ key: term, count: total, forms: forms.sort((a, b) => b.count - a.count).slice(0, mostForms) });
      }
    }
    if (profile.words === 0) {
      throw badInput('the texts have no unigram', { cure: 'check the files, and the field or column of the text' });
    }
    const terms = chosen.items().map(({ key, count: total, forms }) => ({ term: key, count: total, forms }));
    return { terms, profile, withoutTerm, texts: count, spills: counter.spills };
  } finally {
    await counter.dispose();
  }
}

/** Brings the forms of each term together; the empty term has those without one. */
async function* groups(
  entries: AsyncIterable<readonly [string, number]>,
): AsyncGenerator<readonly [term: string, total: number, forms: SurfaceForm[]]> {
  let term: string | undefined;
  let total = 0;
  let forms: SurfaceForm[] = [];
  for await (const [key, count] of entries) {
    const at = key.indexOf(separator);
    const next = key.slice(0, at);
    if (next !== term) {
      if (term !== undefined) yield [term, total, forms];
      term = next;
      total = 0;
      forms = [];
    }
    total += count;
    if (next !== '') forms.push({ text: at === key.length - 1 ? next : key.slice(at + 1), count });
  }
  if (term !== undefined) yield [term, total, forms];
}
