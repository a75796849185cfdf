import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTrainingExamples } from '../../data/read-training-examples.ts';
import { Bm25 } from '../../search/bm25.ts';
import { innerProduct } from '../../search/searchers/exhaustive.ts';
import { Random } from '../../util/random.ts';
import { type MineOptions, minedLine, mineNegatives } from './mine-negatives.ts';
import { openMiningSource } from './mining-source.ts';
import { bm25System } from './mining-system.ts';

let folder = '';
const at = (...parts: string[]): string => join(folder, ...parts);
const words = Array.from({ length: 40 }, (_, i) => `word${i}`);
const documents = new Map<string, string>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lexray-mine-'));
  const random = new Random(11);
  const text = (length: number): string =>
    Array.from({ length }, () => words[Math.floor(random.uniform() ** 2 * words.length)]!).join(' ');
  for (let i = 0; i < 120; i++) documents.set(`d${i}`, text(3 + random.integer(8)));
  documents.set('blank', ' ');
  documents.set('copy', documents.get('d0')!);
  documents.set('shout', documents.get('d0')!.toUpperCase());
  mkdirSync(at('beir', 'qrels'), { recursive: true });
  writeFileSync(
    at('beir', 'corpus.jsonl'),
    Array.from(documents, ([_id, value]) => `${JSON.stringify({ _id, title: '', text: value })}\n`).join(''),
  );
  const queries = Array.from({ length: 12 }, (_, i) => ({
    _id: `q${i}`,
    text: i === 0 ? documents.get('d0')!.split(' ').slice(0, 3).join(' ') : text(3),
  }));
  writeFileSync(at('beir', 'queries.jsonl'), queries.map((query) => `${JSON.stringify(query)}\n`).join(''));
  const judgements = [
    'query-id\tcorpus-id\tscore',
    'q0\td0\t1',
    'q0\td1\t2',
    'q0\td2\t0',
    'q1\tabsent\t1',
    'q2\tblank\t1',
  ];
  for (let i = 3; i < 12; i++) judgements.push(`q${i}\td${i * 7}\t1`);
  writeFileSync(at('beir', 'qrels', 'train.tsv'), `${judgements.join('\n')}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const mine = async (options: MineOptions = {}, path = at('beir'), corpus?: string) =>
  mineNegatives(await openMiningSource(path, { corpus }), bm25System(), options);

describe('mining a BEIR folder by BM25', () => {
  it('takes the ranks that scoring every document gives', async () => {
    const { pairs, counts, leftOut } = await mine({ ranks: [2, 6], count: 5, pick: 'top', scores: true });
    const list = Array.from(documents, ([docid, text]) => ({ docid, title: '', text }));
    const bm25 = await Bm25.fit(list);
    expect(pairs.map(({ query, positive }) => `${query.qid} ${positive.docid}`)).toEqual([
      'q0 d0',
      'q0 d1',
      ...Array.from({ length: 9 }, (_, i) => `q${i + 3} d${(i + 3) * 7}`),
    ]);
    expect(leftOut).toBe(2);
    let duplicates = 0;
    for (const { query, positive, negatives, scores } of pairs) {
      const vector = bm25.encodeQuery(query.text);
      const score = (docid: string): number => innerProduct(vector, bm25.vectors.row(bm25.vectors.ids.indexOf(docid)));
      const relevant = query.qid === 'q0' ? ['d0', 'd1'] : [positive.docid!];
      const ranked = list
        .map(({ docid, text }) => ({ docid, text, score: score(docid) }))
        .filter(({ docid, score: value }) => value > 0 && !relevant.includes(docid))
        .sort((a, b) => b.score - a.score || (a.docid < b.docid ? 1 : -1))
        .slice(1, 6);
      const texts = new Set([
        ...relevant.map((docid) => documents.get(docid)!.toLowerCase()),
        query.text.toLowerCase(),
      ]);
      const kept = ranked.filter(({ text }) => texts.size < texts.add(text.toLowerCase()).size);
      duplicates += ranked.length - kept.length;
      expect(negatives).toEqual(kept.map(({ docid, text }) => ({ docid, text })));
      expect(scores).toEqual([score(positive.docid!), ...kept.map((one) => one.score)]);
      expect(positive.text).toBe(documents.get(positive.docid!));
    }
    expect(counts.exactDuplicates + counts.normalizedDuplicates + counts.repeated).toBeGreaterThanOrEqual(duplicates);
    expect(duplicates).toBeGreaterThan(0);
  });

  it('keeps positive-aware distance', async () => {
    const { pairs, counts } = await mine({ ranks: [1, 100], count: 100, excludeAbove: 0.8, scores: true });
    expect(counts.aboveMargin).toBeGreaterThan(0);
    for (const { scores } of pairs) {
      const [positive, ...others] = scores!;
      for (const score of others) expect(score).toBeLessThanOrEqual(0.8 * positive!);
    }
    expect(pairs.filter(({ negatives }) => negatives.length === 0)).toHaveLength(
      counts.none - 2, // of the pairs that are left out
    );
  });

  it('draws the same with the same seed, and others with another', async () => {
    const draw = async (seed: number) => (await mine({ ranks: [1, 60], count: 4, seed })).pairs.map(minedLine);
    expect(await draw(1)).toEqual(await draw(1));
    expect(await draw(1)).not.toEqual(await draw(2));
  });

  it('writes lines that the reader of training data takes', async () => {
    const { pairs } = await mine({ ranks: [1, 30], count: 3, scores: true });
    writeFileSync(at('mined.jsonl'), pairs.map(minedLine).join(''));
    const examples = await readTrainingExamples(at('mined.jsonl'));
    expect(examples).toEqual(
      pairs.map(({ query, positive, negatives, scores }) => ({
        query: query.text,
        positive: positive.text,
        negatives: negatives.map(({ text }) => text),
        id: query.qid,
        positiveId: positive.docid,
        scores,
      })),
    );
  });

  it('warns of pairs that are left out or short', async () => {
    const warnings: string[] = [];
    await mine({ ranks: [1, 3], count: 5, excludeAbove: 0.001, onWarning: (message) => warnings.push(message) });
    expect(warnings).toContain('2 pairs are left out: their positive is not in the corpus, or has no text');
    expect(warnings.join()).toMatch(/13 of 13 pairs have fewer than 5 negatives, \d+ of them have none/);
    expect(warnings.join()).toMatch(/pairs get no negatives: their positive is not found/);
  });

  it("drops the document whose id is the query's, where told to", async () => {
    writeFileSync(
      at('same.jsonl'),
      '{"_id":"s1","text":"word1 word2"}\n{"_id":"x","text":"word1 word2 word3"}\n{"_id":"y","text":"word2 word9"}\n',
    );
    writeFileSync(at('pairs.jsonl'), '{"query":"word2 word2 word1","query_id":"x","pos":["s1"]}\n');
    const ids = async (dropSameId: boolean) => {
      const mined = await mine({ ranks: [1, 9], pick: 'top', dropSameId }, at('pairs.jsonl'), at('same.jsonl'));
      return mined.pairs[0]!.negatives.map(({ docid }) => docid);
    };
    expect(await ids(false)).toEqual(['x', 'y']);
    expect(await ids(true)).toEqual(['y']);
  });

  it.each<[MineOptions, RegExp]>([
    [{ ranks: [0, 5] }, /ranks from 1 upwards/],
    [{ ranks: [6, 5] }, /ranks from 1 upwards/],
    [{ ranks: [1.5, 5] }, /ranks from 1 upwards/],
    [{ count: 0 }, /at least one negative/],
    [{ excludeAbove: 0 }, /must be above 0/],
  ])('refuses %j', async (options, message) => {
    await expect(mine(options)).rejects.toThrow(message);
  });

  it('stops when the signal fires', async () => {
    await expect(mine({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

describe('mining pairs of texts', () => {
  it('searches their own documents without a corpus', async () => {
    writeFileSync(at('own.tsv'), 'red apple\ta red apple\nred car\ta red car\ngreen apple\tgreen apple pie\n');
    const { documents: count, pairs } = await mine({ ranks: [1, 9], pick: 'top' }, at('own.tsv'));
    expect(count).toBe(3);
    expect(pairs.map(({ query, negatives }) => [query.text, negatives.map(({ text }) => text)])).toEqual([
      ['red apple', ['green apple pie', 'a red car']],
      ['red car', ['a red apple']],
      ['green apple', ['a red apple']],
    ]);
  });

  it('says so when nothing is left to mine for', async () => {
    writeFileSync(at('beir', 'qrels', 'lost.tsv'), 'query-id\tcorpus-id\tscore\nq1\tabsent\t1\n');
    const source = await openMiningSource(at('beir'), { split: 'lost' });
    await expect(mineNegatives(source, bm25System())).rejects.toThrow(/no pair is left of 1/);
  });

  it('finds positives in the corpus by their text, and duplicates of them', async () => {
    writeFileSync(at('texts.tsv'), 'red apple\ta red apple\n');
    writeFileSync(at('corpus.tsv'), '1\ta red apple\n2\ta red apple\n3\tA Red Apple\n4\tred wine\n');
    const { pairs, counts } = await mine({ ranks: [1, 9], scores: true }, at('texts.tsv'), at('corpus.tsv'));
    expect(pairs[0]!.positive.docid).toBe('1');
    expect(pairs[0]!.negatives).toEqual([{ docid: '4', text: 'red wine' }]);
    expect(pairs[0]!.scores).toHaveLength(2);
    expect(counts).toMatchObject({ positives: 1, exactDuplicates: 1, normalizedDuplicates: 1 });
  });

  it('refuses a split without relevant documents, and a corpus without documents', async () => {
    writeFileSync(at('beir', 'qrels', 'none.tsv'), 'query-id\tcorpus-id\tscore\nq0\td0\t0\n');
    await expect(openMiningSource(at('beir'), { split: 'none' })).rejects.toThrow(
      /no query of the split "none" has a relevant document/,
    );
    await expect(openMiningSource(at('texts.tsv'), { corpus: at('nowhere') })).rejects.toThrow(
      /there are no documents in/,
    );
  });
});
