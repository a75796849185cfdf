import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytePairEncoder } from './byte-pair.ts';
import { cpuSeconds } from './cpu-time.suite.ts';
import type { TokenizerModelJson } from './tokenizer-json.ts';

const letters = ['a', 'b', 'c'];
const otherwise = (words: readonly string[]): readonly string[] => words.map((word) => `<${word}>`);

/** A model whose merges join earlier pieces, chosen by number, as a trainer's do. */
function modelOf(choices: readonly (readonly [number, number])[]): { model: TokenizerModelJson; pieces: string[] } {
  const pieces = [...letters];
  const merges: string[] = [];
  for (const [first, second] of choices) {
    const pair = [pieces[first % pieces.length]!, pieces[second % pieces.length]!];
    if (merges.includes(pair.join(' '))) continue;
    merges.push(pair.join(' '));
    if (!pieces.includes(pair.join(''))) pieces.push(pair.join(''));
  }
  return { model: { type: 'BPE', vocab: {}, merges } as unknown as TokenizerModelJson, pieces };
}

const { model, pieces } = modelOf([
  [0, 0],
  [0, 1],
  [3, 3],
  [4, 2],
]);
const vocabulary = new Map(pieces.map((piece, id) => [piece, id]));
const encode = bytePairEncoder(model, vocabulary, otherwise)!;

/** The definition, read literally: merge the leftmost pair of the best rank, and start again. */
function slowly(word: string, merges: readonly string[]): string[] {
  const pieces = [...word];
  for (;;) {
    let best = merges.length;
    let at = -1;
    for (let i = 0; i + 1 < pieces.length; i++) {
      const rank = merges.indexOf(`${pieces[i]} ${pieces[i + 1]}`);
      if (rank !== -1 && rank < best) {
        best = rank;
        at = i;
      }
    }
    if (at === -1) return pieces;
    pieces.splice(at, 2, pieces[at]! + pieces[at + 1]!);
  }
}

describe('bytePairEncoder', () => {
  it('merges as the definition says', () => {
    const choice = fc.tuple(fc.nat(30), fc.nat(30));
    const word = fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(choice, { maxLength: 14 }), fc.array(word, { maxLength: 4 }), (choices, words) => {
        const random = modelOf(choices);
        const ids = new Map(random.pieces.map((piece, id) => [piece, id]));
        const encodeRandom = bytePairEncoder(random.model, ids, otherwise)!;
        const expected = words.flatMap((text) => slowly(text, random.model.merges as string[]));
        expect(encodeRandom(words)).toEqual(expected);
        expect(encodeRandom(words)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes seconds at most for a word of 10^6 characters', () => {
    const seconds = cpuSeconds(() => {
      expect(encode(['aab'.repeat(333_333)]).join('')).toHaveLength(999_999);
    });
    expect(seconds).toBeLessThan(10);
  });

  it('hands words with other characters over', () => {
    expect(encode(['ab', 'ax'])).toEqual(['ab', '<ax>']);
  });

  it('leaves models with other features alone', () => {
    expect(bytePairEncoder({ ...model, byte_fallback: true }, vocabulary, otherwise)).toBeUndefined();
    expect(bytePairEncoder({ ...model, merges: ['a z'] }, vocabulary, otherwise)).toBeUndefined();
  });
});
