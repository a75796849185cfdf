/** What every {@link PruneStrategy} must do, as properties over arbitrary vectors. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SparseVectors } from '../sparse-vectors.ts';
import { arbitraryVector } from '../vectors.suite.ts';
import type { PruneStrategy } from './prune-strategy.ts';

const dimensions = 24;

/** Weights of which many are equal, so that ties must be broken. */
const coarse: fc.Arbitrary<number> = fc.constantFrom(0.25, 0.5, 0.75, 1, 1.5, 2, 3);

/** Sets of non-negative vectors with many ties; some vectors are empty. */
export const someVectors: fc.Arbitrary<SparseVectors> = fc
  .array(arbitraryVector(dimensions, { weight: coarse }), { maxLength: 12 })
  .map((rows) =>
    SparseVectors.fromRows(
      rows.map((_, i) => `d${i}`),
      rows,
      dimensions,
    ),
  );

/** What a strategy promises. */
export interface PruneSuiteOptions {
  /** Values of its parameter, from one that drops much to one that drops little. */
  readonly values: fc.Arbitrary<number>;
  /** A value that drops nothing. */
  readonly keepsAll: number;
  /** Whether pruning what was pruned changes nothing. Shares of what is left are less, so that those do not. */
  readonly idempotent: boolean;
}

/** Runs the suite. */
export function pruneStrategySuite(make: (value: number) => PruneStrategy, options: PruneSuiteOptions): void {
  const { values, keepsAll, idempotent } = options;

  test('drops entries and changes nothing else', () => {
    fc.assert(
      fc.property(someVectors, values, (vectors, value) => {
        const pruned = make(value).prune(vectors);
        expect(pruned.ids).toEqual(vectors.ids);
        expect(pruned.dimensions).toBe(vectors.dimensions);
        for (let row = 0; row < vectors.length; row++) {
          const before = new Map(Array.from(vectors.row(row).indices, (t, p) => [t, vectors.row(row).values[p]]));
          const { indices, values: weights } = pruned.row(row);
          expect(indices.length).toBeLessThanOrEqual(before.size);
          expect([...indices]).toEqual([...indices].sort((a, b) => a - b));
          for (const [p, term] of indices.entries()) expect(weights[p]).toBe(before.get(term));
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test('does not change what it was given, and does the same twice', () => {
    fc.assert(
      fc.property(someVectors, values, (vectors, value) => {
        const copy = structuredClone({ ...vectors });
        const strategy = make(value);
        expect(strategy.prune(vectors)).toEqual(strategy.prune(vectors));
        expect({ ...vectors }).toEqual(copy);
      }),
      { seed: 2, numRuns: 50 },
    );
  });

  test(idempotent ? 'is idempotent' : 'drops at most more when it is repeated', () => {
    fc.assert(
      fc.property(someVectors, values, (vectors, value) => {
        const strategy = make(value);
        const once = strategy.prune(vectors);
        const twice = strategy.prune(once);
        if (idempotent) expect(twice).toEqual(once);
        else expect(twice.indices.length).toBeLessThanOrEqual(once.indices.length);
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  test('keeps everything, and nothing of nothing', () => {
    const empty = SparseVectors.fromRows([], [], dimensions);
    expect(make(keepsAll).prune(empty)).toEqual(empty);
    fc.assert(
      fc.property(someVectors, (vectors) => {
        expect(make(keepsAll).prune(vectors)).toEqual(vectors);
      }),
      { seed: 4, numRuns: 100 },
    );
  });

  test('its label makes it again', () => {
    expect(make(keepsAll).label).toMatch(/^[a-z-]+=[\d.e+-]+$/);
  });
}

/** The entries of a set as `row:term`. */
export function entriesOf(vectors: SparseVectors): Set<string> {
  const entries = new Set<string>();
  for (const { id, vector } of vectors) for (const term of vector.indices) entries.add(`${id}:${term}`);
  return entries;
}
