import { describe, expect, it } from 'vitest';
import type { ApiSymbol } from './extract.ts';
import { splitIdentifiers, symbolQuery, symbolTitle } from './symbol-text.ts';

const symbol = (qualifiedName: string, sentence: string, signature = ''): ApiSymbol => ({
  package: 'pkg',
  qualifiedName,
  name: qualifiedName.split('.').at(-1) ?? '',
  kind: 'method',
  signature,
  sentence,
  file: 'pkg/index.d.ts',
});

describe('splitIdentifiers', () => {
  it.each([
    ['readFileSync', 'read File Sync'],
    ['HTMLElement', 'HTML Element'],
    ['utf8Decoder', 'utf8 Decoder'],
    ['MAX_SAFE_INTEGER', 'MAX SAFE INTEGER'],
    ['plain words', 'plain words'],
  ])('%s', (text, expected) => {
    expect(splitIdentifiers(text)).toBe(expected);
  });
});

describe('symbolQuery', () => {
  it.each([
    ['own name', 'fs.readFile', 'The readFile function gives a buffer.', 'The function gives a buffer.'],
    ['own name in another case', 'URL', 'Parses a url from text.', 'Parses a from text.'],
    ['container', 'Map.size', 'Entries in the Map now.', 'Entries in the now.'],
    ['qualified mention', 'fs.stat', 'Like `fs.promises.stat()` but with callbacks.', 'Like but with callbacks.'],
    ['hyphenated name', 'CSS.fontSize', 'The **font-size** of text.', 'The ** ** of text.'],
    ['parts of longer words stay', 'on', 'Turns on one button.', 'Turns one button.'],
    ['other identifiers are split', 'x', 'Uses setTimeout inside.', 'Uses set Timeout inside.'],
    ['quotes', 'x', `The "name" isn't the user's \`key\` ().`, "The name isn t the user's key."],
    ['names with signs of patterns', 'a.$(b', 'Keeps a plain text.', 'Keeps plain text.'],
  ])('%s', (_title, name, sentence, expected) => {
    expect(symbolQuery(symbol(name, sentence))).toBe(expected);
  });
});

describe('symbolTitle', () => {
  it('joins the split name and the words of the signature', () => {
    expect(symbolTitle(symbol('fs.promises.readFile', '', '(path: PathLike): Promise<Buffer>'))).toBe(
      'fs promises read File : path Path Like Promise Buffer',
    );
  });

  it('is the name alone without a signature', () => {
    expect(symbolTitle(symbol('fs.promises', ''))).toBe('fs promises');
  });

  it('cuts long signatures', () => {
    expect(symbolTitle(symbol('a', '', `= ${'word '.repeat(1000)}`), 12)).toBe('a : word word');
  });
});
