import { describe, expect, it } from 'vitest';
import { Random } from '../../util/random.ts';
import { Masker } from './masking.ts';
import { pieceUnits, wordUnits } from './masking-units.ts';

const mask = 4;
const tokenizer = {
  size: 1000,
  specialIds: new Set([0, 1, 2, 3, 4]),
  specialTokens: { mask },
  token: (id: number): string | undefined => (id === 999 ? undefined : `t${id}`),
};

/** Units of the given lengths, special tokens at both ends; every token is its own label. */
function sequence(lengths: readonly number[]) {
  const units = [-1, ...lengths.flatMap((length, unit) => Array.from({ length }, () => unit)), -1];
  const ids = Int32Array.from(units, (unit, i) => (unit < 0 ? (i === 0 ? 2 : 3) : 10 + i));
  return { ids, units: Int32Array.from(units), labels: Int32Array.from(ids, (id) => (id < 5 ? -1 : id)) };
}

describe('Masker', () => {
  it.each([0.15, 0.3, 0.5])('masks a share of %d, within the unit that is drawn last', (rate) => {
    const masker = new Masker(tokenizer, { rate, replacement: 'mask' });
    const given = sequence(Array.from({ length: 100 }, (_, i) => 1 + (i % 3)));
    for (let seed = 0; seed < 50; seed++) {
      const { positions } = masker.apply(given, seed);
      expect(positions.length).toBeLessThanOrEqual(Math.round(rate * 199));
      expect(positions.length).toBeGreaterThan(Math.round(rate * 199) - 3);
    }
  });

  it('draws every unit as often as any other', () => {
    const masker = new Masker(tokenizer, { rate: 0.25, replacement: 'mask' });
    const counts = new Array<number>(22).fill(0);
    const rounds = 4000;
    for (let seed = 0; seed < rounds; seed++) {
      for (const position of masker.apply(sequence(new Array<number>(20).fill(1)), seed).positions) counts[position]!++;
    }
    expect([counts[0], counts[21]]).toEqual([0, 0]);
    // Binomial with p = 1/4: six standard deviations are 164.
    for (const count of counts.slice(1, 21)) expect(Math.abs(count - rounds / 4)).toBeLessThan(164);
  });

  it('masks all pieces of a word or none, and shares one fate among them', () => {
    const masker = new Masker(tokenizer, { rate: 0.3, replacement: 'bert' });
    const given = sequence([3, 2, 1, 4, 2, 3, 1, 1, 2, 3]);
    const fates = { masked: 0, random: 0, kept: 0 };
    for (let seed = 0; seed < 3000; seed++) {
      const { ids, positions, labels } = masker.apply(given, seed);
      const drawn = new Set(positions);
      for (const [i, position] of positions.entries()) expect(labels[i]).toBe(given.ids[position]);
      for (let unit = 0; unit < 10; unit++) {
        const places = [...given.units.keys()].filter((i) => given.units[i] === unit);
        const inside = places.filter((i) => drawn.has(i));
        expect([0, places.length]).toContain(inside.length);
        if (inside.length === 0) {
          for (const i of places) expect(ids[i]).toBe(given.ids[i]);
          continue;
        }
        if (inside.every((i) => ids[i] === mask)) fates.masked++;
        else if (inside.every((i) => ids[i] === given.ids[i])) fates.kept++;
        else {
          fates.random++;
          for (const i of inside) expect(ids[i]).not.toBe(mask);
        }
      }
      expect([...positions]).toEqual([...positions].sort((a, b) => a - b));
    }
    const total = fates.masked + fates.random + fates.kept;
    expect(fates.masked / total).toBeCloseTo(0.8, 1);
    expect(fates.random / total).toBeCloseTo(0.1, 1);
    expect(fates.kept / total).toBeCloseTo(0.1, 1);
  });

  it('puts ordinary tokens in the place of others: none that is special or has no name', () => {
    const masker = new Masker(
      { ...tokenizer, size: 12, token: (id) => (id === 11 ? undefined : `${id}`) },
      {
        rate: 0.9,
        replacement: 'bert',
      },
    );
    const seen = new Set<number>();
    const given = sequence(new Array<number>(30).fill(1));
    for (let seed = 0; seed < 300; seed++) {
      const { ids, positions } = masker.apply(given, seed);
      for (const position of positions) if (ids[position] !== given.ids[position]) seen.add(ids[position]!);
    }
    seen.delete(mask);
    expect([...seen].sort((a, b) => a - b)).toEqual([5, 6, 7, 8, 9, 10]);
  });

  it('predicts nothing where there is no label: a word of three pieces gets its label once', () => {
    const masker = new Masker(tokenizer, { rate: 0.99, replacement: 'mask' });
    const given = sequence([3, 1, 2]);
    // As for unigrams: the label is at the first piece.
    given.labels.set([-1, 70_000, -1, -1, 5, 99_999, -1, -1]);
    const { ids, positions, labels } = masker.apply(given, 1);
    expect([...positions]).toEqual([1, 4, 5]);
    expect([...labels]).toEqual([70_000, 5, 99_999]);
    expect([...ids]).toEqual([2, mask, mask, mask, mask, mask, mask, 3]);
  });

  it('masks one unit at least, nothing where there is none, and the same for the same seed', () => {
    const masker = new Masker(tokenizer, { rate: 0.01, replacement: 'mask' });
    expect(masker.apply(sequence([4]), 1).positions).toHaveLength(4);
    expect(masker.apply(sequence([]), 1).positions).toHaveLength(0);
    const given = sequence(new Array<number>(300).fill(1));
    expect(masker.apply(given, 7)).toEqual(masker.apply(given, 7));
    expect(masker.apply(given, 7)).not.toEqual(masker.apply(given, 8));
    expect(() => new Masker({ ...tokenizer, specialTokens: {} }, { rate: 0.1, replacement: 'mask' })).toThrow(
      'no mask',
    );
  });
});

describe('units', () => {
  const specialIds = new Set([1]);

  it('are pieces, the unknown token aside', () => {
    const ids = Int32Array.of(7, 1, 9);
    const { units, labels } = pieceUnits({ specialIds, encode: () => ids })('any');
    expect([...units]).toEqual([0, -1, 2]);
    expect([...labels]).toEqual([7, -1, 9]);
  });

  it('are whole words, and each mark by itself', () => {
    // "unbelievable, co-op" as un ##believ ##able , co - op
    const text = 'unbelievable, co-op';
    const places = [
      [0, 2],
      [2, 8],
      [8, 12],
      [12, 13],
      [14, 16],
      [16, 17],
      [17, 19],
    ];
    const encodePlaced = () => ({
      ids: Int32Array.from(places, (_, i) => 10 + i),
      starts: Int32Array.from(places, ([start]) => start!),
      ends: Int32Array.from(places, ([, end]) => end!),
    });
    const { units, labels } = wordUnits({ specialIds, encodePlaced })(text);
    expect([...units]).toEqual([0, 0, 0, 1, 2, 3, 4]);
    expect([...labels]).toEqual([10, 11, 12, 13, 14, 15, 16]);
  });

  it('cover every token of any text', () => {
    const random = new Random(1);
    for (let round = 0; round < 200; round++) {
      const text = Array.from({ length: 40 }, () => 'ab .-é中'[random.integer(7)]).join('');
      const cuts = [...new Set(Array.from({ length: 12 }, () => random.integer(41)))].sort((a, b) => a - b);
      const encodePlaced = () => ({
        ids: Int32Array.from(cuts.slice(1), () => 5),
        starts: Int32Array.from(cuts.slice(0, -1)),
        ends: Int32Array.from(cuts.slice(1)),
      });
      const { units } = wordUnits({ specialIds, encodePlaced })(text);
      expect(units.every((unit, i) => unit === (units[i - 1] ?? 0) || unit === (units[i - 1] ?? -1) + 1)).toBe(true);
    }
  });
});
