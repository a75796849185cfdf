/**
 * Keys by which texts are compared without being held: 48 bits of SHA-256 of the text, and of the text as
 * `find-leakage.ts` normalises it (NFKC, lower case, single blanks). Two of 10⁷ different texts share a key with
 * a probability of about 0.2, and one of them with a given positive with 4 · 10⁻⁸.
 */
import { createHash } from 'node:crypto';
import { normalizeText } from '../../data/find-leakage.ts';

/** The keys of a text. */
export interface TextKey {
  readonly exact: number;
  readonly normalized: number;
}

/** The keys of a text; blanks at its ends do not count. */
export function textKey(text: string): TextKey {
  const trimmed = text.trim();
  const normalized = normalizeText(trimmed);
  const exact = hash(trimmed);
  return { exact, normalized: normalized === trimmed ? exact : hash(normalized) };
}

function hash(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6);
}
