import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../util/random.ts';
import { SpillingCounter, type SpillingCounterOptions } from './spilling-counter.ts';
import { WordTable } from './word-table.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-'));
});
afterAll(() => rm(folder, { recursive: true }));

const counted = (words: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
};

describe('WordTable', () => {
  it('counts as a Map does, words as parts of a text', () => {
    const word = fc.oneof(fc.string({ maxLength: 4 }), fc.string({ unit: 'binary', maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const table = new WordTable();
        const text = words.join('');
        let at = 0;
        for (const { length } of words) {
          table.add(text, at, at + length);
          at += length;
        }
        const expected = counted(words);
        expect(new Map(table.entries())).toEqual(expected);
        expect(table.size).toBe(expected.size);
        expect(table.units).toBe([...expected.keys()].join('').length);
      }),
      { numRuns: 30 },
    );
  });

  it('grows, and begins anew after clear', () => {
    const table = new WordTable();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 30_000; i++) table.add(`word ${i % 20_000}`);
      table.add('x'.repeat(10_000));
      const counts = new Map(table.entries());
      expect(counts.size).toBe(20_001);
      expect(counts.get('word 7')).toBe(2);
      expect(counts.get('word 19999')).toBe(1);
      expect(counts.get('x'.repeat(10_000))).toBe(1);
      table.clear();
    }
  });
});

describe('SpillingCounter', () => {
  async function count(words: readonly string[], options: SpillingCounterOptions): Promise<SpillingCounter> {
    const counter = new SpillingCounter({ temporaryFolder: folder, ...options });
    for (const word of words) {
      counter.table.add(word);
      if (counter.isFull) await counter.spill();
    }
    return counter;
  }
  const random = new Random(3);
  const words = Array.from({ length: 20_000 }, () => `w${Math.floor(2000 ** random.uniform())}ß`);
  words.push('\n', '\\n', ' \r', '\\', 'a\\\nb', '\n');
  const expected = [...counted(words)].sort(([a], [b]) => (a < b ? -1 : 1));

  it.each([
    ['in memory', {}, 0],
    ['with words of one number', { mostWords: 5000, keyOf: (word: string) => `\u0001${word}` }, 0],
    ['with a few runs', { mostWords: 700 }, 3],
    ['with runs of several levels', { mostWords: 3 }, 1000],
    ['with a limit of units', { mostUnits: 500 }, 20],
  ])('counts exactly and in order %s', async (_, options, spills) => {
    const counter = await count(words, options);
    expect(counter.spills).toBeGreaterThanOrEqual(spills);
    const files = (await readdir(folder, { recursive: true })).filter((name) => name.includes('run-'));
    expect(files.length).toBeLessThan(100);
    const merged: (readonly [string, number])[] = [];
    for await (const entry of counter.merged()) merged.push(entry);
    const plain = merged.map(([word, count]) => [word.startsWith('\u0001') ? word.slice(1) : word, count] as const);
    expect(plain.sort(([a], [b]) => (a < b ? -1 : 1))).toEqual(expected);
    expect(new Set(merged.map(([word]) => word)).size).toBe(expected.length);
    expect(await readdir(folder)).toEqual([]);
  });

  it('gives keys, and leaves out words without one', async () => {
    const counter = await count(['b', 'A', 'a', 'B', '-', 'a'], {
      mostWords: 2,
      keyOf: (word) => (word === '-' ? undefined : `${word.toLowerCase()}\u0001${word}`),
    });
    const merged: (readonly [string, number])[] = [];
    for await (const entry of counter.merged()) merged.push(entry);
    const [a, b] = [
      [
        ['a\u0001A', 1],
        ['a\u0001a', 2],
      ],
      [
        ['b\u0001B', 1],
        ['b\u0001b', 1],
      ],
    ];
    expect(merged).toEqual(merged[0]![0].startsWith('a') ? [...a!, ...b!] : [...b!, ...a!]);
  });

  it('removes its files when it is given up', async () => {
    const counter = await count(words, { mostWords: 100 });
    expect(await readdir(folder)).toHaveLength(1);
    await counter.dispose();
    expect(await readdir(folder)).toEqual([]);
  });
});
