/**
 * Byte-level splitting: a text is cut into words by GPT-2's pattern, a space going with the word after it, and each byte of
 * a word's UTF-8 is written as one visible character, so that 256 characters spell every text.
 * Source: Radford et al., "Language models are unsupervised multitask learners" (2019), its `bytes_to_unicode`.
 */

/** GPT-2's word pattern with Unicode's white space, as the native library has it; JavaScript's `\s` adds U+FEFF. */
export const byteLevelPattern: RegExp =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The character of each byte: bytes that Latin-1 shows stand for themselves, the others for U+0100 and on, in order. */
export const byteCharacters: readonly string[] = makeByteCharacters();

function makeByteCharacters(): string[] {
  const shown = (byte: number): boolean => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(shown(byte) ? byte : 0x100 + others++));
}

/** The words of a text; together they are the text. */
export function byteLevelWords(text: string): readonly string[] {
  return text.match(byteLevelPattern) ?? [];
}

const encoder = new TextEncoder();

/** A word with a character for each of its bytes. */
export function toByteCharacters(word: string): string {
  if (/^[!-~]*$/.test(word)) return word;
  let result = '';
  for (const byte of encoder.encode(word)) result += byteCharacters[byte]!;
  return result;
}
