import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { byteLevelWords } from './byte-level.ts';
import { bytePairTokenizerJson } from './byte-pair-tokenizer-json.ts';
import { cpuSeconds } from './cpu-time.suite.ts';
import { tokenizerFromJson } from './load-tokenizer.ts';
import { normalizerOf } from './normalizer.ts';
import type { TokenizerStage } from './tokenizer-json.ts';
import { trainBytePairs } from './train-byte-pair.ts';

interface Golden {
  readonly name: string;
  readonly texts: readonly string[];
  readonly options: {
    readonly vocabularySize: number;
    readonly normalizer: 'none' | 'nfc' | 'nfkc-lower';
    readonly minFrequency: number;
    readonly specialTokens: readonly string[];
  };
  /** After special tokens and bytes. */
  readonly vocabulary: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
  /** For each of the placed texts: ids, starts, ends. */
  readonly places: readonly (readonly [number[], number[], number[]])[] | null;
}

const goldens = JSON.parse(
  readFileSync(new URL('../../test/golden/tokenizer/byte-pair.json', import.meta.url), 'utf8'),
) as { readonly placed: readonly string[]; readonly cases: readonly Golden[] };

const normalizers: Readonly<Record<Golden['options']['normalizer'], TokenizerStage | null>> = {
  none: null,
  nfc: { type: 'NFC' },
  'nfkc-lower': { type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Lowercase' }] },
};

function train({ texts, options }: Golden): ReturnType<typeof trainBytePairs> {
  const normalize = normalizerOf(normalizers[options.normalizer])!;
  const counts = new Map<string, number>();
  for (const word of texts.flatMap((text) => byteLevelWords(normalize(text)))) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return trainBytePairs(counts, options);
}

describe('trainBytePairs equals the native trainer, merges and ids included', () => {
  it.each(goldens.cases.map((golden) => [golden.name, golden] as const))('on %s', (_, golden) => {
    const { tokens, merges } = train(golden);
    expect(merges.length).toBeGreaterThan(90);
    expect(merges).toEqual(golden.merges);
    expect(tokens.slice(golden.options.specialTokens.length + 256)).toEqual(golden.vocabulary);
  });
});

describe('a trained byte-level tokenizer', () => {
  const placed = goldens.cases.filter(({ places }) => places !== null);
  it.each(placed.map((golden) => [golden.name, golden] as const))('has the native ids, trained on %s', (_, golden) => {
    const normalizer = normalizers[golden.options.normalizer];
    const tokenizer = tokenizerFromJson(bytePairTokenizerJson(train(golden), { style: 'roberta', normalizer }));
    expect(tokenizer.specialTokens).toEqual({ cls: 0, pad: 1, sep: 2, unk: 3, mask: 4 });
    for (const [i, text] of goldens.placed.entries()) {
      // The golden's tokenizer was not told of added tokens in texts.
      if (/<s>|<mask>/.test(text)) continue;
      const [ids] = golden.places![i]!;
      expect([...tokenizer.encode(text, { addSpecialTokens: false })], JSON.stringify(text)).toEqual(ids);
      expect([...tokenizer.encode(text)]).toEqual([0, ...ids, 2]);
    }
  });

  it('has the frame of ModernBERT', () => {
    const golden = goldens.cases[1]!;
    const tokenizer = tokenizerFromJson(
      bytePairTokenizerJson(train(golden), { style: 'modernbert', normalizer: null }),
    );
    expect(tokenizer.specialTokens).toEqual({ pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 });
    const ids = [...tokenizer.encode('one [MASK]two')];
    expect(ids.filter((id) => id < 5)).toEqual([2, 4, 3]);
  });

  it('is trained on 25,000 texts of 25 words in seconds', () => {
    let state = 1;
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const counts = new Map<string, number>();
    for (let i = 0; i < 625_000; i++) {
      let word = ' ';
      for (let rank = 7 + Math.floor(30_000 ** random()); rank > 0; rank = Math.floor(rank / 20)) {
        word += 'bcdfghlmnprst'[rank % 13]! + 'aeiou'[rank % 5]!;
      }
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const options = { vocabularySize: 8192, specialTokens: ['<s>'] };
    expect(cpuSeconds(() => trainBytePairs(counts, options))).toBeLessThan(10);
  });

  it('refuses texts without words', () => {
    expect(() => trainBytePairs([], { vocabularySize: 300, specialTokens: [] })).toThrow('no word');
  });
});
