import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytePairEncoder } from './byte-pair.ts';
import { cpuSeconds } from './cpu-time.suite.ts';
import type { TokenizerModelJson } from './tokenizer-json.ts';

const merges = ['a b', 'b a', 'a a', 'ab a', 'aa aa', 'ba ba', 'aba b', 'c a', 'ca ab', 'b b'];
const tokens = ['a', 'b', 'c', ...merges.map((merge) => merge.replace(' ', ''))];
const vocabulary = new Map([...new Set(tokens)].map((token, id) => [token, id]));
const model = { type: 'BPE', vocab: {}, merges } as unknown as TokenizerModelJson;
const otherwise = (words: readonly string[]): readonly string[] => words.map((word) => `<${word}>`);
const encode = bytePairEncoder(model, vocabulary, otherwise)!;

/** The definition, read literally: merge the leftmost pair of the best rank, and start again. */
function slowly(word: string): string[] {
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
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 80 }), (letters) => {
        const word = letters.join('');
        expect(encode([word])).toEqual(slowly(word));
        expect(encode([word])).toEqual(slowly(word));
      }),
      { numRuns: 500 },
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
