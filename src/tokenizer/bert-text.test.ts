import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type BertNormalizerOptions, bertNormalize, bertWords } from './bert-text.ts';

interface Golden {
  readonly texts: readonly string[];
  readonly cases: readonly { readonly options: BertNormalizerOptions; readonly words: readonly string[][] }[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../test/golden/tokenizer/bert-text.json', import.meta.url), 'utf8'),
) as Golden;

describe('bertNormalize and bertWords equal the native library', () => {
  for (const { options, words } of golden.cases) {
    it(`on ${golden.texts.length} texts with ${JSON.stringify(options)}`, () => {
      golden.texts.forEach((text, i) => {
        expect(bertWords(bertNormalize(text, options)), JSON.stringify(text)).toEqual(words[i]);
      });
    });
  }
});

describe('bertNormalize', () => {
  it('gives plain ASCII the same words as the general path', () => {
    const text = 'A Plain\tText, (with) [signs] ~ 1.5\r\n';
    const general = `${text}ż`;
    expect([...bertWords(bertNormalize(text)), 'z']).toEqual(bertWords(bertNormalize(general)));
  });

  it('keeps the case and the accents when asked', () => {
    expect(bertNormalize('École', { lowercase: false })).toBe('École');
    expect(bertNormalize('École', { stripAccents: false })).toBe('école');
  });
});
