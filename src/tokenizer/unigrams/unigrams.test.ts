import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../util/random.ts';
import { countUnigrams } from './count-unigrams.ts';
import { findUnigrams, termOf, unigramRule } from './unigram-rule.ts';

const unigramsOf = (text: string): string[] => findUnigrams(text).map(({ start, end }) => text.slice(start, end));

describe('findUnigrams', () => {
  it.each([
    ["don't stop-motion, 3.14 mp3", ['don', 't', 'stop', 'motion', '3', '14', 'mp3']],
    ['snake_case €5 5€ a°b', ['snake', 'case', '5', '5', 'a', 'b']],
    ['2024년 대한민국(Korea)에서는', ['2024년', '대한민국', 'Korea', '에서는']],
    ['\u1112\u1161\u11ab\u1100\u1173\u11af', ['\u1112\u1161\u11ab\u1100\u1173\u11af']],
    ['稀疏检索and検索する人々', ['稀', '疏', '检', '索', 'and', '検', '索', 'する', '人', '々']],
    ['\u{20000}\u{1d400}x 葛\u{e0100}a', ['\u{20000}', '\u{1d400}x', '葛\u{e0100}', 'a']],
    ['हिन्दी में नमस्ते', ['हिन्दी', 'में', 'नमस्ते']],
    ['می\u200cخواهم \u200cx\u200c, co\u00adop\u00ad', ['می\u200cخواهم', 'x', 'co\u00adop']],
    ['e\u0301te \u0301x \ud800y\udc00', ['e\u0301te', 'x', 'y']],
    ['', []],
    ['\u200c', []],
  ])('of %j', (text, expected) => {
    expect(unigramsOf(text)).toEqual(expected);
  });

  it('are those of a regular expression', () => {
    const joiners = '\\u00AD\\u200C\\u200D\\u2060';
    const pattern = new RegExp(
      `[[\\p{L}\\p{N}]&&\\p{Script=Han}]\\p{M}*(?:[${joiners}]+\\p{M}+)*|` +
        `[[\\p{L}\\p{N}]--\\p{Script=Han}](?:[${joiners}]*[[[\\p{L}\\p{N}]--\\p{Script=Han}]\\p{M}])*`,
      'gv',
    );
    const unit = fc.oneof(
      fc.constantFrom('a', 'B', '9', ' ', '漢', '한', '\u0301', '\u200c', '\u00ad', '\ud840\udc00', '々', '\u{e0100}'),
      fc.integer({ min: 0, max: 0x10ffff }).map((n) => String.fromCodePoint(n)),
    );
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 12 }), (units) => {
        const text = units.join('').replace(/\p{Surrogate}/gu, ' ');
        const found = text.match(pattern) ?? [];
        expect(unigramsOf(text)).toEqual([...found]);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('termOf', () => {
  const rule = unigramRule();
  it.each([
    ['Paris', 'paris'],
    ['ÉTÉ', 'été'],
    ['e\u0301te\u0301', 'été'],
    ['ﬁＡＢＣ①', 'fiabc1'],
    ['\u1112\u1161\u11ab', '한'],
    ['ΟΔΟΣ', 'οδος'],
    ['co\u00adop', 'coop'],
    ['می\u200cخواهم', 'میخواهم'],
    ['½', undefined],
    ['ﷺ', undefined],
    ['x'.repeat(64), 'x'.repeat(64)],
    ['x'.repeat(65), undefined],
    ['😀'.repeat(3), undefined],
  ])('of %j is %j', (unigram, term) => {
    expect(termOf(unigram, rule)).toBe(term);
  });

  it('follows the rule', () => {
    expect(termOf('Été', unigramRule({ lowercase: false }))).toBe('Été');
    expect(termOf('Été', unigramRule({ stripAccents: true }))).toBe('ete');
    expect(termOf('한글', unigramRule({ stripAccents: true }))).toBe('한글');
    expect(termOf('\u1112\u1161\u11ab', unigramRule({ normalization: 'none' }))).toBe('\u1112\u1161\u11ab');
    expect(termOf('ﬁ', unigramRule({ normalization: 'NFC' }))).toBe('ﬁ');
    expect(termOf('한국어', unigramRule({ maxLength: 3 }))).toBe('한국어');
  });

  it('is the same with a joiner inside, which is left out', () => {
    // Without a joiner, unigrams of characters that no rule changes are not normalized at all.
    const rules = [rule, unigramRule({ stripAccents: true }), unigramRule({ normalization: 'NFC', lowercase: false })];
    const wrong: string[] = [];
    for (let unit = 0x80; unit < 1 << 16; unit++) {
      const character = String.fromCharCode(unit);
      if (!/[\p{L}\p{N}]/u.test(character)) continue;
      for (const before of ['가', 'ж']) {
        for (const one of rules) {
          const same = termOf(before + character, one) === termOf(`${before}\u00ad${character}`, one);
          if (!same) wrong.push(before + character);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('is a term of itself', () => {
    const rules = [rule, unigramRule({ stripAccents: true }), unigramRule({ normalization: 'NFC' })];
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
        fc.constantFrom(...rules),
        (text, one) => {
          for (const unigram of unigramsOf(text)) {
            const term = termOf(unigram, one);
            if (term === undefined) continue;
            expect(termOf(term, one)).toBe(term);
            expect(unigramsOf(`(${term}) ${term}`)).toEqual([term, term]);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('countUnigrams', () => {
  const random = new Random(8);
  const forms = Array.from({ length: 500 }, (_, i) => [`wort${i}`, `Wort${i}`, `WORT${i}`, `wörter${i}`]).flat();
  const texts = Array.from({ length: 4000 }, () =>
    Array.from({ length: 10 }, () => forms[Math.floor(forms.length ** random.uniform()) - 1 + random.integer(2)]).join(
      ', ',
    ),
  );
  const counts = new Map<string, number>();
  for (const word of texts
    .join(' ')
    .match(/\w+|wörter\d+/gu)!
    .map((word) => word.toLowerCase())) {
    if (/^(wort|wörter)\d+$/.test(word)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }

  it('gives the most frequent terms with their forms, whether they fit into memory or not', async () => {
    const inMemory = await countUnigrams(texts, { rule: unigramRule(), size: 100 });
    expect(inMemory.spills).toBe(0);
    const expected = new Map<string, Map<string, number>>();
    for (const surface of texts.flatMap((text) => text.split(', '))) {
      const all = expected.get(surface.toLowerCase()) ?? new Map<string, number>();
      expected.set(surface.toLowerCase(), all.set(surface, (all.get(surface) ?? 0) + 1));
    }
    const total = (all: ReadonlyMap<string, number>): number => [...all.values()].reduce((a, b) => a + b, 0);
    const sorted = [...expected].sort(([a, m], [b, n]) => total(n) - total(m) || (a < b ? -1 : 1));
    expect(inMemory.terms.map(({ term, count }) => [term, count])).toEqual(
      sorted.slice(0, 100).map(([term, all]) => [term, total(all)]),
    );
    for (const { term, forms: found } of inMemory.terms) {
      expect(new Map(found.map(({ text, count }) => [text, count]))).toEqual(expected.get(term));
      expect(found.map(({ count }) => count)).toEqual([...found.map(({ count }) => count)].sort((a, b) => b - a));
    }
    const { profile } = inMemory;
    expect(profile.words).toBe(expected.size);
    expect(profile.occurrences).toBe(40_000);
    const cumulative = (n: number): number => sorted.slice(0, n).reduce((sum, [, all]) => sum + total(all), 0) / 40_000;
    for (const n of [0, 1, 10, 100, 400, 5000]) expect(profile.coverage(n)).toBeCloseTo(cumulative(n), 12);
    expect(profile.atLeast(2)).toBe(sorted.filter(([, all]) => total(all) >= 2).length);

    const spilled = await countUnigrams(texts, {
      rule: unigramRule(),
      size: 100,
      mostWords: 50,
      temporaryFolder: tmpdir(),
    });
    expect(spilled.spills).toBeGreaterThan(20);
    expect(spilled.terms).toEqual(inMemory.terms);
    expect(spilled.profile.coverage(77)).toBe(profile.coverage(77));
  });

  it('leaves out rare terms, and counts unigrams without a term', async () => {
    const {
      terms,
      withoutTerm,
      profile,
      texts: count,
    } = await countUnigrams(['a b ½', 'a ½ ﷺ', 'c'], {
      rule: unigramRule(),
      size: 10,
    });
    expect(terms).toEqual([{ term: 'a', count: 2, forms: [{ text: 'a', count: 2 }] }]);
    expect({ withoutTerm, count, words: profile.words }).toEqual({ withoutTerm: 3, count: 3, words: 3 });
  });

  it('refuses texts without unigrams, and stops when told to', async () => {
    const rule = unigramRule();
    await expect(countUnigrams(['...', '½'], { rule, size: 9 })).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(countUnigrams(['a'], { rule, size: 0 })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(countUnigrams(['a'], { rule, size: 9, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  });
});
