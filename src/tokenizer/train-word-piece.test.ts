import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cpuSeconds } from './cpu-time.suite.ts';
import { tokenizerFromJson } from './load-tokenizer.ts';
import type { TokenizerJson } from './tokenizer-json.ts';
import { type TrainWordPieceOptions, trainWordPiece } from './train-word-piece.ts';

interface Golden {
  readonly name: string;
  readonly texts: readonly string[];
  readonly options: TrainWordPieceOptions;
  /** How many tokens the vocabulary starts with before anything was merged. */
  readonly initial: number;
  readonly vocabulary: readonly string[];
}

const goldens = JSON.parse(
  readFileSync(new URL('../../test/golden/tokenizer/train.json', import.meta.url), 'utf8'),
) as readonly Golden[];

const vocabularyOf = (json: TokenizerJson): string[] => {
  const tokens: string[] = [];
  for (const [token, id] of Object.entries(json.model.vocab as Record<string, number>)) tokens[id] = token;
  return tokens;
};

describe('trainWordPiece equals the native trainer, ids included', () => {
  for (const { name, texts, options, initial, vocabulary } of goldens) {
    it(`on ${name}: ${vocabulary.length} tokens`, () => {
      const trained = trainWordPiece(texts, { ...options, specialTokens: vocabulary.slice(0, initial) });
      expect(vocabularyOf(trained)).toEqual(vocabulary);
    });

    it(`starts from the same tokens by itself on ${name}, by code point`, () => {
      const trained = vocabularyOf(trainWordPiece(texts, options));
      expect(trained).toHaveLength(vocabulary.length);
      expect(trained.slice(0, initial).sort()).toEqual(vocabulary.slice(0, initial).sort());
      const inside = trained.slice(0, initial).filter((token) => /^##.$/su.test(token));
      expect(inside).toEqual([...inside].sort((a, b) => a.codePointAt(2)! - b.codePointAt(2)!));
    });
  }
});

describe('trainWordPiece', () => {
  const texts = ['low lower lowest', 'new newer newest', 'wide wider widest'];

  it('does not depend on the order of the texts', () => {
    const forward = trainWordPiece(texts, { vocabularySize: 60 });
    expect(trainWordPiece([...texts].reverse(), { vocabularySize: 60 })).toEqual(forward);
  });

  it('makes a tokenizer that splits its own texts without unknown tokens', () => {
    const tokenizer = tokenizerFromJson(trainWordPiece(texts, { vocabularySize: 40, minFrequency: 1 }));
    expect(tokenizer.size).toBe(40);
    for (const text of texts) expect(tokenizer.encode(text)).not.toContain(tokenizer.specialTokens.unk);
    const restored = Array.from(tokenizer.encode('lowest', { addSpecialTokens: false }), (id) => tokenizer.token(id));
    expect(restored.join('').replaceAll('##', '')).toBe('lowest');
  });

  it('survives words that are names of object members, lone surrogates and NUL', () => {
    const odd = ['__proto__ constructor toString', '\ud800x \udc00y\u0000', '__proto__ constructor'];
    const json = trainWordPiece(odd, { vocabularySize: 200, minFrequency: 1 });
    const tokenizer = tokenizerFromJson(json);
    expect(tokenizer.token(tokenizer.encode('constructor')[1]!)).toBe('constructor');
    expect(tokenizer.encode('\ud800x')).not.toContain(tokenizer.specialTokens.unk);
  });

  it('warns when the alphabet alone is larger than the vocabulary', () => {
    const warnings: string[] = [];
    trainWordPiece(texts, { vocabularySize: 10, onWarning: (message) => warnings.push(message) });
    expect(warnings).toEqual([expect.stringContaining('nothing is merged')]);
  });

  it('refuses texts without words and bad options', () => {
    expect(() => trainWordPiece([' ', ''], { vocabularySize: 100 })).toThrow('no word');
    expect(() => trainWordPiece(texts, { vocabularySize: 5 })).toThrow('vocabularySize');
    expect(() => trainWordPiece(texts, { vocabularySize: 1.5 })).toThrow('vocabularySize');
    expect(() => trainWordPiece(texts, { vocabularySize: 99, specialTokens: ['[UNK]'] })).toThrow('[CLS]');
  });

  it('reports progress and stops when told to', () => {
    const phases = new Set<string>();
    trainWordPiece(texts, { vocabularySize: 60, onProgress: ({ phase }) => phases.add(phase) });
    expect([...phases]).toEqual(['count words', 'merge pieces']);
    const stopped = { vocabularySize: 60, signal: AbortSignal.abort() };
    expect(() => trainWordPiece(texts, stopped)).toThrow(expect.objectContaining({ code: 'INTERRUPTED' }));
  });

  it('trains 8,192 pieces from 25,000 texts of 25 words in seconds', () => {
    let state = 1;
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const word = (): string => {
      let rank = Math.floor(30_000 ** random());
      let text = '';
      for (rank += 7; rank > 0; rank = Math.floor(rank / 20)) text += 'bcdfghlmnprst'[rank % 13]! + 'aeiou'[rank % 5]!;
      return text;
    };
    const many = Array.from({ length: 25_000 }, () => Array.from({ length: 25 }, word).join(' '));
    expect(cpuSeconds(() => trainWordPiece(many, { vocabularySize: 8192 }))).toBeLessThan(10);
  });
});
