/** Diagnoses of heads that are known to be well or ill: the tiny model of the tests, and changed copies of it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyTinyModel, type TestTensor, tinyModel } from '../../test/fixtures/model-folders.ts';
import { openModelFolder } from '../checkpoint/layouts/model-folder.ts';
import { type DiagnoseOptions, type Diagnosis, diagnose } from './diagnose.ts';
import { rescale } from './rescale.ts';
import { sampleSentences, sampleTextCount, sampleTexts } from './sample-texts.ts';
import { sweep } from './sweep.ts';
import { textHalves } from './text-halves.ts';
import { judge } from './verdicts.ts';
import { wordTexts } from './word-texts.suite.ts';

let folder = '';
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-diagnose-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const texts = { texts: wordTexts(130), source: 'words' };

async function diagnosisOf(path: string, options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const model = await openModelFolder(path);
  try {
    return await diagnose(model, { texts, threads: 2, ...options });
  } finally {
    await model.close();
  }
}

const decoder = 'bert.embeddings.word_embeddings.weight';
const gamma = 'cls.predictions.transform.LayerNorm.weight';
const beta = 'cls.predictions.transform.LayerNorm.bias';
const bias = 'cls.predictions.bias';

const change =
  (changes: Readonly<Record<string, (x: number, i: number) => number>>) =>
  (tensors: TestTensor[]): TestTensor[] =>
    tensors.map((tensor) => ({ ...tensor, data: tensor.data.map(changes[tensor.name] ?? ((x) => x)) }));

/** A copy whose head is `m` times as large, with `b` added to its bias. */
const inflated = (name: string, m: number, b = 0): Promise<string> =>
  copyTinyModel(at(name), {
    tensors: change({ [gamma]: (x) => x * m, [beta]: (x) => x * m, [bias]: (x) => x * m + b }),
  });

const kinds = ({ verdicts }: Diagnosis): string[] => verdicts.map(({ kind }) => kind);

describe('verdicts', () => {
  it('finds the tiny model healthy', async () => {
    const diagnosis = await diagnosisOf(tinyModel);
    expect(kinds(diagnosis)).toEqual(['healthy']);
    expect(diagnosis).toMatchObject({ proposal: undefined, noProposal: undefined, curves: [], earlier: [] });
    expect(diagnosis.texts).toMatchObject({ count: 130, source: 'words', builtIn: false, unknownLeftOut: 0 });
    expect(diagnosis.observed.texts).toBe(130);
  });

  it('sees that an inflated head will die, and a correction that repairs it', async () => {
    const ill = await inflated('inflated', 2 ** 10);
    const diagnosis = await diagnosisOf(ill);
    expect(diagnosis.verdicts[0]).toMatchObject({ kind: 'dying', collapse: true });
    const { calibration, after } = diagnosis.proposal!;
    // Two hundred dimensions at most: by the spread of scores, as every head that is sparse already.
    expect(calibration).toMatchObject({ statistic: 'score-spread', target: 1, before: diagnosis.observed.scores.std });
    expect(diagnosis.proposal!.remaining).toBeUndefined();
    expect(after.activeDims).toEqual(diagnosis.observed.activeDims);
    const model = await openModelFolder(ill);
    await rescale(model, at('repaired'), calibration.correction);
    await model.close();
    const repaired = await diagnosisOf(at('repaired'));
    expect(kinds(repaired)).toEqual(['healthy']);
    expect(repaired.observed.scores.std).toBeCloseTo(1, 3);
    expect(after.scores.std).toBeCloseTo(1, 4);
    expect(repaired.earlier).toHaveLength(1);
  });

  it('sees that a head with a shifted bias will go dense, and repairs it by a shift', async () => {
    const ill = await inflated('shifted', 4, 60);
    const diagnosis = await diagnosisOf(ill);
    expect(diagnosis.verdicts[0]).toMatchObject({ kind: 'dense', collapse: true });
    expect(diagnosis.observed.activeShare).toBe(1);
    expect(diagnosis.observed.scores.cosine).toBeGreaterThan(0.99);
    const { calibration, after } = diagnosis.proposal!;
    expect(calibration.correction.arm).toBe('D');
    expect(calibration.correction.shift).toBeGreaterThan(30);
    expect(after.tokenActivation).toBeCloseTo(0.1, 2);
    const model = await openModelFolder(ill);
    await rescale(model, at('thinned'), calibration.correction);
    await model.close();
    expect(kinds(await diagnosisOf(at('thinned')))).toContain('healthy');
  });

  it('sees dead and flat heads', async () => {
    const dead = await diagnosisOf(await inflated('dead', 1, -1000));
    expect(dead.verdicts[0]).toMatchObject({ kind: 'dying' });
    expect(dead.verdicts[0]!.reason).toContain('130 of 130 texts have no active dimension');
    expect(dead.proposal!.calibration.correction).toMatchObject({ arm: 'D' });
    expect(dead.proposal!.after.zeroTexts).toBe(0);
    const flat = await diagnosisOf(await inflated('flat', 2 ** -8));
    expect(flat.verdicts[0]).toMatchObject({ kind: 'dense' });
    expect(flat.proposal!.calibration.correction.factor).toBeLessThan(0.1);
  });

  it('tells an untrained head, which no factor helps', async () => {
    const fresh = await copyTinyModel(at('fresh'), {
      tensors: change({ [gamma]: () => 1, [beta]: () => 0, [bias]: () => 0 }),
    });
    const diagnosis = await diagnosisOf(fresh);
    expect(diagnosis.verdicts[0]).toMatchObject({ kind: 'untrained', collapse: true, title: 'head missing or random' });
    expect(diagnosis.proposal).toBeUndefined();
    expect(diagnosis.noProposal).toContain('never trained');
  });

  it('tells padded rows and a decoder beside tied embeddings', async () => {
    const odd = await copyTinyModel(at('odd'), {
      tensors: (tensors) => {
        const [table] = tensors.filter(({ name }) => name === decoder);
        const width = table!.shape[1]!;
        const padded = change({ [decoder]: (x, i) => (i < 3 * width ? 0 : x) })(tensors);
        const other = { ...table!, name: 'cls.predictions.decoder.weight', data: table!.data.map((x) => x / 8) };
        return [...padded, other];
      },
    });
    const diagnosis = await diagnosisOf(odd);
    expect(kinds(diagnosis)).toEqual(expect.arrayContaining(['padded', 'tied-trap']));
    const reason = (kind: string): string => diagnosis.verdicts.find((verdict) => verdict.kind === kind)!.reason;
    expect(reason('padded')).toContain('3 rows of the decoder are zero');
    expect(reason('tied-trap')).toContain('cls.predictions.decoder.weight differs from');
    const rows = diagnosis.head.rowNorms.length;
    const judgedWith = (zeroRows: number): string[] => {
      const { recipe, observed } = diagnosis;
      const head = { ...diagnosis.head, zeroRows, repeatedRows: 0 };
      const facts = { head, observed, vocabularySize: rows, tokenizerSize: rows, rivals: [], recipe };
      return judge(facts).map(({ kind, collapse }) => `${kind} ${collapse}`);
    };
    // More than half of the rows are no padding.
    expect(judgedWith(Math.floor(rows / 2))).toContain('padded false');
    expect(judgedWith(Math.floor(rows / 2) + 1)).toContain('untrained true');
    expect(judgedWith(Math.floor(rows / 2) + 1)).not.toContain('padded false');
  });

  it('tells a sink, by its token', async () => {
    const term = 60;
    const sunk = await copyTinyModel(at('sunk'), {
      tensors: change({ [bias]: (x, i) => (i === term ? x + 500 : x - 1) }),
    });
    const diagnosis = await diagnosisOf(sunk, { recipe: 'splade-pp' });
    expect(kinds(diagnosis)).toContain('sink');
    expect(diagnosis.observed.sinks[0]).toMatchObject({ term, documentFrequency: 1 });
    const words = (await readFile(join(tinyModel, 'vocab.txt'), 'utf8')).split('\n');
    expect(diagnosis.sinkTokens[0]).toBe(words[term]);
  });

  it('depends on the recipe', async () => {
    const steep = await inflated('steep', 24);
    const [infoNce, margins] = [await diagnosisOf(steep), await diagnosisOf(steep, { recipe: 'splade-pp' })];
    expect(infoNce.observed).toEqual(margins.observed);
    expect(infoNce.verdicts[0]!.reason).not.toBe(margins.verdicts[0]!.reason);
  });
});

describe('equivariance through the encoder', () => {
  it.each([2 ** -4, 0.5, 4, 32])('a head %f times as large is proposed that many times the factor', async (m) => {
    // Both are far outside of the window, so that both get a proposal.
    const [base, scaled] = [await inflated(`base${m}`, 2 ** 12), await inflated(`scaled${m}`, 2 ** 12 * m)];
    const factors = [await diagnosisOf(base), await diagnosisOf(scaled)].map(
      ({ proposal }) => proposal!.calibration.correction.factor,
    );
    expect(factors[1]! / factors[0]! / m).toBeCloseTo(1, 5);
  });
});

describe('curves', () => {
  it('are there when asked for, with the figures of arms B, C and D', async () => {
    const { curves } = await diagnosisOf(tinyModel, { curves: true });
    expect(curves.map(({ arm }) => arm)).toEqual(['B', 'C', 'D']);
    for (const { points } of curves) {
      expect(points.map(({ factor }) => factor)).toHaveLength(19);
      expect(points[4]!.factor).toBe(1);
    }
    const [b, c] = curves;
    expect(b!.points[4]!.observed.activeDims).toEqual(c!.points[4]!.observed.activeDims);
    expect(new Set(c!.points.map(({ observed }) => observed.activeDims.mean)).size).toBe(1);
  });
});

describe('texts', () => {
  it.each([
    [[], /got 0 texts/],
    [['one text alone'], /got one text/],
    [['', '  ', 'a', 'a', ' a '], /got one text/],
    [['rain', 'snow', 'fish'], /at least 8 different texts that are not empty, got 3 texts/],
  ])('%j are too few', async (few, message) => {
    await expect(diagnosisOf(tinyModel, { texts: { texts: few, source: 'x' } })).rejects.toThrow(message);
    await expect(diagnosisOf(tinyModel, { texts: { texts: few, source: 'x' } })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    });
  });

  it('are refused where the tokenizer knows next to nothing of them, and the file is named', async () => {
    const emoji = Array.from({ length: 40 }, (_, i) => String.fromCodePoint(0x1f600 + i));
    const attempt = diagnosisOf(tinyModel, { texts: { texts: emoji, source: 'emoji.txt' } });
    await expect(attempt).rejects.toThrow(/knows 0 of the 40 tokens of these texts/);
    await expect(attempt).rejects.toMatchObject({ code: 'BAD_INPUT', where: 'emoji.txt' });
    await expect(diagnosisOf(tinyModel, { texts: { texts: ['one'], source: 'short.txt' } })).rejects.toMatchObject({
      where: 'short.txt',
    });
  });

  it('takes no more than 512', async () => {
    const many = { texts: wordTexts(600), source: 'x' };
    expect((await diagnosisOf(tinyModel, { texts: many })).texts).toMatchObject({ count: 512, pairs: 128 });
  });

  it('are built in, in ten languages, all different', () => {
    const built = sampleTexts();
    expect(new Set(built).size).toBe(sampleTextCount);
    expect(built).toEqual(sampleTexts());
    expect(Object.keys(sampleSentences)).toHaveLength(10);
    expect(Object.values(sampleSentences).flat().length).toBeGreaterThanOrEqual(140);
    for (const text of built) expect(text).toBe(text.trim());
    // Texts of a batch are unrelated: no sentence is in two of them.
    for (let start = 0; start < built.length; start += 64) {
      for (const sentence of Object.values(sampleSentences).flat()) {
        const batch = built.slice(start, start + 64);
        expect(
          batch.filter((text) => text.split(/(?<=[.?。？]) | (?=\p{Lu})/u).includes(sentence)).length,
        ).toBeLessThan(2);
      }
    }
  });

  it('leaves out built-in texts that the tokenizer does not know', async () => {
    const { texts: used } = await diagnosisOf(tinyModel, { texts: undefined });
    expect(used).toMatchObject({ builtIn: true, source: 'built-in sentences in ten languages' });
    expect(used.unknownLeftOut).toBeGreaterThan(100);
    expect(used.count + used.unknownLeftOut).toBe(512);
  });

  it('are halved by words, in scripts with and without spaces', () => {
    expect(textHalves('one two three four five')).toBeUndefined();
    expect(textHalves('one two three, four five six.')).toEqual(['one two three,', 'four five six.']);
    const [first, second] = textHalves('蜜蜂用舞蹈告诉同伴花的位置和距离。')!;
    expect(first.length).toBeGreaterThan(3);
    expect(second.length).toBeGreaterThan(3);
  });
});

describe('sweep', () => {
  it('encodes once for each factor of arm A, and takes the nearest', async () => {
    const model = await openModelFolder(tinyModel);
    const { rows, chosen, target } = await sweep(model, { texts, threads: 2 });
    await model.close();
    expect(rows.map(({ factor }) => factor)).toEqual([1, 2, 4, 8, 16]);
    const distances = rows.map(({ value }) => Math.abs(Math.log(Math.max(value, 1e-300) / target!)));
    expect(rows[distances.indexOf(Math.min(...distances))]!.factor).toBe(chosen.factor);
    expect(chosen.arm).toBe('A');
    expect(rows[0]!.observed).toEqual((await diagnosisOf(tinyModel)).observed);
    // The encoder is another one: arm B would not give the same.
    expect(rows[3]!.observed.activeDims.mean).not.toBe(rows[0]!.observed.activeDims.mean);
  });

  it('refuses statistics that do not look at vectors', async () => {
    const model = await openModelFolder(tinyModel);
    await expect(sweep(model, { texts, statistic: 'closed-form' })).rejects.toThrow(/cannot be swept/);
    await model.close();
  });
});
