import { describe, expect, it } from 'vitest';
import { wordPieceEncoder } from './word-piece.ts';

const vocabulary = new Map(
  ['[UNK]', 'un', 'aff', '##aff', '##able', '##a', '😀', '##😀'].map((token, id) => [token, id]),
);
const encode = wordPieceEncoder(vocabulary, { unknownToken: '[UNK]', continuingPrefix: '##', maxWordLength: 10 });

describe('wordPieceEncoder', () => {
  it('takes the longest piece first', () => {
    expect(encode(['unaffable', 'affa'])).toEqual(['un', '##aff', '##able', 'aff', '##a']);
  });

  it('makes a word unknown as a whole when a part of it is', () => {
    expect(encode(['unb', 'b', 'un'])).toEqual(['[UNK]', '[UNK]', 'un']);
  });

  it('counts the length of a word in code points', () => {
    expect(encode(['😀'.repeat(10)])).toHaveLength(10);
    expect(encode(['😀'.repeat(11)])).toEqual(['[UNK]']);
    expect(encode(['x'.repeat(1_000_000)])).toEqual(['[UNK]']);
  });

  it('gives the same pieces when a word comes again', () => {
    expect(encode(['unaffable'])).toEqual(encode(['unaffable']));
  });
});
