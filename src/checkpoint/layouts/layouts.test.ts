import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Changes, copyTinyModel, hasShared, shared, tinyModel } from '../../../test/fixtures/model-folders.ts';
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
const openCopy = async (changes: Changes): ReturnType<typeof open> => open(await copyTinyModel(fresh(), changes));

async function expectRefusal(promise: Promise<unknown>, message: RegExp, code = 'BAD_INPUT'): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LexrayError);
  expect((error as LexrayError).message).toMatch(message);
  expect((error as LexrayError).code).toBe(code);
}

const bare = { 'modules.json': undefined, 'sentence_bert_config.json': undefined };
/** The files in which the layout of sentence-transformers 5.4 and later differs. */
const newLayout: Record<string, unknown> = {
  'modules.json': [
    { idx: 0, name: '0', path: '', type: 'sentence_transformers.base.modules.transformer.Transformer' },
    {
      idx: 1,
      name: '1',
      path: '1_SpladePooling',
      type: 'sentence_transformers.sparse_encoder.modules.splade_pooling.SpladePooling',
    },
  ],
  'sentence_bert_config.json': {
    transformer_task: 'fill-mask',
    modality_config: { text: { method: 'forward', method_output_name: 'logits' } },
    module_output_name: 'token_embeddings',
  },
  '1_SpladePooling/config.json': { pooling_strategy: 'max', activation_function: 'relu', embedding_dimension: null },
};

describe('openModelFolder', () => {
  it('reads the 5.0 layout', async () => {
    const { model, warnings } = await open(tinyModel);
    expect(model).toMatchObject({
      layout: 'sentence-transformers',
      tokenizerFolder: tinyModel,
      pooling: { strategy: 'max', activation: 'relu' },
      maxSequenceLength: 64,
      similarity: 'dot',
      maxActiveDims: undefined,
      lexray: undefined,
      manifest: undefined,
      policy: {
        specialTokens: 'keep',
        prompts: { query: '', document: '' },
        titleSeparator: ' ',
        casing: 'keep',
        maxLength: { query: 64, document: 64 },
      },
    });
    expect(warnings).toEqual([]);
  });

  it('reads the 5.4 layout', async () => {
    const files = {
      ...newLayout,
      '1_SpladePooling/config.json': {
        pooling_strategy: 'sum',
        activation_function: 'log1p_relu',
        embedding_dimension: 118,
      },
      'config_sentence_transformers.json': {
        model_type: 'SparseEncoder',
        prompts: { query: 'q: ', passage: 'p: ' },
        similarity_fn_name: null,
        max_active_dims: 20,
      },
      'tokenizer_config.json': { model_max_length: 48 },
    };
    const { model, warnings } = await openCopy({ files });
    expect(model).toMatchObject({
      layout: 'sentence-transformers',
      pooling: { strategy: 'sum', activation: 'log1p_relu' },
      maxSequenceLength: 48,
      similarity: 'dot',
      maxActiveDims: 20,
      policy: { prompts: { query: 'q: ', document: 'p: ' } },
    });
    expect(warnings).toEqual([]);
  });

  it('reads a bare Hugging Face folder', async () => {
    const { model } = await openCopy({ files: bare });
    expect(model).toMatchObject({
      layout: 'hugging-face',
      maxSequenceLength: 64,
      pooling: { strategy: 'max', activation: 'relu' },
    });
  });

  it.each(['hf_tiny', 'st50', 'st57', 'st62'])('reads the golden %s (needs ../shared)', async (name) => {
    if (!hasShared) return;
    const { model, warnings } = await open(join(shared, 'goldens', name));
    expect(model).toMatchObject({
      layout: name === 'hf_tiny' ? 'hugging-face' : 'sentence-transformers',
      maxSequenceLength: 64,
      pooling: { strategy: 'max', activation: 'relu' },
      similarity: 'dot',
      checkpoint: { config: { vocab_size: 55 } },
    });
    expect(warnings).toEqual([]);
  });

  it('reads modules in folders of their own', async () => {
    const folder = await copyTinyModel(fresh(), {
      files: {
        'modules.json': [
          {
            path: '0_MLMTransformer',
            type: 'sentence_transformers.sparse_encoder.models.MLMTransformer.MLMTransformer',
          },
          { path: 'parts/pooling', type: 'sentence_transformers.sparse_encoder.models.SpladePooling.SpladePooling' },
        ],
        'parts/pooling/config.json': { pooling_strategy: 'sum' },
      },
    });
    await copyTinyModel(join(folder, '0_MLMTransformer'), {
      files: { 'sentence_bert_config.json': { max_seq_length: 16, do_lower_case: true } },
    });
    const { model } = await open(folder);
    expect(model).toMatchObject({
      tokenizerFolder: join(folder, '0_MLMTransformer'),
      maxSequenceLength: 16,
      pooling: { strategy: 'sum', activation: 'relu' },
      policy: { casing: 'lower' },
    });
  });

  it.each<[string, Record<string, unknown>, number, number]>([
    [
      'the module before the tokenizer',
      { 'sentence_bert_config.json': { max_seq_length: 20 }, 'tokenizer_config.json': { model_max_length: 30 } },
      20,
      0,
    ],
    [
      'the tokenizer where the module says nothing',
      { 'sentence_bert_config.json': {}, 'tokenizer_config.json': { model_max_length: 30 } },
      30,
      0,
    ],
    [
      'positions where the tokenizer says 10^30',
      {
        'sentence_bert_config.json': { max_seq_length: null },
        'tokenizer_config.json': '{"model_max_length": 1000000000000000019884624838656}',
      },
      64,
      0,
    ],
    [
      'positions where nothing is said',
      { 'sentence_bert_config.json': undefined, 'tokenizer_config.json': undefined },
      64,
      0,
    ],
    ['positions where too much is asked for', { 'sentence_bert_config.json': { max_seq_length: 512 } }, 64, 1],
  ])('takes the longest input from %s', async (_, files, expected, warned) => {
    const { model, warnings } = await openCopy({ files });
    expect(model.maxSequenceLength).toBe(expected);
    expect(warnings).toHaveLength(warned);
  });

  it('takes the default prompt where a side has none', async () => {
    const files = {
      'config_sentence_transformers.json': { prompts: { query: null, all: 'a: ' }, default_prompt_name: 'all' },
    };
    const { model } = await openCopy({ files });
    expect(model.policy.prompts).toEqual({ query: '', document: 'a: ' });
  });

  it('warns of a similarity that is not dot, and of prompts that differ', async () => {
    const policy = { format: 'lexray-policy', version: 1, prompts: { query: 'x', document: '' } };
    const { model, warnings } = await openCopy({
      files: { 'config_sentence_transformers.json': { similarity_fn_name: 'cosine' }, 'lexray.json': policy },
    });
    expect(model.similarity).toBe('cosine');
    expect(model.policy.prompts.query).toBe('x');
    expect(warnings).toHaveLength(2);
    expect(warnings.join()).toMatch(/cosine similarity.*differ in the query prompt/);
  });

  const modules = (...types: string[]): unknown =>
    types.map((type, i) => ({ path: i === 0 ? '' : '1_SpladePooling', type: `x.${type}` }));
  const path = (value: string): unknown => [
    { path: '', type: 'x.MLMTransformer' },
    { path: value, type: 'x.SpladePooling' },
  ];
  const policy = (fields: object): unknown => ({ format: 'lexray-policy', version: 1, ...fields });
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a router', { 'modules.json': modules('Router') }, /inference-free model \(a Router/],
    ['a router by its file', { 'router_config.json': {} }, /inference-free model/],
    [
      'mean pooling',
      { 'modules.json': modules('Transformer', 'Pooling') },
      /"x.Pooling" where Lexray supports SpladePooling/,
    ],
    [
      'a static embedding',
      { 'modules.json': modules('SparseStaticEmbedding') },
      /"x.SparseStaticEmbedding" where Lexray supports MLMTransformer or Transformer/,
    ],
    ['no pooling', { 'modules.json': modules('MLMTransformer') }, /"no second module"/],
    [
      'a third module',
      { 'modules.json': modules('MLMTransformer', 'SpladePooling', 'Normalize') },
      /"x.Normalize" where Lexray supports nothing after SpladePooling/,
    ],
    ['no modules', { 'modules.json': [] }, /modules.json does not fit/],
    [
      'a transformer without MLM head',
      { ...newLayout, 'sentence_bert_config.json': { transformer_task: 'feature-extraction' } },
      /gives "feature-extraction"/,
    ],
    [
      'a new transformer that does not say its task',
      { ...newLayout, 'sentence_bert_config.json': {} },
      /gives "feature-extraction"/,
    ],
    [
      'a path to a parent folder',
      { 'modules.json': path('../1_SpladePooling') },
      /"..\/1_SpladePooling" is not a plain path/,
    ],
    ['a hidden path to a parent folder', { 'modules.json': path('a/../../b') }, /not a plain path/],
    ['an absolute path', { 'modules.json': path('/etc') }, /not a plain path/],
    ['a path with a backslash', { 'modules.json': path('..\\x') }, /not a plain path/],
    ['a path with a zero byte', { 'modules.json': path('a\0') }, /not a plain path/],
    [
      'a pooling folder that is not there',
      { 'modules.json': path('2_SpladePooling') },
      /there is no .*2_SpladePooling/,
    ],
    ['another pooling strategy', { '1_SpladePooling/config.json': { pooling_strategy: 'mean' } }, /pooling_strategy/],
    ['another activation', { '1_SpladePooling/config.json': { activation_function: 'gelu' } }, /activation_function/],
    [
      'another dimension',
      { '1_SpladePooling/config.json': { embedding_dimension: 55 } },
      /55 dimensions; the model's vocabulary has 118/,
    ],
    [
      'an unknown similarity',
      { 'config_sentence_transformers.json': { similarity_fn_name: 'x' } },
      /similarity_fn_name/,
    ],
    [
      'a limit of 0 active dimensions',
      { 'config_sentence_transformers.json': { max_active_dims: 0 } },
      /max_active_dims/,
    ],
    ['prompts that are no texts', { 'config_sentence_transformers.json': { prompts: { query: 1 } } }, /prompts.query/],
    [
      'a policy with a word too many',
      { 'lexray.json': policy({ casings: 'lower' }) },
      /lexray.json does not fit.*casings/,
    ],
    ['an unknown special-token policy', { 'lexray.json': policy({ specialTokens: 'mask' }) }, /specialTokens/],
    ['a newer policy', { 'lexray.json': policy({ version: 2 }) }, /a newer file needs a newer lexray/],
    [
      'a length over the maximum',
      { 'lexray.json': policy({ maxLength: { query: 65 } }) },
      /maxLength.query is 65 tokens; the model takes at most 64/,
    ],
    [
      'a newer manifest',
      { 'manifest.json': { format: 'lexray-model', version: 2 } },
      /lexray-model version 1 or older/,
    ],
    [
      'another artifact',
      { 'manifest.json': { format: 'lexray-vectors', version: 1 } },
      /expected a lexray-model folder, got "lexray-vectors"/,
    ],
  ])('refuses %s', async (_, files, message) => {
    await expectRefusal(openCopy({ files }), message);
  });

  it.each(['if50', 'if62'])('refuses the golden router %s by name (needs ../shared)', async (name) => {
    if (!hasShared) return;
    await expectRefusal(openModelFolder(join(shared, 'goldens', name)), /Router/);
  });

  it('ignores a manifest.json of another tool', async () => {
    expect((await openCopy({ files: { 'manifest.json': { name: 'web app' } } })).model.manifest).toBeUndefined();
  });
});

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
      /from 1 to max_position_embeddings \(64\), got 65/,
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
