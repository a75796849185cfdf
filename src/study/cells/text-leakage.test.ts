import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeText } from '../../data/find-leakage.ts';
import { LeakageFinder } from './text-leakage.ts';

const sentence = 'The quick brown fox jumps over the lazy dog near the river';

describe('LeakageFinder', () => {
  it('finds texts that are equal but for case, blanks and width, and texts within others', () => {
    const finder = new LeakageFinder({
      documents: [sentence, 'Two words', 'Nowhere to be found'],
      queries: ['ｔｗｏ  WORDS', 'of eight words is this one a query indeed', ''],
    });
    finder.look(`Once more: ${sentence.toUpperCase()}, says the book.`);
    finder.look('two words');
    finder.look('two words and more');
    expect(finder.found).toEqual({
      documents: { heldOut: 3, equal: 1, contained: 1, examples: [sentence.toLowerCase(), 'two words'] },
      queries: { heldOut: 2, equal: 1, contained: 0, examples: ['two words'] },
    });
  });

  it('counts a text that is there whole as equal, whatever was seen before', () => {
    const finder = new LeakageFinder({ documents: [sentence] });
    finder.look(`${sentence} ${sentence}`);
    finder.look(sentence);
    expect(finder.found.documents).toMatchObject({ equal: 1, contained: 0 });
  });

  it('finds what a search for the whole string at word boundaries finds', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 14 });
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 4 }), fc.array(words, { maxLength: 6 }), (held, texts) => {
        const finder = new LeakageFinder({ documents: held.map((one) => one.join(' ')) });
        for (const text of texts) finder.look(text.join(' '));
        const all = texts.map((text) => normalizeText(text.join(' ')));
        const different = [...new Set(held.map((one) => one.join(' ')))];
        const equal = different.filter((one) => all.includes(one));
        const contained = different.filter(
          (one) =>
            !equal.includes(one) &&
            one.split(' ').length >= 8 &&
            all.some((text) => new RegExp(`(^| )${one}`).test(text)),
        );
        expect(finder.found.documents).toMatchObject({ equal: equal.length, contained: contained.length });
      }),
    );
  });
});
