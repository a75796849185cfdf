/**
 * Texts in two halves, as pseudo-pairs of a query and its document: both say something of the same thing, and no label is
 * needed. Words are those of Unicode's text segmentation, so that scripts without spaces are halved too.
 */

/** Words that a text must have to be halved. */
export const leastWords = 6;

let segmenter: Intl.Segmenter | undefined;

/** The two halves of a text, by words; undefined when it is too short. */
export function textHalves(text: string): readonly [string, string] | undefined {
  segmenter ??= new Intl.Segmenter('und', { granularity: 'word' });
  const starts: number[] = [];
  for (const { index, isWordLike } of segmenter.segment(text)) if (isWordLike) starts.push(index);
  if (starts.length < leastWords) return undefined;
  const middle = starts[Math.ceil(starts.length / 2)]!;
  return [text.slice(0, middle).trim(), text.slice(middle).trim()];
}
