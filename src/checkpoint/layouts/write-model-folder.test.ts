import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { tinyModel } from '../../../test/fixtures/model-folders.ts';
import { LexrayError } from '../../util/errors.ts';
import { type NamedWeight, openCheckpoint } from '../checkpoint.ts';
import { openSafetensors } from '../safetensors-reader.ts';
import { type ModelFolder, openModelFolder } from './model-folder.ts';
import { type ModelFolderContent, type WriteModelFolderOptions, writeModelFolder } from './write-model-folder.ts';

let temporary: string;
let count = 0;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'lexray-'));
});
afterAll(() => rm(temporary, { recursive: true }));
const fresh = (): string => join(temporary, `folder-${count++}`);

/** Opens and closes a folder; what stays readable is returned, with the warnings. */
async function open(folder: string): Promise<{ model: ModelFolder; warnings: string[] }> {
  const warnings: string[] = [];
  const model = await openModelFolder(folder, { onWarning: (message) => warnings.push(message) });
  await model.close();
  return { model, warnings };
}

async function expectRefusal(promise: Promise<unknown>, message: RegExp, code = 'BAD_INPUT'): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LexrayError);
  expect((error as LexrayError).message).toMatch(message);
  expect((error as LexrayError).code).toBe(code);
}

/** Weights of the tiny model, in canonical order. */
async function tinyWeights(): Promise<{ config: ModelFolderContent['config']; weights: NamedWeight[] }> {
  const checkpoint = await openCheckpoint(tinyModel);
  const weights: NamedWeight[] = [];
  for await (const weight of checkpoint.loadWeights()) weights.push(weight);
  await checkpoint.close();
  return { config: checkpoint.config, weights };
}

async function write(
  content: Partial<ModelFolderContent> = {},
  options: WriteModelFolderOptions = {},
): Promise<string> {
  const folder = fresh();
  await writeModelFolder(folder, { ...(await tinyWeights()), tokenizer: tinyModel, ...content }, options);
  return folder;
}

describe('writeModelFolder', () => {
  const policy: ModelFolder['policy'] = {
    specialTokens: 'drop',
    prompts: { query: 'query: ', document: '' },
    titleSeparator: ' | ',
    casing: 'lower',
    maxLength: { query: 16, document: 32 },
  };

  it('writes what openModelFolder reads', async () => {
    const { weights } = await tinyWeights();
    const folder = await write({
      pooling: { strategy: 'sum', activation: 'log1p_relu' },
      maxSequenceLength: 48,
      maxActiveDims: 10,
      policy,
      origin: { config: { steps: 3 }, seed: 7, parents: { model: 'abc' } },
    });
    const model = await openModelFolder(folder);
    expect(model).toMatchObject({
      layout: 'sentence-transformers',
      pooling: { strategy: 'sum', activation: 'log1p_relu' },
      maxSequenceLength: 48,
      maxActiveDims: 10,
      policy,
      lexray: policy,
      manifest: { format: 'lexray-model', version: 1, config: { steps: 3 }, seed: 7, parents: { model: 'abc' } },
    });
    for (const { name, data } of weights) expect(await model.checkpoint.readTensor(name)).toEqual(data);
    await model.close();
  });

  it('writes the files of sentence-transformers 5.0', async () => {
    const folder = await write({ policy });
    const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(folder, name), 'utf8'));
    expect((await readdir(folder, { recursive: true })).sort()).toEqual([
      '1_SpladePooling',
      '1_SpladePooling/config.json',
      'README.md',
      'config.json',
      'config_sentence_transformers.json',
      'lexray.json',
      'manifest.json',
      'model.safetensors',
      'modules.json',
      'sentence_bert_config.json',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'vocab.txt',
    ]);
    expect(await read('modules.json')).toEqual(JSON.parse(await readFile(join(tinyModel, 'modules.json'), 'utf8')));
    expect(await read('sentence_bert_config.json')).toEqual({ max_seq_length: 64, do_lower_case: true });
    expect(await read('1_SpladePooling/config.json')).toEqual({
      pooling_strategy: 'max',
      activation_function: 'relu',
      word_embedding_dimension: 118,
    });
    expect(await read('config_sentence_transformers.json')).toMatchObject({
      model_type: 'SparseEncoder',
      prompts: policy.prompts,
      default_prompt_name: null,
      similarity_fn_name: 'dot',
    });
    const card = await readFile(join(folder, 'README.md'), 'utf8');
    expect(parse(card.split('---\n')[1]!)).toEqual({
      tags: ['sentence-transformers', 'sparse-encoder', 'sparse', 'splade'],
      pipeline_tag: 'feature-extraction',
      library_name: 'sentence-transformers',
    });
  });

  it('keeps unknown keys of config.json and says the element type', async () => {
    const { config, weights } = await tinyWeights();
    const custom = { ...config, custom: [1], torch_dtype: 'float32' };
    const folder = await write({ config: custom, weights }, { dtype: 'BF16' });
    const written = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(written).toMatchObject({
      custom: [1],
      dtype: 'bfloat16',
      architectures: ['BertForMaskedLM'],
      vocab_size: 118,
    });
    expect(written.torch_dtype).toBeUndefined();
    const file = await openSafetensors(join(folder, 'model.safetensors'));
    expect(new Set([...file.tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(['BF16']));
    await file.close();
  });

  it('writes an untied decoder, and the bias under both names', async () => {
    const { config, weights } = await tinyWeights();
    const decoder: NamedWeight = {
      ...weights[0]!,
      name: 'cls.predictions.decoder.weight',
      data: weights[0]!.data.map((x) => -x),
    };
    const folder = await write({ config: { ...config, tie_word_embeddings: false }, weights: [...weights, decoder] });
    const file = await openSafetensors(join(folder, 'model.safetensors'));
    expect(await file.readTensor('cls.predictions.decoder.bias')).toEqual(weights.at(-1)!.data);
    expect(await file.readTensor('cls.predictions.bias')).toEqual(weights.at(-1)!.data);
    expect(await file.readTensor('cls.predictions.decoder.weight')).toEqual(decoder.data);
    await file.close();
    expect((await open(folder)).warnings).toEqual([]);
  });

  it('takes weights in any order, and tokenizer files as texts', async () => {
    const { weights } = await tinyWeights();
    const folder = await write({ weights: weights.toReversed(), tokenizer: { 'tokenizer.json': '{}' } });
    const checkpoint = await openCheckpoint(folder);
    for (const { name, data } of weights) expect(await checkpoint.readTensor(name)).toEqual(data);
    await checkpoint.close();
    expect(await readFile(join(folder, 'tokenizer.json'), 'utf8')).toBe('{}');
  });

  it('holds one weight at a time when they come in order', async () => {
    const checkpoint = await openCheckpoint(tinyModel);
    let given = 0;
    const written: number[] = [];
    async function* weights(): AsyncGenerator<NamedWeight> {
      for await (const weight of checkpoint.loadWeights()) {
        given++;
        yield weight;
      }
    }
    await write(
      { config: checkpoint.config, weights: weights() },
      { onProgress: ({ done }) => written.push(given - done) },
    );
    expect(written).toEqual(written.map(() => 0));
    await checkpoint.close();
  });

  it('quotes what the model card is told', async () => {
    const folder = await write({
      card: {
        title: 'A: "model"\n---',
        baseModel: 'a/b',
        license: 'apache-2.0',
        languages: ['en'],
        datasets: ['x: y'],
        tags: ['lexray', 'splade'],
        results: [
          { dataset: 'toy', type: 'dot_ndcg@10', value: 0.5 },
          { dataset: 'toy', type: 'dot_mrr@10', value: 0.25 },
        ],
        body: 'Trained by nobody.',
      },
    });
    const card = await readFile(join(folder, 'README.md'), 'utf8');
    const [, front, body] = /^---\n(.*?)\n---\n\n(.*)$/s.exec(card) ?? [];
    expect(parse(front!)).toMatchObject({
      tags: ['sentence-transformers', 'sparse-encoder', 'sparse', 'splade', 'lexray'],
      base_model: 'a/b',
      datasets: ['x: y'],
      metrics: ['dot_ndcg@10', 'dot_mrr@10'],
      'model-index': [
        {
          name: 'A: "model"\n---',
          results: [
            {
              task: { type: 'sparse-information-retrieval' },
              dataset: { name: 'toy', type: 'toy' },
              metrics: [{ type: 'dot_ndcg@10', value: 0.5, name: 'Dot Ndcg@10' }, { value: 0.25 }],
            },
          ],
        },
      ],
    });
    expect(body).toMatch(/^# A: "model" ---\n/);
    expect(body).toMatch(/Trained by nobody\./);
  });

  const failing = (after: number): Partial<ModelFolderContent> => ({
    weights: {
      async *[Symbol.asyncIterator]() {
        const { weights } = await tinyWeights();
        yield* weights.slice(0, after);
        throw new Error('the disk is on fire');
      },
    },
  });
  const changed = (change: (weights: NamedWeight[]) => NamedWeight[]): Partial<ModelFolderContent> => ({
    weights: {
      async *[Symbol.asyncIterator]() {
        yield* change((await tinyWeights()).weights);
      },
    },
  });
  const stray: NamedWeight = {
    name: 'cls.predictions.decoder.weight',
    shape: [118, 32],
    data: new Float32Array(118 * 32),
  };

  it.each<[string, Partial<ModelFolderContent>, RegExp]>([
    ['weights that fail half-way', failing(20), /the disk is on fire/],
    ['weights that fail after the last', failing(42), /the disk is on fire/],
    ['a weight missing', changed((weights) => weights.slice(0, -1)), /the weight "cls.predictions.bias" is missing/],
    ['a weight given twice', changed((weights) => [weights[0]!, ...weights]), /got it twice/],
    [
      'a decoder although tied',
      changed((weights) => [...weights, stray]),
      /no weight "cls.predictions.decoder.weight"/,
    ],
    [
      'a weight of another shape',
      changed(([first, ...rest]) => [{ ...first!, shape: [32, 118] }, ...rest]),
      /shape \[32, 118\]; the config asks for \[118, 32\]/,
    ],
    [
      'a weight that is too short',
      changed(([first, ...rest]) => [{ ...first!, data: first!.data.subarray(1) }, ...rest]),
      /3775 elements/,
    ],
    [
      'a weight with NaN',
      changed(([first, ...rest]) => [{ ...first!, data: first!.data.map(() => Number.NaN) }, ...rest]),
      /word_embeddings.weight" has the value NaN/,
    ],
    ['no tokenizer', { tokenizer: {} }, /no tokenizer.json/],
    ['a tokenizer folder that is not there', { tokenizer: '/nowhere' }, /\/nowhere has no tokenizer.json/],
    [
      'a tokenizer file in another folder',
      { tokenizer: { '../tokenizer.json': '{}' } },
      /not the name of a tokenizer file/,
    ],
    [
      'a longest input over the positions',
      { maxSequenceLength: 65 },
      /from 1 to the 64 positions of the model, got 65/,
    ],
    [
      'a policy over the longest input',
      { maxSequenceLength: 32, policy: { maxLength: { query: 33, document: 1 } } },
      /maxLength.query is 33/,
    ],
    ['a policy that does not fit', { policy: { specialTokens: 'x' as 'keep' } }, /specialTokens/],
  ])('refuses %s and leaves nothing behind', async (_, content, message) => {
    const parent = fresh();
    await mkdir(parent);
    const target = join(parent, 'model');
    const whole = { ...(await tinyWeights()), tokenizer: tinyModel, ...content };
    await expect(writeModelFolder(target, whole)).rejects.toThrow(message);
    expect(await readdir(parent)).toEqual([]);
  });

  it('lets go of the weights when it fails', async () => {
    let released = false;
    function* weights(): Generator<NamedWeight> {
      try {
        yield stray;
        yield stray;
      } finally {
        released = true;
      }
    }
    await expectRefusal(write({ weights: weights() }), /no weight/);
    expect(released).toBe(true);
  });

  it('stops when it is told to', async () => {
    const abort = new AbortController();
    const onProgress = ({ done }: { done: number }): void => {
      if (done === 5) abort.abort();
    };
    await expectRefusal(write({}, { signal: abort.signal, onProgress }), /interrupted/, 'INTERRUPTED');
  });

  it('replaces a folder only if forced, and not with a broken one', async () => {
    const folder = await write();
    const { weights, config } = await tinyWeights();
    const content = { config, weights, tokenizer: tinyModel };
    await expectRefusal(writeModelFolder(folder, content), /already exists/, 'USAGE');
    await expect(writeModelFolder(folder, { ...content, ...failing(3) }, { force: true })).rejects.toThrow(/on fire/);
    await open(folder);
    await writeFile(join(folder, 'old'), '');
    await writeModelFolder(folder, content, { force: true });
    expect(existsSync(join(folder, 'old'))).toBe(false);
  });

  it('reads the untied golden of the training step and writes it back', async () => {
    const source = fileURLToPath(new URL('../../../test/fixtures/goldens/splade-step-untied/model', import.meta.url));
    const warnings: string[] = [];
    const checkpoint = await openCheckpoint(source, { onWarning: (message) => warnings.push(message) });
    const folder = await write({ config: checkpoint.config, weights: checkpoint.loadWeights() });
    const copy = await openCheckpoint(folder);
    for (const name of checkpoint.tensors.keys()) {
      expect(await copy.readTensor(name)).toEqual(await checkpoint.readTensor(name));
    }
    expect(copy.tensors.has('cls.predictions.decoder.weight')).toBe(true);
    expect(warnings).toEqual([]);
    await copy.close();
    await checkpoint.close();
  });
});

describe('writeModelFolder with queries of their own', () => {
  const tokenWeights = Float32Array.from({ length: 118 }, (_, i) => i / 8 - 1);
  const readJson = async (...path: string[]): Promise<unknown> => JSON.parse(await readFile(join(...path), 'utf8'));
  const staticFolder = 'query_0_SparseStaticEmbedding';

  it('writes token weights as the Router of sentence-transformers 5.0', async () => {
    const folder = await write({
      maxSequenceLength: 48,
      policy: { maxLength: { query: 100, document: 40 } },
      query: { kind: 'static', weights: tokenWeights, frozen: true },
    });
    expect((await readdir(folder)).sort()).toEqual([
      'README.md',
      'config_sentence_transformers.json',
      'document_0_MLMTransformer',
      'document_1_SpladePooling',
      'lexray.json',
      'manifest.json',
      'modules.json',
      'query_0_SparseStaticEmbedding',
      'router_config.json',
    ]);
    const golden = fileURLToPath(new URL('../../../test/fixtures/goldens/router/static-5.0', import.meta.url));
    expect(await readJson(folder, 'modules.json')).toEqual(await readJson(golden, 'modules.json'));
    expect(await readJson(folder, 'router_config.json')).toEqual(await readJson(golden, 'router_config.json'));
    expect(await readJson(folder, staticFolder, 'config.json')).toEqual({ frozen: true });
    expect(await readJson(folder, staticFolder, 'tokenizer_config.json')).toMatchObject({ model_max_length: 100 });
    expect(await readFile(join(folder, staticFolder, 'tokenizer.json'))).toEqual(
      await readFile(join(tinyModel, 'tokenizer.json')),
    );
    const card = await readFile(join(folder, 'README.md'), 'utf8');
    expect(parse(card.split('---\n')[1]!)).toMatchObject({
      tags: ['sentence-transformers', 'sparse-encoder', 'sparse', 'splade', 'asymmetric', 'inference-free'],
    });
    expect(card).toMatch(/\| Queries \| no model: a weight for each token that occurs \|/);
    const { model, warnings } = await open(folder);
    expect(model).toMatchObject({
      maxSequenceLength: 48,
      policy: { maxLength: { query: 100, document: 40 } },
      query: { kind: 'static', weights: tokenWeights, frozen: true, maxSequenceLength: 100 },
    });
    expect(warnings).toEqual([]);
  });

  it('writes a second encoder', async () => {
    const { config, weights } = await tinyWeights();
    const negated = weights.map((weight) => ({ ...weight, data: weight.data.map((x) => -x) }));
    const pooling = { strategy: 'max', activation: 'log1p_relu' } as const;
    const folder = await write({
      query: { kind: 'encoder', config, weights: negated, tokenizer: tinyModel, pooling, maxSequenceLength: 16 },
    });
    const golden = fileURLToPath(new URL('../../../test/fixtures/goldens/router/pair-5.0', import.meta.url));
    expect(await readJson(folder, 'router_config.json')).toEqual(await readJson(golden, 'router_config.json'));
    const model = await openModelFolder(folder);
    expect(model).toMatchObject({
      pooling: { activation: 'relu' },
      maxSequenceLength: 64,
      query: { kind: 'encoder', pooling, maxSequenceLength: 16 },
      policy: { maxLength: { query: 16, document: 64 } },
    });
    const { name, data } = weights.at(-1)!;
    expect(await model.checkpoint.readTensor(name)).toEqual(data);
    if (model.query.kind === 'encoder') {
      expect(await model.query.checkpoint.readTensor(name)).toEqual(negated.at(-1)!.data);
    }
    await model.close();
    expect(await readFile(join(folder, 'README.md'), 'utf8')).toMatch(/an encoder of their own: BertForMaskedLM/);
  });

  interface TokenizerFile {
    readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
    readonly model: { readonly vocab: Readonly<Record<string, number>> };
  }
  const tinyTokenizer = async (): Promise<TokenizerFile> =>
    (await readJson(tinyModel, 'tokenizer.json')) as TokenizerFile;
  const fill = (id: number): string => `[lexray-no-token-${id}]`;

  /** Writes queries with a tokenizer of one file and opens what was written. */
  async function fitted(
    tokenizer: object,
    size: number,
  ): Promise<{ tokenizer: TokenizerFile; config: unknown; warnings: string[] }> {
    const { config, weights } = await tinyWeights();
    const wide = weights.map((weight) => ({
      ...weight,
      ...(weight.shape[0] === 118 && {
        shape: [size, ...weight.shape.slice(1)],
        data: new Float32Array((weight.data.length / 118) * size),
      }),
    }));
    const warnings: string[] = [];
    const folder = await write(
      {
        config: { ...config, vocab_size: size },
        weights: wide,
        query: {
          kind: 'static',
          weights: new Float32Array(size),
          tokenizer: { 'tokenizer.json': JSON.stringify(tokenizer), 'vocab.txt': 'a' },
        },
      },
      { onWarning: (message) => warnings.push(message) },
    );
    return {
      tokenizer: (await readJson(folder, staticFolder, 'tokenizer.json')) as TokenizerFile,
      config: await readJson(folder, staticFolder, 'tokenizer_config.json'),
      warnings,
    };
  }

  it('gives the tokenizer of queries a token for each dimension, in gaps and at the end', async () => {
    const tiny = await tinyTokenizer();
    const { tree, ...vocab } = tiny.model.vocab;
    const found = await fitted({ ...tiny, model: { ...tiny.model, vocab } }, 120);
    expect(found.tokenizer.model.vocab).toEqual({ ...vocab, [fill(tree!)]: tree, [fill(118)]: 118, [fill(119)]: 119 });
    expect(found.tokenizer.added_tokens).toEqual(tiny.added_tokens);
    expect(found.config).toMatchObject({ tokenizer_class: 'PreTrainedTokenizerFast', pad_token: '[PAD]' });
    expect(found.warnings).toEqual([]);
  });

  it('adds tokens behind those that are outside the vocabulary', async () => {
    const tiny = await tinyTokenizer();
    const { tree, ...vocab } = tiny.model.vocab;
    const extra = { id: 118, content: '<extra>' };
    const json = { ...tiny, added_tokens: [...tiny.added_tokens, extra], model: { ...tiny.model, vocab } };
    const { tokenizer } = await fitted(json, 121);
    expect(tokenizer.model.vocab).toEqual({ ...vocab, [fill(tree!)]: tree });
    expect(tokenizer.added_tokens.map(({ id, content }) => ({ id, content })).slice(-3)).toEqual([
      extra,
      { id: 119, content: fill(119) },
      { id: 120, content: fill(120) },
    ]);
  });

  it('warns where there is a gap that no token can fill', async () => {
    const tiny = await tinyTokenizer();
    const json = {
      ...tiny,
      added_tokens: [...tiny.added_tokens, { id: 118, content: 'a' }, { id: 120, content: 'b' }],
    };
    const { tokenizer, warnings } = await fitted(json, 121);
    expect(tokenizer).toEqual(json);
    expect(warnings).toEqual([expect.stringMatching(/sentence-transformers will not compare these queries/)]);
  });

  it.each<[string, Partial<ModelFolderContent>, RegExp]>([
    [
      'too few token weights',
      { query: { kind: 'static', weights: new Float32Array(117) } },
      /queries have 117 dimensions and documents 118/,
    ],
    [
      'a weight with NaN',
      { query: { kind: 'static', weights: tokenWeights.with(3, Number.NaN) } },
      /"weight" has the value NaN/,
    ],
    [
      'a query that is too long for its encoder',
      {
        maxSequenceLength: 32,
        policy: { maxLength: { query: 2 ** 21, document: 1 } },
        query: { kind: 'static', weights: tokenWeights },
      },
      /maxLength.query is 2097152/,
    ],
  ])('refuses %s and leaves nothing behind', async (_, content, message) => {
    const parent = fresh();
    await mkdir(parent);
    const whole = { ...(await tinyWeights()), tokenizer: tinyModel, ...content };
    await expect(writeModelFolder(join(parent, 'model'), whole)).rejects.toThrow(message);
    expect(await readdir(parent)).toEqual([]);
  });

  it('refuses a tokenizer with more tokens than there are weights', async () => {
    const tiny = await tinyTokenizer();
    const json = { ...tiny, added_tokens: [...tiny.added_tokens, { id: 118, content: 'a' }] };
    await expectRefusal(fitted(json, 118), /ids up to 118; there are 118 token weights/);
  });
});
