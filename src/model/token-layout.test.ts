import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LexrayError } from '../util/errors.ts';
import { type PackedTokens, packTokens, splitIntoBuckets } from './token-layout.ts';

const lengthsList = fc
  .array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 9 })
  .map((lengths) => lengths.sort((a, b) => a - b));

/** Places that runs ending at `ends` take. */
function places(lengths: readonly number[], ends: readonly number[]): number {
  return ends.reduce((sum, end, i) => sum + (end - (ends[i - 1] ?? 0)) * lengths[end - 1]!, 0);
}

/** The ends of every way to cut `n` items into `count` runs that are not empty. */
function* everySplit(n: number, count: number, start = 0): Generator<number[]> {
  if (count === 1) yield [n];
  else {
    for (let end = start + 1; end <= n - count + 1; end++) {
      for (const rest of everySplit(n, count - 1, end)) yield [end, ...rest];
    }
  }
}

describe('splitIntoBuckets', () => {
  it('takes as few places as the best of all splits', () => {
    fc.assert(
      fc.property(lengthsList, fc.integer({ min: 1, max: 9 }), (lengths, wanted) => {
        const count = Math.min(wanted, lengths.length);
        const ends = splitIntoBuckets(lengths, count);
        expect(ends).toHaveLength(count);
        expect(ends.at(-1)).toBe(lengths.length);
        expect(ends.every((end, i) => end > (ends[i - 1] ?? 0))).toBe(true);
        const best = Math.min(...[...everySplit(lengths.length, count)].map((split) => places(lengths, split)));
        expect(places(lengths, ends)).toBe(best);
      }),
    );
  });
});

const batches = fc.record({
  sequences: fc.array(
    fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 7 }).map((ids) => Int32Array.from(ids)),
    { minLength: 1, maxLength: 8 },
  ),
  buckets: fc.integer({ min: 1, max: 5 }),
});

/** A feed as plain numbers. */
function numbers(packed: PackedTokens, name: string): number[] {
  return Array.from(packed.feeds[name]!.data as ArrayLike<number | bigint>, Number);
}

const shape = { heads: 2, headSize: 4 };

describe('packTokens', () => {
  it('counts positions from the padding token on where a model does, passing over padding tokens in a text', () => {
    const sequences = [[5, 1, 1, 6, 7], [8]].map((ids) => Int32Array.from(ids));
    const positions = (paddingToken?: number): number[] =>
      numbers(packTokens(sequences, { buckets: 1, ...shape, paddingToken }), 'positions');
    expect(positions()).toEqual([0, 0, 1, 2, 3, 4]);
    expect(positions(1)).toEqual([2, 2, 1, 1, 3, 4]);
    expect(positions(6)).toEqual([7, 7, 8, 9, 6, 10]);
  });

  it('finds every token again, through every map', () => {
    fc.assert(
      fc.property(batches, ({ sequences, buckets }) => {
        const packed = packTokens(sequences, { buckets, ...shape });
        const [ids, positions, placesOfTokens, starts] = ['ids', 'positions', 'places', 'sequenceStarts'].map((name) =>
          numbers(packed, name),
        ) as [number[], number[], number[], number[]];
        const rows: number[] = [];
        const bucketOf: { length: number; first: number; size: number }[] = [];
        for (let i = 0; i < packed.bucketCount; i++) {
          const [size, length, heads, headSize] = numbers(packed, `attentionShape${i}`) as [
            number,
            number,
            number,
            number,
          ];
          expect([heads, headSize]).toEqual([2, 4]);
          expect(numbers(packed, `poolingShape${i}`)).toEqual([-1, size, length]);
          expect(packed.feeds[`keyMask${i}`]!.dims).toEqual([size, 1, 1, length]);
          expect(packed.feeds[`rowMask${i}`]!.dims).toEqual([size * length, 1]);
          for (let s = 0; s < size; s++) bucketOf.push({ length, first: rows.length, size });
          const part = numbers(packed, `rows${i}`);
          const keyMask = numbers(packed, `keyMask${i}`);
          const rowMask = numbers(packed, `rowMask${i}`);
          expect(part).toHaveLength(size * length);
          part.forEach((row, place) => {
            const inSequence = place % length;
            const isToken = placesOfTokens[row] === rows.length + place;
            expect(rowMask[place]).toBe(isToken ? 1 : 0);
            expect(keyMask[place]! < -1e8 ? 0 : 1).toBe(rowMask[place]);
            // a padded place repeats the first token of its sequence
            if (!isToken) expect(row).toBe(part[place - inSequence]);
          });
          rows.push(...part);
        }
        expect(packed.tokenCount).toBe(sequences.reduce((sum, { length }) => sum + length, 0));
        expect(packed.placeCount).toBe(rows.length);
        expect(ids).toHaveLength(packed.tokenCount);
        expect(placesOfTokens.map((place) => rows[place])).toEqual(ids.map((_, token) => token));
        expect([...packed.columns].sort((a, b) => a - b)).toEqual(sequences.map((_, i) => i));
        sequences.forEach((sequence, i) => {
          const column = packed.columns[i]!;
          const { length, first } = bucketOf[column]!;
          const start = starts[column]!;
          expect((start - first) % length).toBe(0);
          const tokens = Array.from(sequence, (_, j) => rows[start + j]!);
          expect(tokens.map((token) => ids[token])).toEqual([...sequence]);
          expect(tokens.map((token) => positions[token])).toEqual([...sequence.keys()]);
          expect(length).toBeGreaterThanOrEqual(sequence.length);
        });
      }),
    );
  });

  it('pads nothing where there are as many buckets as lengths', () => {
    const sequences = [3, 1, 3, 5, 1].map((length) => new Int32Array(length));
    const packed = packTokens(sequences, { buckets: 3, ...shape });
    expect(packed).toMatchObject({ tokenCount: 13, placeCount: 13, bucketCount: 3 });
  });

  it('makes no more buckets than there are sequences', () => {
    expect(packTokens([new Int32Array(2)], { buckets: 4, ...shape }).bucketCount).toBe(1);
  });

  it.each([
    ['no sequences', []],
    ['a sequence without tokens', [new Int32Array(2), new Int32Array(0)]],
  ])('refuses %s', (_title, sequences) => {
    expect(() => packTokens(sequences, { buckets: 2, ...shape })).toThrow(LexrayError);
  });
});
