import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SparseVectorsBuilder } from './builder.ts';
import { checkDimensions, maxDimensions, sparseVector } from './sparse-vector.ts';
import { SparseVectors } from './sparse-vectors.ts';
import { arbitraryVectors } from './vectors.suite.ts';

const rows = [
  sparseVector([
    [4, 0.5],
    [1, 2],
  ]),
  sparseVector([]),
  sparseVector([[0, -1]]),
];

function matrix(change: {
  offsets?: number[];
  indices?: number[];
  values?: number[];
  ids?: string[];
  dimensions?: number;
}) {
  const { offsets = [0, 2, 3], indices = [0, 2, 1], values = [1, 2, 3], ids = ['a', 'b'], dimensions = 3 } = change;
  return new SparseVectors(ids, dimensions, {
    offsets: Float64Array.from(offsets),
    indices: Uint32Array.from(indices),
    values: Float32Array.from(values),
  });
}

describe('SparseVectors', () => {
  it('keeps rows in compressed form', () => {
    const vectors = SparseVectors.fromRows(['a', 'b', 'c'], rows, 5);
    expect([...vectors.offsets]).toEqual([0, 2, 2, 3]);
    expect([...vectors.indices]).toEqual([1, 4, 0]);
    expect([...vectors.values]).toEqual([2, 0.5, -1]);
    expect(vectors.length).toBe(3);
    expect(vectors.row(0)).toEqual(rows[0]);
    expect([...vectors].map(({ id, vector }) => [id, vector.indices.length])).toEqual([
      ['a', 2],
      ['b', 0],
      ['c', 1],
    ]);
    expect(() => vectors.row(3)).toThrow(/no row 3/);
    expect(() => vectors.row(-1)).toThrow(/no row -1/);
  });

  it('accepts arrays that fit', () => {
    expect(matrix({}).length).toBe(2);
  });

  it.each([
    ['an index out of range', { indices: [0, 3, 1] }, /index 3 is not below 3/],
    ['a repeated index', { indices: [2, 2, 1] }, /2 follows 2/],
    ['falling indices', { indices: [2, 0, 1] }, /0 follows 2/],
    ['NaN', { values: [1, Number.NaN, 1] }, /NaN/],
    ['infinity', { values: [1, 1, Number.POSITIVE_INFINITY] }, /Infinity/],
    ['a zero', { values: [0, 1, 1] }, /not zero/],
    ['falling offsets', { offsets: [0, 4, 3] }, /4 follows 0/],
    ['a fractional offset', { offsets: [0, 1.5, 3] }, /1.5/],
    ['a NaN offset', { offsets: [0, Number.NaN, 3] }, /NaN/],
    ['a first offset that is not 0', { offsets: [1, 2, 3] }, /offsets from 0/],
    ['a last offset that is not the number of entries', { offsets: [0, 2, 2] }, /offsets from 0/],
    ['too few values', { values: [1, 2] }, /2 values/],
    ['too few ids', { ids: ['a'] }, /1 rows need 2 offsets/],
    ['an empty id', { ids: ['a', ''] }, /id is empty/],
    ['a repeated id', { ids: ['a', 'a'] }, /"a" occurs twice/],
    ['no dimensions', { dimensions: 0 }, /dimensions/],
  ])('refuses %s', (_, change, message) => {
    expect(() => matrix(change)).toThrow(message);
    expect(() => matrix(change)).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
  });

  it('limits dimensions', () => {
    expect(() => checkDimensions(maxDimensions, 'x')).not.toThrow();
    for (const bad of [maxDimensions + 1, 1.5, Number.NaN, '7', undefined]) {
      expect(() => checkDimensions(bad, 'x')).toThrow(/dimensions/);
    }
  });
});

describe('SparseVectorsBuilder', () => {
  it('builds what fromRows builds', () => {
    fc.assert(
      fc.property(arbitraryVectors(12), (vectors) => {
        const builder = new SparseVectorsBuilder(vectors.dimensions);
        for (const { id, vector } of vectors) builder.add(id, vector);
        expect(builder.build()).toEqual(vectors);
      }),
    );
  });

  it('grows beyond its first buffers', () => {
    const builder = new SparseVectorsBuilder(40);
    const vector = sparseVector(Array.from({ length: 20 }, (_, i) => [2 * i, i + 1] as const));
    for (let i = 0; i < 3000; i++) builder.add(`d${i}`, vector);
    const early = builder.build();
    builder.add('last', vector);
    const vectors = builder.build();
    expect([early.length, vectors.length, vectors.indices.length]).toEqual([3000, 3001, 60_020]);
    expect(vectors.row(1700)).toEqual(vector);
    expect(vectors.row(3000)).toEqual(vector);
  });

  it('refuses what does not fit and goes on', () => {
    const builder = new SparseVectorsBuilder(3);
    builder.add('a', sparseVector([[1, 1]]));
    expect(() => builder.add('a', sparseVector([[1, 1]]))).toThrow(/occurs twice/);
    expect(() => builder.add('', sparseVector([[1, 1]]))).toThrow(/empty/);
    expect(() => builder.add('b', sparseVector([[3, 1]]))).toThrow(/vector "b"|not below 3/);
    expect(builder.build().length).toBe(1);
  });
});
