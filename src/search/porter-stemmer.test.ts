import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { porterStem } from './porter-stemmer.ts';

it('stems the golden words as the published algorithm does', () => {
  const golden = readFileSync(new URL('../../test/fixtures/goldens/porter.tsv', import.meta.url), 'utf8');
  const pairs = golden
    .trim()
    .split('\n')
    .map((line) => line.split('\t'));
  expect(pairs.length).toBeGreaterThan(600);
  expect(pairs.map(([word]) => [word, porterStem(word!)])).toEqual(pairs);
});

it('leaves short words and words of other letters alone', () => {
  for (const word of ['', 'is', 'us', 'naïves', 'mp3s', '검색들', 'Relational']) expect(porterStem(word)).toBe(word);
});

it('never fails and never makes a word longer by more than an e', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'aeiouysedinglt'), maxLength: 14 }), (word) => {
      expect(porterStem(word).length).toBeLessThanOrEqual(word.length + 1);
    }),
  );
});
