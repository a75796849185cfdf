import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bertFrame } from './bert-tokenizer-json.ts';
import { byteLevelWords } from './byte-level.ts';
import { bytePairTokenizerJson } from './byte-pair-tokenizer-json.ts';
import { loadTokenizer, tokenizerFromJson } from './load-tokenizer.ts';
import type { PlacedTokens, Tokenizer } from './tokenizer.ts';
import { checkTokenizerJson, type TokenizerJson, type TokenizerStage } from './tokenizer-json.ts';
import { trainBytePairs } from './train-byte-pair.ts';

type Row = readonly [ids: number[], starts: number[], ends: number[]];

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../test/golden/tokenizer/${name}`, import.meta.url), 'utf8')) as T;
const bert = read<{ texts: readonly string[]; cases: readonly { json: TokenizerJson; rows: readonly Row[] }[] }>(
  'places.json',
);
interface BytePairGolden {
  readonly name: string;
  readonly texts: readonly string[];
  readonly options: { readonly vocabularySize: number; readonly normalizer: string; readonly specialTokens: string[] };
  readonly places: readonly Row[] | null;
}
const bytes = read<{ placed: readonly string[]; cases: readonly BytePairGolden[] }>('byte-pair.json');

/**
 * What our place has more than the native one: a mark and the letter that it belongs to are one place here, also where the
 * normalizer removes or composes them; so is a word of compatibility jamo, which NFKC joins.
 */
function surplus(text: string, [start, end]: readonly [number, number], [from, to]: readonly [number, number]): string {
  if (start === end && from === to) return '';
  if (from < start || to > end) return `not inside: ${start} ${end}, ${from} ${to}`;
  const more = text.slice(start, from) + text.slice(to, end);
  const letters = [...more.replace(/[\p{M}\p{C}]/gu, '')];
  return letters.length <= 1 || /^[\u3131-\u318e]+$/.test(letters.join('')) ? '' : more;
}

function compare(
  tokenizer: Tokenizer,
  texts: readonly string[],
  rows: readonly Row[],
): { pieces: number; exact: number } {
  let exact = 0;
  let pieces = 0;
  for (const [i, text] of texts.entries()) {
    const [ids, starts, ends] = rows[i]!;
    if (/<s>|<mask>/.test(text)) continue;
    const placed = tokenizer.encodePlaced(text, { addSpecialTokens: false });
    expect([...placed.ids], text).toEqual(ids);
    expect([...tokenizer.encode(text, { addSpecialTokens: false })]).toEqual(ids);
    for (let p = 0; p < ids.length; p++) {
      pieces++;
      const [start, end] = [placed.starts[p]!, placed.ends[p]!];
      if (start === starts[p] && end === ends[p]) exact++;
      else expect([text, p, surplus(text, [start, end], [starts[p]!, ends[p]!])]).toEqual([text, p, '']);
    }
  }
  return { pieces, exact };
}

describe('encodePlaced has the native offsets', () => {
  it.each(bert.cases.map((golden, i) => [i, golden] as const))('of WordPiece, case %s', (_, { json, rows }) => {
    const framed = { ...json, post_processor: null };
    const { pieces, exact } = compare(tokenizerFromJson(checkTokenizerJson(framed, 'golden')), bert.texts, rows);
    expect(pieces).toBeGreaterThan(700);
    expect(exact / pieces).toBeGreaterThan(0.9);
  });

  const trained = bytes.cases.filter(({ places }) => places !== null);
  it.each(trained.map((golden) => [golden.name, golden] as const))('of byte-level BPE, %s', (_, golden) => {
    const stages: Readonly<Record<string, TokenizerStage | null>> = {
      none: null,
      nfc: { type: 'NFC' },
      'nfkc-lower': { type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Lowercase' }] },
    };
    const normalizer = stages[golden.options.normalizer]!;
    const plain = tokenizerFromJson(
      bytePairTokenizerJson(trainBytePairs([['x', 1]], golden.options), { style: 'roberta', normalizer }),
    );
    expect(plain.size).toBe(261);
    const counts = new Map<string, number>();
    for (const text of golden.texts) {
      const form = { none: text, nfc: text.normalize('NFC'), 'nfkc-lower': lower(text.normalize('NFKC')) };
      for (const word of byteLevelWords(form[golden.options.normalizer as keyof typeof form])) {
        counts.set(word, (counts.get(word) ?? 0) + 1);
      }
    }
    const json = bytePairTokenizerJson(trainBytePairs(counts, golden.options), { style: 'roberta', normalizer });
    const { pieces, exact } = compare(tokenizerFromJson(json), bytes.placed, golden.places!);
    expect(pieces).toBeGreaterThan(700);
    expect(exact / pieces).toBeGreaterThan(0.9);
  });
});

const lower = (text: string): string => text.replaceAll('Σ', 'σ').toLowerCase();

describe('encodePlaced', () => {
  const trained = bert.cases[0]!.json;
  const vocabulary = trained.model.vocab as Readonly<Record<string, number>>;
  const json: TokenizerJson = { ...trained, post_processor: bertFrame((token) => vocabulary[token]!) };
  const tokenizer = tokenizerFromJson(json);
  const parts = (text: string, { ids, starts, ends }: PlacedTokens): (readonly [string | undefined, string])[] =>
    Array.from(ids, (id, i) => [tokenizer.token(id), starts[i] === -1 ? '-' : text.slice(starts[i], ends[i])] as const);

  it('frames, cuts, and finds added tokens', () => {
    const text = 'the [MASK] Fox';
    const placed = tokenizer.encodePlaced(text);
    expect([...placed.ids]).toEqual([...tokenizer.encode(text)]);
    const found = parts(text, placed);
    expect(found).toContainEqual(['[MASK]', '[MASK]']);
    expect(parts(text, tokenizer.encodePlaced(text, { maxLength: 4 }))).toEqual([...found.slice(0, 3), found.at(-1)]);
    const long = 'the quick brown fox '.repeat(3000);
    const { ids, starts, ends } = tokenizer.encodePlaced(long, { maxLength: 50 });
    expect([...ids]).toEqual([...tokenizer.encode(long, { maxLength: 50 })]);
    expect(starts[0]).toBe(-1);
    expect(ends.at(-1)).toBe(-1);
    expect(ends.at(-2)).toBeLessThan(300);
  });

  it('places lone surrogates and empty texts', () => {
    expect([...tokenizer.encodePlaced('', { addSpecialTokens: false }).ids]).toEqual([]);
    const text = 'a \ud800b';
    const { ids, ends } = tokenizer.encodePlaced(text, { addSpecialTokens: false });
    expect([...ids]).toEqual([...tokenizer.encode(text, { addSpecialTokens: false })]);
    expect(ends.at(-1)).toBe(text.length);
  });

  it('refuses tokenizers whose pieces do not spell the text', () => {
    const odd = tokenizerFromJson({ ...json, pre_tokenizer: { type: 'Whitespace' } });
    expect(() => odd.encodePlaced('text')).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
  });

  const folder = fileURLToPath(new URL('../../../shared/data/tokenizers/', import.meta.url));
  it.skipIf(!existsSync(folder)).each(['bert-base-uncased', 'roberta-base'])(
    'gives the ids of encode with the published %s (needs ../shared)',
    async (name) => {
      const published = await loadTokenizer(`${folder}${name}`);
      for (const text of bert.texts) {
        const { ids, starts, ends } = published.encodePlaced(text);
        expect([...ids], text).toEqual([...published.encode(text)]);
        for (let i = 2; i < ids.length - 1; i++) {
          expect(starts[i]).toBeGreaterThanOrEqual(starts[i - 1]!);
          expect(ends[i]).toBeGreaterThanOrEqual(starts[i]!);
        }
      }
    },
  );
});
