import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeExpandedModel } from '../../../test/fixtures/expanded-model.ts';
import { tinyModel } from '../../../test/fixtures/model-folders.ts';
import { type ModelFolder, openModelFolder } from '../../checkpoint/layouts/model-folder.ts';
import { SparseEncoder } from '../../model/sparse-encoder.ts';
import { loadTokenizer } from '../../tokenizer/load-tokenizer.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { pieceStatistics, pieceTerms } from '../../tokenizer/unigrams/term-pieces.ts';
import { diagnose } from '../diagnose.ts';
import { rescale } from '../rescale.ts';
import { wordTexts } from '../word-texts.suite.ts';
import { expandedBias, moments } from './expanded-bias.ts';
import { pooledRows } from './pool-rows.ts';

let folder = '';
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray expand '));
});
afterAll(() => rm(folder, { recursive: true }));

async function opened<T>(path: string, use: (model: ModelFolder) => Promise<T>): Promise<T> {
  const warnings: string[] = [];
  const model = await openModelFolder(path, { onWarning: (warning) => warnings.push(warning) });
  try {
    const result = await use(model);
    expect(warnings).toEqual([]);
    return result;
  } finally {
    await model.close();
  }
}

describe('pooledRows', () => {
  const old = { data: Float32Array.from([1, 2, 10, 20, 100, 200, -3, 5]), width: 2 };
  const form = (count: number, ...pieces: number[]): { count: number; pieces: Int32Array } => ({
    count,
    pieces: Int32Array.from(pieces),
  });
  const terms = [
    { term: 'a', count: 4, forms: [form(3, 0, 2), form(1, 1)] },
    { term: 'b', count: 5, forms: [form(5, 1, 1, 0)] },
    { term: 'c', count: 9, forms: [] },
  ];

  it('takes the mean of pieces, and of forms by how often they occur', () => {
    const mean = [(1 + 10 + 100 - 3) / 4, (2 + 20 + 200 + 5) / 4];
    expect([...pooledRows(terms, old, 'mean', 0)]).toEqual([
      ...[(3 * 50.5 + 10) / 4, (3 * 101 + 20) / 4],
      ...[7, 14].map(Math.fround),
      ...mean,
    ]);
    expect([...pooledRows(terms, old, 'first', 0)]).toEqual([(3 * 1 + 10) / 4, (3 * 2 + 20) / 4, 10, 20, ...mean]);
  });

  it('lets rare pieces weigh more', () => {
    // Of 22 pieces in all, piece 0 has 3 + 5, piece 1 has 1 + 10, piece 2 has 3.
    const [s0, s1, s2] = [8 / 22, 11 / 22, 3 / 22].map((share) => 1e-3 / (1e-3 + share)) as [number, number, number];
    const rows = pooledRows(terms, old, 'weighted', 0);
    expect(rows[0]).toBeCloseTo((3 * ((s0 * 1 + s2 * 100) / (s0 + s2)) + 10) / 4, 4);
    expect(rows[2]).toBeCloseTo((2 * s1 * 10 + s0 * 1) / (2 * s1 + s0), 5);
    expect(rows[0]).toBeGreaterThan(pooledRows(terms, old, 'mean', 0)[0]!);
  });

  it('draws random rows of the old size, the same from a seed', () => {
    const many = Array.from({ length: 5000 }, () => terms[0]!);
    const rows = pooledRows(many, old, 'random', 7);
    expect(rows).toEqual(pooledRows(many, old, 'random', 7));
    expect(rows).not.toEqual(pooledRows(many, old, 'random', 8));
    const square = (values: Float32Array): number => values.reduce((sum, x) => sum + x * x, 0) / values.length;
    expect(square(rows) / square(old.data)).toBeCloseTo(1, 1);
  });
});

describe('expandedBias', () => {
  const terms = [1, 10, 100, 1000].map((count, i) => ({
    term: String(i),
    count,
    forms: [{ count, pieces: Int32Array.from([i, 0]) }],
  }));
  const old = Float32Array.from([-2, -1, 0, 5]);

  it('is of log-probabilities, with the mean and the deviation of the old one', () => {
    const bias = expandedBias(terms, old, 'frequency');
    const [before, after] = [moments(old), moments(bias)];
    expect(after.mean).toBeCloseTo(before.mean, 6);
    expect(after.deviation).toBeCloseTo(before.deviation, 6);
    expect(bias[3]! - bias[2]!).toBeCloseTo(bias[1]! - bias[0]!, 5);
    expect(bias[1]).toBeGreaterThan(bias[0]!);
  });

  it('is flat where the old one is, or all terms are equally frequent', () => {
    expect([...expandedBias(terms, new Float32Array(4), 'frequency')]).toEqual([0, 0, 0, 0]);
    const equal = terms.map((term) => ({ ...term, count: 3 }));
    expect([...expandedBias(equal, old, 'frequency')]).toEqual([0.5, 0.5, 0.5, 0.5]);
  });

  it('is pooled, or zero', () => {
    expect([...expandedBias(terms, old, 'pooled')]).toEqual([-2, -1.5, -1, 1.5]);
    expect([...expandedBias(terms, old, 'zero')]).toEqual([0, 0, 0, 0]);
  });
});

describe('pieceTerms', () => {
  it('cuts forms as they occur, with a space where that makes other pieces', () => {
    const asked: string[] = [];
    const tokenizer: Pick<Tokenizer, 'encode' | 'specialIds' | 'specialTokens' | 'size'> = {
      size: 50,
      specialIds: new Set([0]),
      specialTokens: { unk: 0 },
      encode: (text) => {
        asked.push(text);
        if (/the/.test(text)) return Int32Array.from([text.startsWith(' ') ? 5 : 6]);
        return Int32Array.from(/Q/.test(text) ? [0] : text.trim(), Number);
      },
    };
    const terms = pieceTerms(
      [
        {
          term: 'x',
          count: 10,
          forms: [
            { text: '12', count: 6 },
            { text: 'Q', count: 3 },
            { text: '7', count: 1 },
          ],
        },
        { term: 'q', count: 2, forms: [{ text: 'Q', count: 2 }] },
      ],
      tokenizer,
    );
    expect(asked).toEqual(['the', ' the', ' 12', ' Q', ' 7', ' Q']);
    expect(terms.map(({ forms }) => forms.map(({ pieces, count }) => [[...pieces], count]))).toEqual([
      [
        [[1, 2], 6],
        [[7], 1],
      ],
      [],
    ]);
    expect(pieceStatistics(terms, tokenizer)).toEqual({
      terms: [1, 0, 1, 0, 0, 0, 0, 0, 0],
      occurrences: [5, 1, 6, 0, 0, 0, 0, 0, 0],
      meanOfTerms: 2,
      meanOfOccurrences: 13 / 7,
      termsThatArePieces: 1,
      piecesThatAreTerms: 1,
      pieces: 49,
    });
  });
});

describe('an expanded model', () => {
  it('has its terms, its rows and the rest of the model as it was', async () => {
    const report = await writeExpandedModel(at('plain'));
    const before = await opened(tinyModel, async ({ checkpoint }) =>
      Promise.all(
        [...checkpoint.tensors.keys()].map(async (name) => [name, await checkpoint.readTensor(name)] as const),
      ),
    );
    await opened(at('plain'), async ({ checkpoint, outputVocabulary, layout }) => {
      const terms = outputVocabulary!.terms;
      expect({ count: terms.length, layout }).toEqual({ count: report.terms, layout: 'sentence-transformers' });
      expect(terms.slice(0, 3)).toEqual(['the', 'in', 'rain']);
      expect(terms).toEqual(expect.arrayContaining(['houses', 'weathering', '日']));
      expect(checkpoint.config).toMatchObject({
        vocab_size: 118,
        output_vocabulary_size: terms.length,
        tie_word_embeddings: false,
      });
      expect(checkpoint.family.shape(checkpoint.config)).toMatchObject({
        vocabularySize: terms.length,
        inputVocabularySize: 118,
        ownTerms: true,
      });
      const decoder = 'cls.predictions.decoder.weight';
      expect(checkpoint.tensors.get(decoder)!.shape).toEqual([terms.length, 32]);
      for (const [name, data] of before) {
        if (name === 'cls.predictions.bias') continue;
        expect(await checkpoint.readTensor(name), name).toEqual(data);
      }
      // A term that is a piece has the row of the piece.
      const tokenizer = await loadTokenizer(tinyModel);
      const embeddings = new Map(before).get('bert.embeddings.word_embeddings.weight')!;
      const rows = await checkpoint.readTensor(decoder);
      const row = (data: Float32Array, at: number): number[] => [...data.slice(32 * at, 32 * at + 32)];
      for (const term of ['the', 'rain', 'search']) {
        expect(row(rows, terms.indexOf(term))).toEqual(row(embeddings, tokenizer.id(term)!));
      }
    });
    expect(report.pieces.terms[0]).toBe(2); // 日 and 本
    expect(report.pieces.termsThatArePieces).toBeGreaterThan(20);
  });

  it('gives a term that is a piece the weight of the piece', async () => {
    await writeExpandedModel(at('equal'), { rows: 'first', bias: 'pooled' });
    const [before, after] = [
      await SparseEncoder.load(tinyModel, { threads: 1 }),
      await SparseEncoder.load(at('equal'), { threads: 1 }),
    ];
    try {
      const { tokenizer } = before;
      let compared = 0;
      for (const text of ['rain and snow in the city', 'search the vector index', 'a warm house']) {
        const [old, expanded] = [
          await before.encodeOne(text, { kind: 'document' }),
          await after.encodeOne(text, { kind: 'document' }),
        ];
        const weights = new Map([...old.indices].map((term, i) => [tokenizer.token(term), old.values[i]!]));
        const found = new Map([...expanded.indices].map((term, i) => [after.term(term), expanded.values[i]!]));
        for (let dimension = 0; dimension < after.dimensions; dimension++) {
          const term = after.term(dimension)!;
          if (tokenizer.id(term) === undefined) continue;
          expect(found.get(term) ?? 0).toBeCloseTo(weights.get(term) ?? 0, 5);
          if (found.has(term)) compared++;
        }
      }
      expect(compared).toBeGreaterThan(10);
    } finally {
      await before.dispose();
      await after.dispose();
    }
  });

  it('keeps its terms when its head is diagnosed and corrected', async () => {
    await writeExpandedModel(at('ill'));
    await opened(at('ill'), async (model) => {
      const diagnosis = await diagnose(model, { texts: { texts: wordTexts(40), source: 'words' }, threads: 1 });
      expect(diagnosis).toMatchObject({ vocabularySize: 39, tokenizerSize: 39 });
      for (const token of diagnosis.sinkTokens) expect(model.outputVocabulary!.terms).toContain(token);
      await rescale(model, at('well'), { arm: 'C', factor: 2, shift: 0 });
      const terms = model.outputVocabulary!.terms;
      await opened(at('well'), async ({ outputVocabulary }) => expect(outputVocabulary!.terms).toEqual(terms));
    });
  });

  it('can drop no dimension of a special token, since it has none', async () => {
    const policy = JSON.stringify({ format: 'lexray-policy', version: 1, specialTokens: 'drop' });
    await writeExpandedModel(at('dropping'), { rows: 'mean' });
    await writeFile(join(at('dropping'), 'lexray.json'), policy);
    const [keeping, dropping] = await Promise.all(
      ['plain', 'dropping'].map(async (name) => {
        const encoder = await SparseEncoder.load(at(name), { threads: 1 });
        const vector = await encoder.encodeOne('rain and the city', { kind: 'query' });
        await encoder.dispose();
        return vector;
      }),
    );
    expect(dropping).toEqual(keeping);
  });

  it('cannot be expanded again', async () => {
    await expect(writeExpandedModel(at('twice'), { model: at('plain') })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('already'),
    });
  });

  it('is refused without its terms, with others, or tied', async () => {
    const path = join(at('plain'), 'output_vocabulary.json');
    const whole = await readFile(path, 'utf8');
    const vocabulary = JSON.parse(whole) as { terms: string[]; counts: number[] };
    const refusal = async (text: string | undefined, message: RegExp): Promise<void> => {
      if (text === undefined) await rm(path);
      else await writeFile(path, text);
      await expect(openModelFolder(at('plain'))).rejects.toMatchObject({
        code: 'BAD_INPUT',
        message: expect.stringMatching(message),
      });
    };
    await refusal(undefined, /output terms, but .* is missing/);
    await refusal(JSON.stringify({ ...vocabulary, terms: vocabulary.terms.slice(1) }), /expected 39 terms and counts/);
    await refusal(JSON.stringify({ ...vocabulary, terms: vocabulary.terms.map(() => 'x') }), /"x" occurs twice/);
    await refusal(JSON.stringify({ ...vocabulary, version: 2 }), /newer lexray/);
    await refusal(JSON.stringify({ ...vocabulary, counts: vocabulary.counts.map(() => -1) }), /counts/);
    await writeFile(path, whole);
    const config = join(at('plain'), 'config.json');
    const fields = JSON.parse(await readFile(config, 'utf8')) as Record<string, unknown>;
    await writeFile(config, JSON.stringify({ ...fields, tie_word_embeddings: true }));
    await refusal(whole, /tie_word_embeddings must be false/);
    await writeFile(config, JSON.stringify(fields));
  });
});
