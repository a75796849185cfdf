import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../util/random.ts';
import { type Candidate, noCounts, type SelectionOptions, selectNegatives } from './select-negatives.ts';
import { textKey } from './text-keys.ts';

const all: SelectionOptions = { ranks: [1, 1000], count: 1000, pick: 'top', excludeAbove: undefined };

/** Candidates with these texts, docids a, b, c…, scores 10, 9, 8…. */
function found(...texts: string[]): Candidate[] {
  return texts.map((text, i) => ({ docid: String.fromCharCode(97 + i), score: 10 - i, key: textKey(text) }));
}

function select(
  candidates: readonly Candidate[],
  options: Partial<SelectionOptions> = {},
  {
    positives = [],
    docids = [],
    query = 'the query',
    score,
  }: {
    positives?: string[];
    docids?: string[];
    query?: string;
    score?: number;
  } = {},
) {
  const counts = noCounts();
  const forbidden = { docids: new Set(docids), positives: positives.map(textKey), query: textKey(query) };
  const chosen = selectNegatives(candidates, forbidden, score, { ...all, ...options }, new Random(1), counts);
  const nonZero = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  return [chosen.map(({ docid }) => docid).join(''), nonZero];
}

describe('selectNegatives', () => {
  const five = found('v', 'w', 'x', 'y', 'z');

  it('takes what is in the window of ranks, positives not counted', () => {
    expect(select(five, { ranks: [2, 3], count: 2 })).toEqual(['bc', {}]);
    expect(select(five, { ranks: [2, 3], count: 2 }, { docids: ['b'] })).toEqual(['cd', { positives: 1 }]);
    expect(select(five, { ranks: [1, 2], count: 2 }, { docids: ['e'] })).toEqual(['ab', {}]);
    expect(select(five, { ranks: [6, 9], count: 2 })).toEqual(['', { short: 1, none: 1 }]);
  });

  it('leaves out the texts of positives, exactly and normalised, of the query, and repetitions', () => {
    const texts = found('Positive  one', ' Positive one', 'POSITIVE\tone', 'The Query', 'other', 'OTHER', 'last');
    expect(select(texts, { count: 2 }, { positives: ['Positive one'] })).toEqual([
      'eg',
      { exactDuplicates: 1, normalizedDuplicates: 2, repeated: 2 },
    ]);
  });

  it('leaves out what scores above a share of the positive', () => {
    expect(select(five, { excludeAbove: 0.9, count: 3 }, { score: 10 })).toEqual(['bcd', { aboveMargin: 1 }]);
    expect(select(five, { excludeAbove: 0.85, count: 3 }, { score: 10 })).toEqual(['cde', { aboveMargin: 2 }]);
    expect(select(five, { excludeAbove: 2, count: 5 }, { score: 10 })).toEqual(['abcde', {}]);
  });

  it('takes nothing where the positive has no score to compare with', () => {
    const nothing = ['', { aboveMargin: 5, withoutScore: 1, short: 1, none: 1 }];
    expect(select(five, { excludeAbove: 0.9 })).toEqual(nothing);
    expect(select(five, { excludeAbove: 0.9 }, { score: 0 })).toEqual(nothing);
  });

  it('samples without repetition, in the order of ranks, every one as often', () => {
    const random = new Random(3);
    const times = new Map<string, number>();
    for (let i = 0; i < 2000; i++) {
      const forbidden = { docids: new Set<string>(), positives: [], query: textKey('q') };
      const options: SelectionOptions = { ...all, count: 2, pick: 'random' };
      const chosen = selectNegatives(five, forbidden, undefined, options, random, noCounts());
      const docids = chosen.map(({ docid }) => docid);
      expect(docids).toEqual([...new Set(docids)].sort());
      for (const docid of docids) times.set(docid, (times.get(docid) ?? 0) + 1);
    }
    // 2000 draws of 2 of 5: mean 800, standard deviation 22
    for (const docid of 'abcde') expect(Math.abs(times.get(docid)! - 800)).toBeLessThan(110);
  });

  it('never takes what is forbidden, and accounts for every candidate of the window', () => {
    const text = fc.constantFrom('a', 'A', 'b', 'B ', 'c', 'd', 'e', 'f', 'the query');
    const anyOptions = fc.record({
      ranks: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat(8)).map(([from, more]) => [from, from + more] as const),
      count: fc.integer({ min: 1, max: 12 }),
      pick: fc.constantFrom('random' as const, 'top' as const),
      excludeAbove: fc.constantFrom(undefined, 0.7, 0.95),
    });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 12 }), anyOptions, fc.nat(11), (texts, options, positive) => {
        const candidates = found(...texts);
        const docids = new Set([String.fromCharCode(97 + positive)]);
        const positives = [textKey(texts[positive] ?? 'nowhere')];
        const counts = noCounts();
        const forbidden = { docids, positives, query: textKey('the query') };
        const chosen = selectNegatives(candidates, forbidden, 9, options, new Random(1), counts);
        const others = candidates
          .filter(({ docid }) => !docids.has(docid))
          .slice(options.ranks[0] - 1, options.ranks[1]);
        for (const { docid, key, score } of chosen) {
          expect(others.map((other) => other.docid)).toContain(docid);
          expect(positives[0]!.normalized === key.normalized || forbidden.query.normalized === key.normalized).toBe(
            false,
          );
          if (options.excludeAbove) expect(score).toBeLessThanOrEqual(9 * options.excludeAbove);
        }
        expect(new Set(chosen.map(({ key }) => key.normalized)).size).toBe(chosen.length);
        const { exactDuplicates, normalizedDuplicates, repeated, aboveMargin } = counts;
        const kept = others.length - exactDuplicates - normalizedDuplicates - repeated - aboveMargin;
        expect(chosen).toHaveLength(Math.min(kept, options.count));
      }),
    );
  });
});
