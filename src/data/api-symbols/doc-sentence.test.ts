import { describe, expect, it } from 'vitest';
import { firstSentence, plainText } from './doc-sentence.ts';

describe('plainText', () => {
  it('keeps the words of Markdown and takes the markup away', () => {
    expect(plainText('Reads **one** [file](https://a.b/c) or\n <b>more</b>, see https://x.y/z .')).toBe(
      'Reads one file or more , see .',
    );
  });

  it('drops code fences and the reference links of the DOM types', () => {
    expect(plainText('Before. ```ts\nconst a = 1;\n``` After. [MDN Reference](https://developer.mozilla.org/x)')).toBe(
      'Before. After.',
    );
  });
});

describe('firstSentence', () => {
  it.each([
    ['Reads a file. Then more.', 'Reads a file.'],
    ['Reads a file, e.g. Notes, i.e. Text. Then more.', 'Reads a file, e.g. Notes, i.e. Text.'],
    ['Written by J. Smith of old. Then more.', 'Written by J. Smith of old.'],
    ['Is it open? `true` if so.', 'Is it open?'],
    ['Version 1.5 of node.js is read. Then more.', 'Version 1.5 of node.js is read.'],
    ['no end mark at all', 'no end mark at all'],
    ['one. two lower-case sentences', 'one. two lower-case sentences'],
  ])('%s', (text, expected) => {
    expect(firstSentence(text)).toBe(expected);
  });
});
