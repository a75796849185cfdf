/** Counts in words, as findings state them: `confirmed in five of eight contrasts, undecided in three`. */
import type { ContrastResult, Verdict } from './contrast-family.ts';

const words = [
  'none',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
] as const;

/** A whole number from 0 to 12 in words, larger ones in digits. */
export function numberInWords(value: number): string {
  return words[value] ?? String(value);
}

/** `three of eight cells`, `all eight cells`, `none of eight cells`. */
export function countInWords(count: number, total: number, noun: string): string {
  const whole = `${numberInWords(total)} ${noun}`;
  if (count === total && total > 1) return `all ${whole}`;
  return `${numberInWords(count)} of ${whole}`;
}

/** How the claims of a family ended, in one sentence without its full stop. */
export function verdictsInWords(results: readonly Pick<ContrastResult, 'verdict'>[], noun = 'contrasts'): string {
  const order: readonly Verdict[] = ['confirmed', 'refuted', 'undecided', 'not testable'];
  const counts = order
    .map((verdict) => ({ verdict, count: results.filter((result) => result.verdict === verdict).length }))
    .filter(({ count }) => count > 0);
  const [first, ...others] = counts;
  if (first === undefined) return `no ${noun} were declared`;
  return [
    `${first.verdict} in ${countInWords(first.count, results.length, noun)}`,
    ...others.map(({ verdict, count }) => `${verdict} in ${numberInWords(count)}`),
  ].join(', ');
}
