/**
 * Finds test texts among training texts: a model that has seen a test query is measured too well. Texts are compared
 * after NFKC, lower case and single blanks, so that spelling variants of the same text are found, paraphrases are not.
 */

import type { WarningListener } from '../util/progress.ts';

/** Training texts that are also test texts. */
export interface Leakage {
  /** Training texts that are test texts, repetitions counted. */
  readonly trainingCount: number;
  /** Different test texts that were found among the training texts. */
  readonly testCount: number;
  /** Different test texts in all. */
  readonly testTotal: number;
  /** The first of them, as the training data spell them. */
  readonly examples: readonly string[];
}

/** Options of {@link findLeakage}. */
export interface FindLeakageOptions {
  /** @default 5 */
  readonly maxExamples?: number | undefined;
  /** What the texts are, for the warning: `queries`. @default 'texts' */
  readonly what?: string | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** Compares training texts with test texts; warns when they share any. Empty texts do not count. */
export function findLeakage(
  trainingTexts: Iterable<string>,
  testTexts: Iterable<string>,
  options: FindLeakageOptions = {},
): Leakage {
  const { maxExamples = 5, what = 'texts', onWarning } = options;
  const test = new Set<string>();
  for (const text of testTexts) test.add(normalizeText(text));
  test.delete('');
  const found = new Set<string>();
  const examples: string[] = [];
  let trainingCount = 0;
  for (const text of trainingTexts) {
    const normalized = normalizeText(text);
    if (!test.has(normalized)) continue;
    trainingCount++;
    if (!found.has(normalized) && examples.length < maxExamples) examples.push(text);
    found.add(normalized);
  }
  if (trainingCount > 0) {
    onWarning?.(
      `${found.size} of ${test.size} test ${what} are also training ${what}, so the test is too easy: ${examples
        .slice(0, 3)
        .map((text) => JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text))
        .join(', ')}${found.size > 3 ? ', …' : ''}`,
    );
  }
  return { trainingCount, testCount: found.size, testTotal: test.size, examples };
}

/** A text as it is compared: NFKC, lower case, white space as single blanks, none at the ends. */
export function normalizeText(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim();
}
