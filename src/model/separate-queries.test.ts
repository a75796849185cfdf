/** Encoders whose queries go another way than documents: what is tokenized how, and what runs where. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CountingEngine } from '../../test/fixtures/counting-engine.ts';
import { tinyModel } from '../../test/fixtures/model-folders.ts';
import { openModelFolder } from '../checkpoint/layouts/model-folder.ts';
import type { BeirCollection } from '../data/load-beir.ts';
import { loadTokenizer } from '../tokenizer/load-tokenizer.ts';
import type { SparseVector } from '../vectors/sparse-vector.ts';
import type { EncoderParts, QueryParts } from './encoder-parts.ts';
import { retrieve } from './retrieve.ts';
import { SparseEncoder } from './sparse-encoder.ts';
import { tokenWeights } from './token-weights.ts';

const golden = (name: string): string =>
  fileURLToPath(new URL(`../../test/fixtures/goldens/router/${name}`, import.meta.url));
const tokenizer = await loadTokenizer(tinyModel);

/** The weight of a token is its id / 10; of the special ones 0. */
const table = Float32Array.from({ length: 118 }, (_, id) => (tokenizer.specialIds.has(id) ? 0 : Math.fround(id / 10)));

async function open(
  query: QueryParts,
  policy: Partial<EncoderParts['policy']> = {},
  maxActiveDims?: number,
): Promise<{ encoder: SparseEncoder; engine: CountingEngine }> {
  const model = await openModelFolder(tinyModel);
  await model.close();
  const engine = new CountingEngine({ dimensions: 118 });
  const encoder = new SparseEncoder({
    engine,
    config: model.checkpoint.config,
    activation: 'relu',
    tokenizer,
    policy: { ...model.policy, ...policy },
    query,
    maxActiveDims,
  });
  return { encoder, engine };
}

const staticQueries: QueryParts = { kind: 'static', tokenizer, weights: () => table };

function byToken({ indices, values }: SparseVector): Record<string, number> {
  return Object.fromEntries(Array.from(indices, (term, i) => [tokenizer.token(term)!, values[i]!]));
}
const weightsOf = (...tokens: string[]): Record<string, number> =>
  Object.fromEntries(tokens.map((token) => [token, table[tokenizer.id(token)!]!]));

describe('queries by token weights', () => {
  it('have the weight of each token once, no special tokens, and no engine run', async () => {
    const { encoder, engine } = await open(staticQueries);
    expect(encoder.queryEncoder).toBe('static');
    const found = await encoder.encodeOne('rain snow rain rain', { kind: 'query' });
    expect(byToken(found)).toEqual(weightsOf('rain', 'snow'));
    expect([...found.indices]).toEqual([...found.indices].sort((a, b) => a - b));
    expect((await encoder.encodeOne('', { kind: 'query' })).indices).toHaveLength(0);
    expect(engine.batches).toEqual([]);
    const document = await encoder.encodeOne('rain rain', { kind: 'document' });
    expect(byToken(document)).toEqual({ '[CLS]': 1, '[SEP]': 1, rain: 2 });
    expect(engine.batches).toHaveLength(1);
  });

  it('take prompt, casing and length of queries', async () => {
    const { encoder } = await open(staticQueries, {
      prompts: { query: 'city ', document: '' },
      maxLength: { query: 3, document: 64 },
    });
    expect(byToken(await encoder.encodeOne('rain snow dog', { kind: 'query' }))).toEqual(
      weightsOf('city', 'rain', 'snow'),
    );
    expect([...encoder.tokenize('rain', 'query')]).toEqual([tokenizer.id('city'), tokenizer.id('rain')]);
    expect(encoder.tokenize('rain', 'document')).toHaveLength(3);
  });

  it('keep weights below 0, and leave out special tokens where the policy says so', async () => {
    const weights = table.map((weight) => -weight);
    weights[tokenizer.id('[SEP]')!] = 5;
    const query: QueryParts = { kind: 'static', tokenizer, weights: () => weights };
    const kept = await (await open(query)).encoder.encodeOne('rain [SEP]', { kind: 'query' });
    expect(byToken(kept)).toEqual({ '[SEP]': 5, rain: -table[tokenizer.id('rain')!]! });
    const { encoder } = await open(query, { specialTokens: 'drop' });
    expect(Object.keys(byToken(await encoder.encodeOne('rain [SEP]', { kind: 'query' })))).toEqual(['rain']);
  });

  it('are capped as all vectors are', async () => {
    const { encoder } = await open(staticQueries, {}, 1);
    const ids = ['rain', 'snow'].map((token) => tokenizer.id(token)!);
    const heaviest = tokenizer.token(Math.max(...ids))!;
    expect(byToken(await encoder.encodeOne('rain snow', { kind: 'query' }))).toEqual(weightsOf(heaviest));
  });

  it('follow weights that change while a model is trained', async () => {
    let weights = table;
    const { encoder } = await open({ kind: 'static', tokenizer, weights: async () => weights });
    await encoder.encodeOne('rain', { kind: 'query' });
    weights = table.map((weight) => 2 * weight);
    expect((await encoder.encodeOne('rain', { kind: 'query' })).values[0]).toBe(2 * table[tokenizer.id('rain')!]!);
  });

  it('retrieve', async () => {
    const { encoder, engine } = await open(staticQueries);
    const collection: BeirCollection = {
      name: 'test',
      split: 'test',
      queries: [{ qid: 'q', text: 'rain the snow' }],
      qrels: new Map(),
      documentCount: 2,
      async *documents() {
        yield { docid: 'a', title: '', text: 'snow snow' };
        yield { docid: 'b', title: '', text: 'rain' };
      },
      countDocuments: async () => 2,
    };
    const { run } = await retrieve(encoder, collection);
    const score = (token: string, times: number): number => Math.fround(times * table[tokenizer.id(token)!]!);
    expect(run.get('q')).toEqual([
      { docid: 'a', score: score('snow', 2) },
      { docid: 'b', score: score('rain', 1) },
    ]);
    expect(engine.batches.map(({ sequences }) => sequences)).toEqual([2]);
  });
});

describe('a model folder', () => {
  const load = async (folder: string, maxLength?: number): Promise<{ encoder: SparseEncoder; warnings: string[] }> => {
    const warnings: string[] = [];
    const encoder = await SparseEncoder.load(folder, {
      engine: new CountingEngine({ dimensions: 118 }),
      onWarning: (message) => warnings.push(message),
      maxLength,
    });
    return { encoder, warnings };
  };

  it.each([
    ['static-5.0', 'static'],
    ['pair-6.2', 'encoder'],
    ['idf', 'static'],
  ])('%s says how queries are encoded', async (name, kind) => {
    expect((await load(golden(name))).encoder.queryEncoder).toBe(kind);
    expect((await load(tinyModel)).encoder.queryEncoder).toBe('shared');
  });

  it('opened for queries by token weights loads no weights of the documents', async () => {
    const engine = new CountingEngine({ dimensions: 118 });
    engine.createVariables = async () => expect.unreachable();
    const encoder = await SparseEncoder.load(golden('static-6.2'), { kinds: ['query'], engine });
    expect((await encoder.encodeOne('the rain', { kind: 'query' })).indices).toHaveLength(2);
    await expect(encoder.encodeOne('rain', { kind: 'document' })).rejects.toThrow(
      /opened for a query, not for a document/,
    );
    await encoder.dispose();
    expect(engine.disposed).toBe(1);
  });

  it.each([
    ['document', ['bert.embeddings.word_embeddings.weight']],
    ['query', ['query.bert.embeddings.word_embeddings.weight']],
  ] as const)('opened for a %s has the variables of that side only', async (kind, [first]) => {
    const names: string[] = [];
    const engine = new CountingEngine({ dimensions: 118 });
    engine.createVariables = async (variables = []) => void names.push(...variables.map(({ name }) => name));
    const encoder = await SparseEncoder.load(golden('pair-5.0'), { kinds: [kind], engine });
    expect(names[0]).toBe(first);
    expect(names.every((name) => name.startsWith('query.') === (kind === 'query'))).toBe(true);
    expect((await encoder.encodeOne('rain', { kind })).indices.length).toBeGreaterThan(0);
  });

  it('takes another length for both sides', async () => {
    const { encoder } = await load(golden('static-5.0'), 5);
    expect(encoder.policy.maxLength).toEqual({ query: 5, document: 5 });
    await expect(load(golden('static-5.0'), 33)).rejects.toThrow(/from 1 to 32 tokens expected, got 33/);
  });
});

describe('token weights by token', () => {
  const stored = (entries: Record<string, number>): Parameters<typeof tokenWeights>[0] => ({
    weights: new Map(Object.entries(entries)),
    paths: ['idf.json'],
  });

  it('are put at the ids of their tokens; those that are not there are warned of', () => {
    const warnings: string[] = [];
    const found = tokenWeights(stored({ rain: 2, nowhere: 3 }), tokenizer, 120, (message) => warnings.push(message));
    expect([...found.entries()].filter(([, weight]) => weight !== 0)).toEqual([[tokenizer.id('rain'), 2]]);
    expect(found).toHaveLength(120);
    expect(warnings).toEqual(['idf.json: 1 of its 2 tokens are not in the tokenizer']);
  });

  it('are refused when none fits', () => {
    expect(() => tokenWeights(stored({ nowhere: 3 }), tokenizer, 120)).toThrow(/none of its 1 tokens is one of the/);
  });
});

it('warns when the tokenizers of queries and documents number tokens differently', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lexray-'));
  try {
    await cp(golden('static-5.0'), folder, { recursive: true });
    const path = join(folder, 'query_0_SparseStaticEmbedding/tokenizer.json');
    const json = JSON.parse(await readFile(path, 'utf8')) as { model: { vocab: Record<string, number> } };
    const { rain, snow } = json.model.vocab;
    Object.assign(json.model.vocab, { rain: snow, snow: rain });
    await writeFile(path, JSON.stringify(json));
    const warnings: string[] = [];
    const onWarning = (message: string): unknown => warnings.push(message);
    await SparseEncoder.load(folder, { engine: new CountingEngine({ dimensions: 118 }), onWarning });
    expect(warnings).toEqual([expect.stringMatching(/2 tokens differ.*is "(rain|snow)", of the documents/)]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
