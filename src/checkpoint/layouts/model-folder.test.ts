import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Changes, copyTinyModel, hasShared, shared, tinyModel } from '../../../test/fixtures/model-folders.ts';
import { LexrayError } from '../../util/errors.ts';
import { type ModelFolder, openModelFolder } from './model-folder.ts';

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

  it.skipIf(!hasShared).each(['hf_tiny', 'st50', 'st57', 'st62'])(
    'reads the golden %s (needs ../shared)',
    async (name) => {
      const { model, warnings } = await open(join(shared, 'goldens', name));
      expect(model).toMatchObject({
        layout: name === 'hf_tiny' ? 'hugging-face' : 'sentence-transformers',
        maxSequenceLength: 64,
        pooling: { strategy: 'max', activation: 'relu' },
        similarity: 'dot',
        checkpoint: { config: { vocab_size: 55 } },
      });
      expect(warnings).toEqual([]);
    },
  );

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
    ['a router without its file', { 'modules.json': modules('Router') }, /there is no .*router_config.json/],
    [
      'a module after a router',
      { 'modules.json': modules('Router', 'SpladePooling') },
      /"x.SpladePooling" where Lexray supports nothing after a Router/,
    ],
    ['a router that modules.json does not name', { 'router_config.json': {} }, /names no Router/],
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
    ['no pooling', { 'modules.json': modules('MLMTransformer') }, /has no second module where/],
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

  it('ignores a manifest.json of another tool', async () => {
    expect((await openCopy({ files: { 'manifest.json': { name: 'web app' } } })).model.manifest).toBeUndefined();
  });
});
