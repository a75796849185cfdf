import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sparseVector } from './sparse-vector.ts';
import { SparseVectors } from './sparse-vectors.ts';
import { countStatistics, vectorStatistics } from './statistics.ts';

describe('vectorStatistics', () => {
  it('counts active dimensions and postings, with and without empty lists', () => {
    const rows = [
      sparseVector([
        [0, 1],
        [1, 1],
        [2, 1],
      ]),
      sparseVector([[1, 1]]),
      sparseVector([]),
    ];
    const statistics = vectorStatistics(SparseVectors.fromRows(['a', 'b', 'c'], rows, 4));
    expect(statistics).toMatchObject({ vectors: 3, dimensions: 4, entries: 4, zeroVectors: 1 });
    expect([...statistics.documentFrequency]).toEqual([1, 2, 1, 0]);
    expect(statistics.activeDims).toMatchObject({ count: 3, mean: 4 / 3, min: 0, p99: 3, max: 3 });
    // Lengths 1, 2, 1, 0: mean 1, variance 1/2. Without the empty one: mean 4/3, variance 2/9.
    expect(statistics.postings.allTerms).toMatchObject({ count: 4, mean: 1, cv2: 0.5, min: 0, max: 2 });
    expect(statistics.postings.usedTerms).toMatchObject({ count: 3, mean: 4 / 3, min: 1, max: 2 });
    expect(statistics.postings.usedTerms.cv2).toBeCloseTo(2 / 9 / (16 / 9), 12);
  });

  it('is all zero without vectors', () => {
    const statistics = vectorStatistics(SparseVectors.fromRows([], [], 3));
    expect(statistics.activeDims).toEqual({ count: 0, mean: 0, cv2: 0, min: 0, p99: 0, max: 0 });
    expect(statistics.postings.allTerms).toEqual({ count: 3, mean: 0, cv2: 0, min: 0, p99: 0, max: 0 });
  });
});

it('p99 is the smallest count that at least 99 % do not exceed', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 300 }), (counts) => {
      const { p99 } = countStatistics(Uint32Array.from(counts));
      const share = (limit: number): number => counts.filter((count) => count <= limit).length / counts.length;
      expect(share(p99)).toBeGreaterThanOrEqual(0.99);
      expect(share(p99 - 1)).toBeLessThan(0.99);
      expect(counts).toContain(p99);
    }),
  );
});
