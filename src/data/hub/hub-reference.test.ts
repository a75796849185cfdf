import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHubReference } from './hub-reference.ts';

describe('a reference', () => {
  it.each([
    ['naver/splade-v3', 'naver/splade-v3', 'main'],
    ['hf://naver/splade-v3', 'naver/splade-v3', 'main'],
    ['org/name@v1.0', 'org/name', 'v1.0'],
    ['org/name@refs/pr/7', 'org/name', 'refs/pr/7'],
    ['hf://org/name@0123456789abcdef0123456789abcdef01234567', 'org/name', '0123456789abcdef0123456789abcdef01234567'],
    ['hf://bert-base-uncased', 'bert-base-uncased', 'main'],
    ['a_b.c/D-e', 'a_b.c/D-e', 'main'],
  ])('%s', (text, repo, revision) => {
    expect(parseHubReference(text)).toEqual({ repo, revision });
  });

  it.each([
    '',
    'name',
    './org/name',
    '../name',
    '/org/name',
    'org/name/',
    'org/name/more',
    'C:\\models\\x',
    'org\\name',
    '~/name',
    'org/name@',
    'org/name@../../x',
    'org/name@a//b',
    'org/name@/a',
    'org/name@a b',
    'org/name@.hidden',
    'org/name@a.lock',
    'org/na--me',
    'org/na..me',
    '-org/name',
    'org/name.git',
    'org/name-',
    'hf://',
    'hf://a/b/c',
    'hf:///etc',
    `org/${'n'.repeat(100)}`,
    'org/na\nme',
  ])('is not %j', (text) => {
    expect(parseHubReference(text)).toBeUndefined();
  });

  it('never names a place outside its folder', () => {
    const characters = fc.constantFrom('a', 'b', '.', '..', '/', '\\', '@', '-', ':', '~', 'hf://', '\0', ' ');
    fc.assert(
      fc.property(fc.array(characters, { maxLength: 12 }), (parts) => {
        const reference = parseHubReference(parts.join(''));
        if (reference === undefined) return;
        for (const text of [reference.repo, reference.revision]) {
          expect(text).not.toMatch(/(^|\/)\.{0,2}($|\/)|[\\:~\0 ]/);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
