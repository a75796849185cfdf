import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CountingEngine, type CountingEngineOptions } from '../../test/fixtures/counting-engine.ts';
import { type Changes, copyTinyModel, tinyModel } from '../../test/fixtures/model-folders.ts';
import type { ProgressEvent } from '../util/progress.ts';
import type { SparseVector } from '../vectors/sparse-vector.ts';
import type { LoadEncoderOptions } from './load-encoder-parts.ts';
import { type EncodeOptions, lengthSortedBatches, SparseEncoder } from './sparse-encoder.ts';

const dimensions = 118;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray encoder '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let copies = 0;
async function open(
  changes?: Changes,
  options: LoadEncoderOptions & Partial<CountingEngineOptions> = {},
): Promise<{ encoder: SparseEncoder; engine: CountingEngine }> {
  const { onBatch, ...load } = options;
  const model = changes ? await copyTinyModel(join(folder, `${copies++}`), changes) : tinyModel;
  const engine = new CountingEngine({ dimensions, ...(onBatch && { onBatch }) });
  return { encoder: await SparseEncoder.load(model, { engine, ...load }), engine };
}

async function encodeAll(
  encoder: SparseEncoder,
  texts: Iterable<string> | AsyncIterable<string>,
  options: Partial<EncodeOptions> = {},
): Promise<SparseVector[]> {
  const vectors: SparseVector[] = [];
  for await (const vector of encoder.encode(texts, { kind: 'document', ...options })) vectors.push(vector);
  return vectors;
}

/** The vector as counts by token. */
function counts(encoder: SparseEncoder, { indices, values }: SparseVector): Record<string, number> {
  return Object.fromEntries(Array.from(indices, (term, i) => [encoder.tokenizer.token(term)!, values[i]!]));
}

const ends = { '[CLS]': 1, '[SEP]': 1 };
const words = ['rain', 'snow', 'city', 'river', 'stone', 'house', 'garden', 'tree', 'bread', 'water'];

describe('the order of vectors', () => {
  it('is that of the texts, across windows and batches', async () => {
    const { encoder, engine } = await open();
    const texts = Array.from({ length: 2500 }, (_, i) => {
      const digits = String(i).split('').join(' ');
      return `${digits} ${'rain '.repeat((i * 7) % 13)}`;
    });
    const vectors = await encodeAll(encoder, texts, { batchTokens: 512 });
    expect(vectors).toHaveLength(texts.length);
    vectors.forEach((vector, i) => {
      const wanted: Record<string, number> = { ...ends };
      for (const digit of String(i)) wanted[digit] = (wanted[digit] ?? 0) + 1;
      if ((i * 7) % 13 > 0) wanted.rain = (i * 7) % 13;
      expect(counts(encoder, vector)).toEqual(wanted);
    });
    expect(engine.batches.length).toBeGreaterThan(20);
    expect(Math.max(...engine.batches.map(({ places }) => places))).toBeLessThanOrEqual(512);
    expect(engine.batches.reduce((sum, { sequences }) => sum + sequences, 0)).toBe(texts.length);
  });

  it('does not depend on which batch comes back first', async () => {
    const turns: number[] = [];
    const onBatch = async (batch: number): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, batch % 2 === 0 ? 15 : 0));
      turns.push(batch);
    };
    const { encoder } = await open(undefined, { onBatch });
    const texts = words.map((word, i) => `${word} `.repeat(i + 1));
    const vectors = await encodeAll(encoder, texts, { batchTokens: 24 });
    expect(turns).not.toEqual([...turns].sort((a, b) => a - b));
    vectors.forEach((vector, i) => {
      expect(counts(encoder, vector)).toEqual({ ...ends, [words[i]!]: i + 1 });
    });
  });

  it('is kept for texts that come one by one', async () => {
    const { encoder } = await open();
    async function* slowly(): AsyncGenerator<string> {
      for (const word of words) {
        await new Promise((resolve) => setImmediate(resolve));
        yield word;
      }
    }
    const vectors = await encodeAll(encoder, slowly());
    expect(vectors.map((vector) => counts(encoder, vector))).toEqual(words.map((word) => ({ ...ends, [word]: 1 })));
  });
});

describe('texts at the edges', () => {
  it('encodes no texts at all', async () => {
    const { encoder, engine } = await open();
    expect(await encodeAll(encoder, [])).toEqual([]);
    expect(engine.batches).toEqual([]);
  });

  it('encodes an empty text, and one of unknown signs', async () => {
    const { encoder } = await open();
    const [empty, unknown] = await encodeAll(encoder, ['', '\u{1F600}']);
    expect(counts(encoder, empty!)).toEqual(ends);
    expect(counts(encoder, unknown!)).toEqual({ ...ends, '[UNK]': 1 });
  });

  it('gives an empty vector for a text without tokens', async () => {
    const { encoder } = await open({ files: { 'tokenizer.json': await tokenizerWithoutEnds() } });
    const vectors = await encodeAll(encoder, ['', 'rain', '']);
    expect(vectors.map((vector) => counts(encoder, vector))).toEqual([{}, { rain: 1 }, {}]);
    expect((await encoder.encodeOne('', { kind: 'query' })).indices).toHaveLength(0);
  });

  it('cuts a document of a million characters to the maximum length', async () => {
    const { encoder, engine } = await open();
    const [vector] = await encodeAll(encoder, ['rain '.repeat(200_000)]);
    expect(counts(encoder, vector!)).toEqual({ ...ends, rain: 62 });
    expect(engine.batches).toEqual([{ sequences: 1, places: 64, longest: 64 }]);
  });

  it('does not gather long texts: a window ends after some megabytes', async () => {
    let read = 0;
    const { encoder } = await open();
    function* texts(): Generator<string> {
      for (; read < 40; read++) yield 'rain '.repeat(200_000);
    }
    for await (const _ of encoder.encode(texts(), { kind: 'document' })) break;
    expect(read).toBeLessThan(30);
  });
});

describe('what a model records', () => {
  it('drops special tokens where the policy says so', async () => {
    const { encoder } = await open({
      files: { 'lexray.json': { format: 'lexray-policy', version: 1, specialTokens: 'drop' } },
    });
    const [vector] = await encodeAll(encoder, ['rain [MASK] snow']);
    expect(counts(encoder, vector!)).toEqual({ rain: 1, snow: 1 });
  });

  it('puts prompts before texts, by kind', async () => {
    const policy = { format: 'lexray-policy', version: 1, prompts: { query: 'find ', document: 'read ' } };
    const { encoder } = await open({ files: { 'lexray.json': policy } });
    const query = await encoder.encodeOne('rain', { kind: 'query' });
    expect(counts(encoder, query)).toEqual({ ...ends, find: 1, rain: 1 });
    const [document] = await encodeAll(encoder, ['rain']);
    expect(counts(encoder, document!)).toEqual({ ...ends, read: 1, rain: 1 });
  });

  it('lower-cases texts where the policy says so, whatever the tokenizer does', async () => {
    const cased = await tokenizerWith((tokenizer) => {
      tokenizer.normalizer = null;
    });
    const policy = { format: 'lexray-policy', version: 1 };
    const keep = await open({ files: { 'tokenizer.json': cased, 'lexray.json': { ...policy, casing: 'keep' } } });
    const lower = await open({ files: { 'tokenizer.json': cased, 'lexray.json': { ...policy, casing: 'lower' } } });
    const [kept] = await encodeAll(keep.encoder, ['RAIN']);
    expect(counts(keep.encoder, kept!)).toEqual({ ...ends, '[UNK]': 1 });
    const [lowered] = await encodeAll(lower.encoder, ['RAIN']);
    expect(counts(lower.encoder, lowered!)).toEqual({ ...ends, rain: 1 });
  });

  it('uses the lengths of its policy, and those that the user wants instead', async () => {
    const policy = { format: 'lexray-policy', version: 1, maxLength: { query: 5, document: 9 } };
    const text = 'rain '.repeat(100);
    const recorded = await open({ files: { 'lexray.json': policy } });
    const lengths = async ({ encoder }: { encoder: SparseEncoder }): Promise<number[]> => {
      const query = await encoder.encodeOne(text, { kind: 'query' });
      const document = await encoder.encodeOne(text, { kind: 'document' });
      return [query, document].map(({ values }) => values.reduce((a, b) => a + b));
    };
    expect(await lengths(recorded)).toEqual([5, 9]);
    expect(await lengths(await open({ files: { 'lexray.json': policy } }, { maxLength: 20 }))).toEqual([20, 20]);
  });

  it.each([0, 65, 1.5, Number.NaN])('refuses the maximum length %s and disposes of the engine', async (maxLength) => {
    const engine = new CountingEngine({ dimensions });
    await expect(SparseEncoder.load(tinyModel, { engine, maxLength })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('from 1 to 64'),
    });
    expect(engine.disposed).toBe(1);
  });

  it('keeps the heaviest terms: as many as the model says, or the caller', async () => {
    const settings = { model_type: 'SparseEncoder', max_active_dims: 2 };
    const { encoder } = await open({ files: { 'config_sentence_transformers.json': settings } });
    const text = 'snow snow snow rain rain city';
    const [two] = await encodeAll(encoder, [text]);
    expect(counts(encoder, two!)).toEqual({ snow: 3, rain: 2 });
    const [one] = await encodeAll(encoder, [text], { maxActiveDims: 1 });
    expect(counts(encoder, one!)).toEqual({ snow: 3 });
    await expect(encodeAll(encoder, [text], { maxActiveDims: -1 })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('progress', () => {
  it('counts the texts of each batch, up to their number', async () => {
    const { encoder } = await open();
    const events: ProgressEvent[] = [];
    const texts = Array.from({ length: 1500 }, () => 'rain');
    await encodeAll(encoder, texts, { total: 1500, onProgress: (event) => events.push(event) });
    const done = events.map((event) => event.done);
    expect(done.every((count, i) => count > (done[i - 1] ?? 0) && count - (done[i - 1] ?? 0) <= 128)).toBe(true);
    expect(events.at(-1)).toEqual({ phase: 'encode documents', done: 1500, total: 1500, unit: 'texts' });
  });
});

describe('an end before the end', () => {
  const many = Array.from({ length: 5000 }, (_, i) => words[i % words.length]!);

  it('stops when the signal fires', async () => {
    const controller = new AbortController();
    const onBatch = (batch: number): void => {
      if (batch === 3) controller.abort();
    };
    const { encoder, engine } = await open(undefined, { onBatch });
    await expect(encodeAll(encoder, many, { signal: controller.signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    expect(engine.batches.length).toBeLessThan(8);
    const aborted = AbortSignal.abort();
    await expect(encodeAll(encoder, many, { signal: aborted })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await expect(encoder.encodeOne('rain', { kind: 'query', signal: aborted })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  });

  it('ends the work when the caller stops reading, and closes the source', async () => {
    let closed = false;
    function* source(): Generator<string> {
      try {
        yield* many.slice(0, 1024);
        for (;;) yield 'rain '.repeat(62);
      } finally {
        closed = true;
      }
    }
    const { encoder, engine } = await open();
    for await (const vector of encoder.encode(source(), { kind: 'document' })) {
      expect(counts(encoder, vector)).toEqual({ ...ends, rain: 1 });
      break;
    }
    expect(closed).toBe(true);
    const batches = engine.batches.length;
    // The first window takes 8 batches; the second, which is under way, would take 16.
    expect(batches).toBeLessThan(22);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(engine.batches).toHaveLength(batches);
    expect(await encodeAll(encoder, ['snow'])).toHaveLength(1);
  });

  it.each([0, 1, 2, 9, 39])("hands on the engine's failure in batch %i, and nothing fails unseen", async (failing) => {
    const unseen: unknown[] = [];
    const listener = (reason: unknown): number => unseen.push(reason);
    process.on('unhandledRejection', listener);
    try {
      const onBatch = async (batch: number): Promise<void> => {
        if (batch >= failing) throw new Error(`batch ${batch} failed`);
      };
      const { encoder } = await open(undefined, { onBatch });
      await expect(encodeAll(encoder, many)).rejects.toThrow(/batch \d+ failed/);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(unseen).toEqual([]);
    } finally {
      process.off('unhandledRejection', listener);
    }
  });

  it('hands on what the source throws', async () => {
    const { encoder } = await open();
    async function* source(): AsyncGenerator<string> {
      yield* many.slice(0, 1500);
      throw new Error('the source broke');
    }
    await expect(encodeAll(encoder, source())).rejects.toThrow('the source broke');
  });

  it('refuses weights that are not finite', async () => {
    const { encoder, engine } = await open();
    const compile = engine.compile.bind(engine);
    engine.compile = async () => {
      const program = await compile();
      return {
        ...program,
        run: async (feeds) => {
          const { weights } = await program.run(feeds);
          (weights!.data as Float32Array)[60] = Number.NaN;
          return { weights: weights! };
        },
      };
    };
    await expect(encodeAll(encoder, ['rain'])).rejects.toMatchObject({
      code: 'FAILED',
      message: 'the model gives the weight NaN at dimension 60',
    });
  });

  it('disposes of its engine, and may be disposed of twice', async () => {
    const { encoder, engine } = await open();
    await encoder.dispose();
    await encoder.dispose();
    expect(engine.disposed).toBeGreaterThan(0);
    await using real = await SparseEncoder.load(tinyModel, { threads: 1 });
    await real.dispose();
    await real.dispose();
    await expect(real.encodeOne('rain', { kind: 'query' })).rejects.toMatchObject({ message: /closed/ });
  });
});

describe('models that do not fit', () => {
  it.each([
    ['a tokenizer wider than the head', { files: { 'tokenizer.json': 'wide' } }, /different width/],
    ['an unknown family', { config: { model_type: 'abacus' } }, /abacus/],
  ])('%s: refused, and the engine disposed of', async (_title, changes, message) => {
    const files: Record<string, unknown> = { ...('files' in changes ? changes.files : {}) };
    if (files['tokenizer.json'] === 'wide') {
      files['tokenizer.json'] = await tokenizerWith(({ model }) => {
        model.vocab.umbrella = 118;
      });
    }
    const engine = new CountingEngine({ dimensions });
    const model = await copyTinyModel(join(folder, `${copies++}`), { ...changes, files });
    await expect(SparseEncoder.load(model, { engine })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message),
    });
  });
});

describe('lengthSortedBatches', () => {
  const lengthsList = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 300 });

  it('puts every text with tokens in one batch, longest first, within the budget', () => {
    fc.assert(
      fc.property(lengthsList, fc.integer({ min: 1, max: 200 }), (lengths, budget) => {
        const batches = [
          ...lengthSortedBatches(
            lengths.map((length) => new Int32Array(length)),
            budget,
          ),
        ];
        const order = batches.flat();
        expect([...order].sort((a, b) => a - b)).toEqual([...lengths.keys()].filter((i) => lengths[i]! > 0));
        expect(order.every((i, at) => at === 0 || lengths[order[at - 1]!]! >= lengths[i]!)).toBe(true);
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(128);
          if (batch.length > 1) expect(batch.length * lengths[batch[0]!]!).toBeLessThanOrEqual(budget);
        }
      }),
    );
  });

  it('fills batches', () => {
    const batches = [
      ...lengthSortedBatches(
        Array.from({ length: 100 }, () => new Int32Array(10)),
        200,
      ),
    ];
    expect(batches.map((batch) => batch.length)).toEqual([20, 20, 20, 20, 20]);
  });
});

interface TokenizerFile {
  normalizer: unknown;
  post_processor: unknown;
  model: { vocab: Record<string, number> };
}

async function tokenizerWith(change: (tokenizer: TokenizerFile) => void): Promise<TokenizerFile> {
  const tokenizer = JSON.parse(await readFile(join(tinyModel, 'tokenizer.json'), 'utf8')) as TokenizerFile;
  change(tokenizer);
  return tokenizer;
}

function tokenizerWithoutEnds(): Promise<TokenizerFile> {
  return tokenizerWith((tokenizer) => {
    tokenizer.post_processor = null;
  });
}
