import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bertTokenizerJson } from './bert-tokenizer-json.ts';
import { cpuSeconds } from './cpu-time.suite.ts';
import { cutFinder } from './cut-text.ts';
import { tokenizerFromJson } from './load-tokenizer.ts';
import type { TokenizerJson } from './tokenizer-json.ts';

const letters = [...'abcdeé中国한글Σσς😀.,-[]'];
const vocabulary = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  ...letters,
  ...letters.map((letter) => `##${letter}`),
  'ab',
  '##cd',
];
const bert = bertTokenizerJson(vocabulary, { stripAccents: false });
const bytes = 'abcdefgĠĊĉÂłãĢĢ'.split('');
const byteLevel: TokenizerJson = {
  ...bert,
  normalizer: { type: 'NFC' },
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
  model: {
    type: 'BPE',
    unk_token: '?',
    vocab: Object.fromEntries(
      [...new Set([...bytes, '?', '[CLS]', '[SEP]', 'Ġa', 'ab', 'ĠĠ'])].map((token, id) => [token, id]),
    ),
    merges: ['Ġ a', 'a b', 'Ġ Ġ'],
  },
  added_tokens: [],
};

const pieces = fc.constantFrom(
  ...letters,
  'a',
  'b',
  'ab',
  ' ',
  ' ',
  '  ',
  '\t',
  '\n',
  '\r\n',
  '\u3000',
  '\u00a0',
  '\u0085',
  '\ufeff',
  '\u0301',
  '\u0327',
  '\u200d',
  '\u0000',
  '[MASK]',
  '[SEP]',
  "'s",
  '𠀋',
  '豈',
  '\ud800',
  '1',
  '½',
);
const longText = fc.array(pieces, { minLength: 1, maxLength: 60 }).map((parts) => parts.join('').repeat(60));

/** The same pipeline with a token that forbids cutting, and that no text contains. */
function uncut(json: TokenizerJson): TokenizerJson {
  const id = Math.max(...Object.values(json.model.vocab as Record<string, number>)) + 1;
  const token = { id, content: '<never here>', special: true, normalized: false };
  return { ...json, added_tokens: [...json.added_tokens, token] };
}

describe('a text cut beforehand has the same first ids', () => {
  for (const [name, json] of Object.entries({ bert, byteLevel })) {
    it(`with the ${name} pipeline`, () => {
      const cutting = tokenizerFromJson(json);
      const whole = tokenizerFromJson(uncut(json));
      expect(cutFinder(json)).toBeDefined();
      expect(cutFinder(uncut(json))).toBeUndefined();
      fc.assert(
        fc.property(longText, fc.integer({ min: 2, max: 90 }), (text, maxLength) => {
          expect([...cutting.encode(text, { maxLength })]).toEqual([...whole.encode(text, { maxLength })]);
        }),
        { numRuns: 300 },
      );
    });

    it(`at every place that it finds, with the ${name} pipeline`, () => {
      const find = cutFinder(json)!;
      const tokenizer = tokenizerFromJson(json);
      let places = 0;
      fc.assert(
        fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
          const text = parts.join('').replace(/\p{Surrogate}/gu, '\ufffd');
          const ids = [...tokenizer.encode(text, { addSpecialTokens: false })];
          for (let at = find(text, 1); at !== undefined; at = find(text, at + 1)) {
            places++;
            const start = [...tokenizer.encode(text.slice(0, at), { addSpecialTokens: false })];
            expect(start).toEqual(ids.slice(0, start.length));
          }
        }),
        { numRuns: 300 },
      );
      expect(places).toBeGreaterThan(100);
    });
  }
});

describe('cutFinder', () => {
  it('knows only pipelines that split at white space', () => {
    expect(cutFinder({ ...bert, pre_tokenizer: { type: 'Metaspace' } })).toBeUndefined();
    expect(cutFinder({ ...bert, pre_tokenizer: null })).toBeUndefined();
    expect(cutFinder({ ...bert, normalizer: { type: 'Replace' } })).toBeUndefined();
    expect(cutFinder({ ...byteLevel, pre_tokenizer: { type: 'ByteLevel', use_regex: false } })).toBeUndefined();
    const sequence = { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Digits' }] };
    expect(cutFinder({ ...bert, pre_tokenizer: sequence })).toBeDefined();
  });
});

describe('texts of 10^6 characters', () => {
  const tokenizer = tokenizerFromJson(bert);
  const texts: Readonly<Record<string, string>> = {
    words: 'abc de, '.repeat(125_000),
    'one word': 'a'.repeat(1_000_000),
    ideographs: '中国'.repeat(500_000),
    spaces: ' '.repeat(1_000_000),
    'marks and controls': '\u0301\u0000'.repeat(500_000),
    surrogates: '\ud800'.repeat(1_000_000),
  };
  for (const [name, text] of Object.entries(texts)) {
    it(`of ${name} take seconds at most, limited`, () => {
      const seconds = cpuSeconds(() => {
        expect(tokenizer.encode(text, { maxLength: 256 }).length).toBeLessThanOrEqual(256);
      });
      expect(seconds).toBeLessThan(3);
    });
  }

  it('of mixed marks take seconds at most', () => {
    const seconds = cpuSeconds(() => {
      expect(tokenizer.encode('\u0301\u0327\u3099'.repeat(333_333), { maxLength: 256 }).length).toBe(3);
    });
    expect(seconds).toBeLessThan(5);
  });

  it('take seconds at most when they are not limited', () => {
    const seconds = cpuSeconds(() => {
      expect(tokenizer.encode(texts.words!).length).toBe(2 + 125_000 * 5);
    });
    expect(seconds).toBeLessThan(5);
  });
});
