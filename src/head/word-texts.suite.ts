/** Texts made of the words that the tiny model of the tests knows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tinyModel } from '../../test/fixtures/model-folders.ts';
import { Random } from '../util/random.ts';

/** Different texts of 3 to 20 words. */
export function wordTexts(count: number, seed = 1): string[] {
  const words = readFileSync(join(tinyModel, 'vocab.txt'), 'utf8')
    .split('\n')
    .filter((word) => /^[a-z]{2,}$/.test(word));
  const random = new Random(seed);
  const texts = new Set<string>();
  while (texts.size < count) {
    const length = 3 + random.integer(18);
    texts.add(Array.from({ length }, () => words[random.integer(words.length)]).join(' '));
  }
  return [...texts];
}
