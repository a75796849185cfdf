import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Document } from '../data/document.ts';
import { createAnalyzer } from './analysis.ts';
import { Bm25, bm25QueryEncoder } from './bm25.ts';
import { buildIndex } from './inverted-index.ts';
import { ExactSearcher } from './searchers/exact.ts';

const analyze = createAnalyzer();

const document = (docid: string, text: string, title = ''): Document => ({ docid, title, text });

/** The published formula, document by document, in float64. */
function score(documents: readonly Document[], query: string, docid: string, k1: number, b: number): number {
  const texts = new Map(documents.map(({ docid: id, title, text }) => [id, analyze(`${title} ${text}`)]));
  const words = texts.get(docid)!;
  const averageLength = [...texts.values()].reduce((sum, { length }) => sum + length, 0) / texts.size;
  return analyze(query).reduce((sum, word) => {
    const df = [...texts.values()].filter((other) => other.includes(word)).length;
    const tf = words.filter((other) => other === word).length;
    if (tf === 0) return sum;
    const idf = Math.log(1 + (texts.size - df + 0.5) / (df + 0.5));
    return sum + (idf * tf) / (tf + k1 * (1 - b + (b * words.length) / averageLength));
  }, 0);
}

describe('Bm25', () => {
  it('scores as the formula does, through the searcher', async () => {
    const text = fc.array(fc.constantFrom('red', 'green', 'blue', 'shoe', 'boot'), { maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 12 }),
        text,
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (texts, words, k1, b) => {
          const documents = texts.map(([title, body], i) => document(`d${i}`, body.join(' '), title.join(' ')));
          const query = words.join(' ');
          const bm25 = await Bm25.fit(documents, { k1, b });
          const searcher = new ExactSearcher(buildIndex(bm25.vectors));
          const hits = await searcher.search(bm25.encodeQuery(query), { k: 20 });
          const scores = documents.map(({ docid }) => score(documents, query, docid, k1, b));
          expect(hits.length).toBe(scores.filter((value) => value > 0).length);
          for (const { docid, score: found } of hits) {
            const expected = scores[Number(docid.slice(1))]!;
            expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-6 * (1 + expected));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('gives a worked example', async () => {
    const bm25 = await Bm25.fit([document('a', 'red red shoe'), document('b', 'blue shoe'), document('c', '')]);
    expect(bm25.tokens).toEqual(['red', 'shoe', 'blue']);
    expect(bm25.averageLength).toBeCloseTo(5 / 3, 12);
    // red in a: ln(1 + 2.5/1.5) · 2 / (2 + .9·(.6 + .4·3/(5/3)))
    expect(bm25.vectors.row(0).values[0]).toBeCloseTo((Math.log(1 + 2.5 / 1.5) * 2) / (2 + 0.9 * (0.6 + 0.72)), 6);
    const { indices, values } = bm25.encodeQuery('Shoe, blue shoe: unheard');
    expect([[...indices], [...values]]).toEqual([
      [1, 2],
      [2, 1],
    ]);
    expect(bm25.config).toEqual({ k1: 0.9, b: 0.4, stemming: 'none' });
  });

  it('stems documents and queries alike, and encodes queries from what was kept', async () => {
    const stream = async function* (): AsyncGenerator<Document> {
      yield document('a', 'connected shoes');
    };
    const bm25 = await Bm25.fit(stream(), { stemming: 'porter' });
    expect([...bm25.encodeQuery('connecting').indices]).toEqual([0]);
    expect(bm25QueryEncoder(bm25.tokens, bm25.config)('connecting shoe')).toEqual(bm25.encodeQuery('connecting shoe'));
  });

  it('takes collections without documents or without words', async () => {
    for (const documents of [[], [document('a', ''), document('b', '…')]]) {
      const bm25 = await Bm25.fit(documents);
      expect(bm25.vectors.length).toBe(documents.length);
      expect(bm25.averageLength).toBe(0);
      expect(bm25.tokens.length).toBe(bm25.vectors.dimensions);
      expect(await new ExactSearcher(buildIndex(bm25.vectors)).search(bm25.encodeQuery('a'), { k: 1 })).toEqual([]);
    }
  });

  it('refuses options out of range, repeated documents, and stops at a signal', async () => {
    await expect(Bm25.fit([], { k1: -1 })).rejects.toThrow(/k1/);
    await expect(Bm25.fit([], { k1: Number.NaN })).rejects.toThrow(/k1/);
    await expect(Bm25.fit([], { b: 1.1 })).rejects.toThrow(/b must be/);
    await expect(Bm25.fit([document('a', 'x'), document('a', 'y')])).rejects.toThrow(/"a" occurs twice/);
    const signal = AbortSignal.abort();
    await expect(Bm25.fit([document('a', 'x')], { signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
