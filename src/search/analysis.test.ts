import { expect, it } from 'vitest';
import { createAnalyzer } from './analysis.ts';

const analyze = createAnalyzer();

it.each([
  ['', []],
  [' \n—…', []],
  ["Don't PANIC: 42nd-century e-mail_x!", ['don', 't', 'panic', '42nd', 'century', 'e', 'mail', 'x']],
  ['Ångström naïve ΣΊΣΥΦΟΣ', ['ångström', 'naïve', 'σίσυφος']],
  ['한국어 검색, 日本語。', ['한국어', '검색', '日本語']],
  ['हिन्दी में', ['हिन्दी', 'में']],
  ['cafe\u0301', ['café']],
  ['İstanbul', ['i\u0307stanbul']],
  ['\u{1D7D8}\u{10400}', ['\u{1D7D8}\u{10428}']],
])('%j becomes %j', (text, words) => {
  expect(analyze(text)).toEqual(words);
});

it('stems when asked', () => {
  expect(createAnalyzer({ stemming: 'porter' })('Relational databases, relational')).toEqual([
    'relat',
    'databas',
    'relat',
  ]);
});

it('takes a text of a million characters', () => {
  expect(analyze('a b'.repeat(350_000)).length).toBe(350_001);
  expect(analyze('x'.repeat(1_000_000)).length).toBe(1);
});
