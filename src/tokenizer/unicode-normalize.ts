/**
 * Unicode normalization whose time is bounded: sorting a run of n combining marks takes engines n² steps, and a text of
 * 10⁶ marks in a row would take hours. A longer run than any script needs is normalized in pieces. (The Stream-Safe Text
 * Format of Unicode Annex 15 §12 cuts such runs after 30 marks.)
 */

const longRun = /\p{M}{64}/u;
const boundedPieces = /\P{M}+\p{M}{0,64}|\p{M}{1,64}/gu;

/** Applies a normalizer to the text, in pieces when it has more than 64 combining marks in a row. */
export function normalizeBounded(text: string, normalize: (text: string) => string): string {
  if (!longRun.test(text)) return normalize(text);
  return (text.match(boundedPieces) ?? []).map(normalize).join('');
}
