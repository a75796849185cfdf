import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SparseVector, sparseVector } from '../sparse-vector.ts';
import { SparseVectors } from '../sparse-vectors.ts';
import { documentFrequency } from '../statistics.ts';
import { MaxPostings } from './max-postings.ts';
import { parsePruneStrategies, pruneStrategyNames, pruneVectors } from './parse-prune-strategy.ts';
import { entriesOf, pruneStrategySuite, someVectors } from './prune-strategy.suite.ts';
import { ShareOfHeaviest } from './share-of-heaviest.ts';
import { ShareOfMass } from './share-of-mass.ts';
import { ShareOfPostings } from './share-of-postings.ts';
import { ShareOfTerms } from './share-of-terms.ts';
import { Threshold } from './threshold.ts';
import { TopK } from './top-k.ts';

const share = fc.constantFrom(0.05, 0.2, 0.3, 0.5, 0.8, 0.99, 1);

describe('top-k', () => {
  pruneStrategySuite((k) => new TopK(k), { values: fc.nat(26), keepsAll: 0, idempotent: true });

  it('keeps what a naive version keeps', () => {
    fc.assert(
      fc.property(someVectors, fc.integer({ min: 1, max: 26 }), (vectors, k) => {
        const pruned = new TopK(k).prune(vectors);
        for (let row = 0; row < vectors.length; row++) expect(pruned.row(row)).toEqual(naiveTop(vectors.row(row), k));
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  it('refuses what is no count', () => {
    for (const k of [-1, 2.5, Number.NaN]) expect(() => new TopK(k)).toThrow(/top-k must be an integer/);
  });
});

describe('threshold', () => {
  pruneStrategySuite((least) => new Threshold(least), {
    values: fc.constantFrom(0.1, 0.5, 0.6, 1, 2, 4),
    keepsAll: 0,
    idempotent: true,
  });

  it('keeps exactly what is at least the threshold, as float32', () => {
    const vectors = one([0.6, 0.7, 0.8, -1]);
    expect([...new Threshold(0.7).prune(vectors).indices]).toEqual([1, 2]);
    expect(() => new Threshold(Number.POSITIVE_INFINITY)).toThrow(/finite/);
  });
});

describe('share of the heaviest', () => {
  pruneStrategySuite((value) => new ShareOfHeaviest(value), { values: share, keepsAll: 0.01, idempotent: true });

  it('by hand: 40 % of 3 is 1.2', () => {
    expect([...new ShareOfHeaviest(0.4).prune(one([1, 1.2, 3, 1.25])).indices]).toEqual([1, 2, 3]);
    expect([...new ShareOfHeaviest(1).prune(one([0.7, 0.3, 0.7])).indices]).toEqual([0, 2]);
  });
});

describe('share of mass', () => {
  pruneStrategySuite((value) => new ShareOfMass(value), { values: share, keepsAll: 1, idempotent: false });

  it('by hand: of 5, 3, 2 the first carries 50 %, two carry 80 %', () => {
    const vectors = one([3, 5, 2]);
    const terms = (value: number): number[] => [...new ShareOfMass(value).prune(vectors).indices];
    expect(terms(0.5)).toEqual([1]);
    expect(terms(0.51)).toEqual([0, 1]);
    expect(terms(0.8)).toEqual([0, 1]);
    expect(terms(0.81)).toEqual([0, 1, 2]);
  });

  it('reaches the share, and would not with one term less', () => {
    fc.assert(
      fc.property(someVectors, share, (vectors, value) => {
        const pruned = new ShareOfMass(value).prune(vectors);
        for (let row = 0; row < vectors.length; row++) {
          const total = sum(vectors.row(row));
          const { values } = pruned.row(row);
          expect(sum(pruned.row(row))).toBeGreaterThanOrEqual(value * total - 1e-6 * total);
          if (values.length > 0) expect(sum(pruned.row(row)) - Math.min(...values)).toBeLessThan(value * total);
        }
      }),
      { seed: 6, numRuns: 200 },
    );
  });
});

describe('share of terms', () => {
  pruneStrategySuite((value) => new ShareOfTerms(value), { values: share, keepsAll: 1, idempotent: false });

  it('keeps the heaviest ⌈s·n⌉ terms of each vector', () => {
    fc.assert(
      fc.property(someVectors, fc.integer({ min: 1, max: 20 }), (vectors, twentieths) => {
        const pruned = new ShareOfTerms(twentieths / 20).prune(vectors);
        for (let row = 0; row < vectors.length; row++) {
          const vector = vectors.row(row);
          const wanted = Math.floor((twentieths * vector.indices.length + 19) / 20);
          expect(pruned.row(row)).toEqual(naiveTop(vector, wanted));
        }
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it('refuses shares of 0 and above 1', () => {
    for (const value of [0, 1.01, Number.NaN]) {
      for (const make of [ShareOfTerms, ShareOfMass, ShareOfPostings, ShareOfHeaviest]) {
        expect(() => new make(value)).toThrow(/above 0 and at most 1/);
      }
    }
  });
});

describe('share of postings', () => {
  pruneStrategySuite((value) => new ShareOfPostings(value), { values: share, keepsAll: 1, idempotent: false });

  it('keeps the heaviest ⌈s·n⌉ postings of all, of ties the first', () => {
    fc.assert(
      fc.property(someVectors, fc.integer({ min: 1, max: 20 }), (vectors, twentieths) => {
        const pruned = new ShareOfPostings(twentieths / 20).prune(vectors);
        const all = listOf(vectors).sort((a, b) => b.weight - a.weight || a.row - b.row || a.term - b.term);
        const wanted = all.slice(0, Math.floor((twentieths * all.length + 19) / 20));
        expect(entriesOf(pruned)).toEqual(new Set(wanted.map(({ row, term }) => `d${row}:${term}`)));
      }),
      { seed: 8, numRuns: 200 },
    );
  });
});

describe('maximum postings length', () => {
  pruneStrategySuite((most) => new MaxPostings(most), {
    values: fc.integer({ min: 1, max: 13 }),
    keepsAll: 100,
    idempotent: true,
  });

  it('keeps the heaviest postings of each list, of ties the first, and leaves short lists alone', () => {
    fc.assert(
      fc.property(someVectors, fc.integer({ min: 1, max: 8 }), (vectors, most) => {
        const pruned = new MaxPostings(most).prune(vectors);
        const wanted = new Set<string>();
        const all = listOf(vectors);
        for (let term = 0; term < vectors.dimensions; term++) {
          const list = all
            .filter((posting) => posting.term === term)
            .sort((a, b) => b.weight - a.weight || a.row - b.row);
          for (const { row } of list.slice(0, most)) wanted.add(`d${row}:${term}`);
        }
        expect(entriesOf(pruned)).toEqual(wanted);
        expect(Math.max(0, ...documentFrequency(pruned))).toBeLessThanOrEqual(most);
      }),
      { seed: 9, numRuns: 200 },
    );
  });

  it('refuses lists without postings', () => {
    for (const most of [0, 1.5]) expect(() => new MaxPostings(most)).toThrow(/max-postings must be an integer/);
  });
});

describe('parsePruneStrategies', () => {
  it('reads names, numbers and chains, and each label back', () => {
    const labels = (text: string): string[] => parsePruneStrategies(text).map(({ label }) => label);
    expect(labels('7')).toEqual(['top-k=7']);
    expect(labels(' mass=0.9 + max-postings=500')).toEqual(['mass=0.9', 'max-postings=500']);
    for (const everything of ['0', 'all', 'top-k=0', 'all+0']) expect(labels(everything)).toEqual([]);
    for (const name of pruneStrategyNames) expect(labels(`${name}=1`)).toEqual([`${name}=1`]);
  });

  it('refuses what it does not know, and says what it might be', () => {
    expect(() => parsePruneStrategies('topk=3')).toThrow(expect.objectContaining({ cure: 'did you mean top-k=3?' }));
    expect(() => parsePruneStrategies('xyzzyxyzzy')).toThrow(/unknown pruning "xyzzyxyzzy"/);
    expect(() => parsePruneStrategies('constructor=1')).toThrow(/unknown pruning/);
    expect(() => parsePruneStrategies('mass')).toThrow(/mass needs a number/);
    expect(() => parsePruneStrategies('mass=half')).toThrow(/mass needs a number/);
    expect(() => parsePruneStrategies('')).toThrow(/unknown pruning/);
    expect(() => parsePruneStrategies('mass=2')).toThrow(/at most 1/);
  });

  it('applies from left to right', () => {
    const vectors = one([1, 2, 3, 4]);
    expect([...pruneVectors(vectors, parsePruneStrategies('3+terms-share=0.5')).indices]).toEqual([2, 3]);
    expect([...pruneVectors(vectors, parsePruneStrategies('terms-share=0.5+3')).indices]).toEqual([2, 3]);
    expect([...pruneVectors(vectors, parsePruneStrategies('mass=0.7+1')).indices]).toEqual([3]);
    expect(pruneVectors(vectors, [])).toBe(vectors);
  });
});

function one(weights: readonly number[]): SparseVectors {
  return SparseVectors.fromRows(['d'], [sparseVector(weights.map((weight, term) => [term, weight]))], 24);
}

function naiveTop({ indices, values }: SparseVector, k: number): SparseVector {
  const entries = Array.from(indices, (term, p) => [term, values[p]!] as const);
  return sparseVector(entries.sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, k));
}

function sum({ values }: SparseVector): number {
  return values.reduce((total, value) => total + value, 0);
}

function listOf(vectors: SparseVectors): { row: number; term: number; weight: number }[] {
  return Array.from({ length: vectors.length }, (_, row) => {
    const { indices, values } = vectors.row(row);
    return Array.from(indices, (term, p) => ({ row, term, weight: values[p]! }));
  }).flat();
}
