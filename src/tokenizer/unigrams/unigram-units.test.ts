import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutputVocabulary } from '../../checkpoint/layouts/output-vocabulary.ts';
import { bertTokenizerJson } from '../bert-tokenizer-json.ts';
import { byteLevelWords } from '../byte-level.ts';
import { bytePairSpecialTokens, bytePairTokenizerJson } from '../byte-pair-tokenizer-json.ts';
import { tokenizerFromJson } from '../load-tokenizer.ts';
import type { Tokenizer } from '../tokenizer.ts';
import { trainBytePairs } from '../train-byte-pair.ts';
import { findUnigrams, termOf, unigramRule } from './unigram-rule.ts';
import { type LabelRule, unigramUnits } from './unigram-units.ts';

const vocabularyOf = (terms: readonly string[]): OutputVocabulary => ({
  unigrams: unigramRule(),
  terms,
  counts: terms.map(() => 1),
  occurrences: terms.length,
});

const pieces = [
  'un',
  '##believ',
  '##able',
  'quant',
  '##ization',
  'cafe',
  '!',
  "'",
  't',
  'don',
  '5',
  '5€',
  '中',
  '##s',
  'ab',
  '##°',
  '##c',
];
const bert = tokenizerFromJson(bertTokenizerJson(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...pieces]));

const corpus = ['Unbelievable quantizations! 한국어 mp3', 'unbelievable mp3 player', 'The mp3s are unbelievable'];
const counts = new Map<string, number>();
for (const word of corpus.flatMap(byteLevelWords)) counts.set(word, (counts.get(word) ?? 0) + 1);
const pairs = trainBytePairs(counts, { vocabularySize: 290, specialTokens: bytePairSpecialTokens.roberta });
const bytes = tokenizerFromJson(bytePairTokenizerJson(pairs, { style: 'roberta', normalizer: null }));

/** Each token with its unit and the term of its label. */
function labelled(
  tokenizer: Tokenizer,
  terms: readonly string[],
  text: string,
  rule?: LabelRule,
): [string | undefined, number, string | undefined][] {
  const { ids, units, labels } = unigramUnits(tokenizer, vocabularyOf(terms), rule)(text);
  return Array.from(ids, (id, i) => [tokenizer.token(id), units[i]!, terms[labels[i]!]]);
}

describe('unigramUnits', () => {
  const terms = ['quantization', 'unbelievable', 'café', 'don', '中'];

  it('labels a unigram of three pieces once, at its first', () => {
    expect(labelled(bert, terms, 'Unbelievable quantization!')).toEqual([
      ['un', 0, 'unbelievable'],
      ['##believ', 0, undefined],
      ['##able', 0, undefined],
      ['quant', 1, 'quantization'],
      ['##ization', 1, undefined],
      ['!', -1, undefined],
    ]);
  });

  it('labels by other rules', () => {
    const labels = (rule: LabelRule): unknown[] =>
      labelled(bert, terms, 'unbelievable', rule).map(([, , term]) => term);
    expect(labels('last')).toEqual([undefined, undefined, 'unbelievable']);
    expect(labels('all')).toEqual(['unbelievable', 'unbelievable', 'unbelievable']);
  });

  it('leaves out unigrams that are no term, and finds terms that the tokenizer writes otherwise', () => {
    expect(labelled(bert, terms, "CAFÉ don't 中quants")).toEqual([
      ['cafe', 0, 'café'],
      ['don', 1, 'don'],
      ["'", -1, undefined],
      ['t', -1, undefined],
      ['中', 2, '中'],
      ['quant', -1, undefined],
      ['##s', -1, undefined],
    ]);
  });

  it('labels unknown words, but not pieces of more than the unigram', () => {
    expect(labelled(bert, ['xyz', '5', 'ab', 'c'], 'xyz 5€ ab°c 5 xyz°')).toEqual([
      ['[UNK]', 0, 'xyz'],
      ['5€', -1, undefined],
      ['ab', 1, 'ab'],
      ['##°', -1, undefined],
      ['##c', 2, 'c'],
      ['5', 3, '5'],
      ['[UNK]', -1, undefined],
    ]);
  });

  it('works with byte-level pieces, which a space and a change of class part', () => {
    const found = labelled(bytes, ['unbelievable', 'mp3', 'mp3s', '한국어'], ' Unbelievable  mp3s, 한국어mp3');
    const spelled = (unit: number): string =>
      found
        .filter(([, u]) => u === unit)
        .map(([token]) => token)
        .join('');
    expect(spelled(0).replace('Ġ', '')).toBe('Unbelievable');
    expect(spelled(1).replace('Ġ', '')).toBe('mp3s');
    expect(new Set(found.map(([, unit]) => unit))).toEqual(new Set([0, -1, 1]));
    expect(found.filter(([, , term]) => term !== undefined).map(([, unit, term]) => [unit, term])).toEqual([
      [0, 'unbelievable'],
      [1, 'mp3s'],
    ]);
    const korean = labelled(bytes, ['한국어'], '한국어');
    expect(korean.length).toBeGreaterThan(3);
    expect(korean.map(([, unit]) => unit)).toEqual(korean.map(() => 0));
    expect(korean.map(([, , term]) => term)).toEqual(['한국어', ...new Array(korean.length - 1).fill(undefined)]);
  });

  it('gives each unigram in the vocabulary one unit and one label, of any text', () => {
    const words = fc.constantFrom(
      'Unbelievable',
      'quantization',
      'mp3',
      'CAFÉ',
      'e\u0301',
      '한국어',
      '中',
      '5€',
      '!',
      "don't",
      '\u00ad',
      '\u200d',
      ' ',
      ' ',
      '\u{20000}',
      'xyz',
    );
    const known = ['unbelievable', 'mp3', 'café', 'é', '한국어', '中', 'don', '\u{20000}', 'xyz'];
    fc.assert(
      fc.property(fc.array(words, { maxLength: 12 }), fc.constantFrom(bert, bytes), (parts, tokenizer) => {
        const text = parts.join('');
        const rule = unigramRule();
        const { ids, units, labels } = unigramUnits(tokenizer, vocabularyOf(known))(text);
        expect([...ids]).toEqual([...tokenizer.encode(text, { addSpecialTokens: false })]);
        const expected = findUnigrams(text)
          .map(({ start, end }) => known.indexOf(termOf(text.slice(start, end), rule) ?? ''))
          .filter((dimension) => dimension !== -1);
        const found = [...labels].filter((dimension) => dimension !== -1);
        // WordPiece has no pieces for some words that lie within an unknown one.
        if (tokenizer === bytes) expect(found).toEqual(expected);
        expect(found.length).toBe(new Set([...units].filter((unit) => unit >= 0)).size);
        for (let i = 0; i < ids.length; i++) {
          const isFirst = units[i] !== -1 && units[i] !== units[i - 1];
          expect(labels[i] !== -1).toBe(isFirst);
          if (i > 0 && units[i]! >= 0 && units[i - 1]! >= 0) expect(units[i]! - units[i - 1]!).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 500 },
    );
  });
});
