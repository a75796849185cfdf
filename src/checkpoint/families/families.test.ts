import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelOf, ownCases } from '../../../test/fixtures/family-goldens.ts';
import { readTensors, tinyModel } from '../../../test/fixtures/model-folders.ts';
import { type NamedWeight, openCheckpoint } from '../checkpoint.ts';
import { openModelFolder } from '../layouts/model-folder.ts';
import { writeModelFolder } from '../layouts/write-model-folder.ts';
import { checkJson } from '../read-json.ts';
import { resolveWeights } from '../resolve-weights.ts';
import type { TensorInfo } from '../safetensors-header.ts';
import type { ModelConfig } from './model-family.ts';
import { findFamily, modelShape } from './registry.ts';

const published = JSON.parse(
  readFileSync(
    fileURLToPath(new URL('../../../test/fixtures/goldens/families/published.json', import.meta.url)),
    'utf8',
  ),
) as Record<string, { config: { model_type: string }; tensors: number; parameters: number; sha256: string }>;

function configOf(fields: Readonly<Record<string, unknown>>): ModelConfig {
  return checkJson(findFamily(fields.model_type, 'config.json').configSchema, fields, 'config.json');
}

const small = { vocab_size: 20, hidden_size: 8, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 12 };

describe('weights of published models', () => {
  it.each(Object.keys(published))('%s has the names and shapes of transformers', (name) => {
    const { config: fields, ...expected } = published[name]!;
    const config = configOf(fields);
    const specs = findFamily(config.model_type, name).weights(config);
    const lines = specs.map((spec) => `${spec.name} ${spec.shape}`).sort();
    const parameters = specs.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
    expect({ tensors: specs.length, parameters }).toEqual({
      tensors: expected.tensors,
      parameters: expected.parameters,
    });
    expect(createHash('sha256').update(lines.join('\n')).digest('hex')).toBe(expected.sha256);
  });
});

describe('model folders of every family', () => {
  let temporary: string;
  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'lexray-'));
  });
  afterAll(() => rm(temporary, { recursive: true }));

  it('writes whole numbers as floats where transformers 5 refuses integers', async () => {
    const source = await openCheckpoint(modelOf('modernbert'));
    const config = { ...source.config, initializer_cutoff_factor: 2, initializer_range: 1 };
    const folder = join(temporary, 'floats');
    await writeModelFolder(folder, { config, weights: source.loadWeights(), tokenizer: tinyModel });
    await source.close();
    const lines = readFileSync(join(folder, 'config.json'), 'utf8').split('\n');
    const written = lines.filter((line) => /\.0,?$/.test(line)).map((line) => line.trim().replace(',', ''));
    expect(written.sort()).toEqual([
      '"global_rope_theta": 160000.0',
      '"initializer_cutoff_factor": 2.0',
      '"initializer_range": 1.0',
      '"local_rope_theta": 10000.0',
      '"rope_theta": 10000.0',
      '"rope_theta": 160000.0',
    ]);
  });

  it.each(ownCases)('%s is the same after writing and opening, without a warning', async (name) => {
    const source = await openCheckpoint(modelOf(name));
    const weights: NamedWeight[] = [];
    for await (const weight of source.loadWeights()) weights.push(weight);
    await source.close();
    const { maxPositions } = modelShape(source.config);
    const folder = join(temporary, name);
    await writeModelFolder(folder, { config: source.config, weights, tokenizer: tinyModel });

    const warnings: string[] = [];
    const model = await openModelFolder(folder, { onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toEqual([]);
    expect(model).toMatchObject({ layout: 'sentence-transformers', maxSequenceLength: maxPositions });
    const { architectures, dtype, ...config } = model.checkpoint.config;
    expect({ ...source.config, architectures, dtype }).toEqual(model.checkpoint.config);
    expect(architectures).toEqual([source.family.architecture]);
    expect(config.model_type).toBe(source.config.model_type);
    for (const { name: weight, data } of weights) {
      expect(await model.checkpoint.readTensor(weight), weight).toEqual(data);
    }
    await model.close();
    const stored = (await readTensors(join(folder, 'model.safetensors'))).map((tensor) => tensor.name);
    const { biasCopy } = source.family.tied;
    const copies = biasCopy !== undefined && !source.config.tie_word_embeddings ? [biasCopy] : [];
    expect(stored.sort()).toEqual([...weights.map((weight) => weight.name), ...copies].sort());
  });
});

describe('spellings of names', () => {
  const stored = (config: ModelConfig, rename: (name: string) => string): Map<string, TensorInfo> =>
    new Map(
      findFamily(config.model_type, '')
        .weights(config)
        .map(({ name, shape }) => {
          const info: TensorInfo = { name: rename(name), dtype: 'F32', shape, byteOffset: 0, byteLength: 0 };
          return [info.name, info];
        }),
    );

  it.each([
    ['distilbert.', { model_type: 'distilbert', vocab_size: 20, dim: 8, n_heads: 2, n_layers: 1 }],
    ['roberta.', { model_type: 'camembert', ...small }],
    ['albert.', { model_type: 'albert', ...small }],
    ['model.', { model_type: 'modernbert', ...small, pad_token_id: 0 }],
    ['new.', { model_type: 'new', ...small }],
  ])('without the prefix %s', (prefix, fields) => {
    const config = configOf(fields);
    const family = findFamily(config.model_type, '');
    const bare = stored(config, (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name));
    const { weights, unused } = resolveWeights(family, config, bare, 'here');
    expect([...weights.keys()]).toEqual(family.weights(config).map(({ name }) => name));
    expect(unused).toEqual([]);
  });

  it('gamma and beta of a LayerNorm, and published names under the prefix of GTE', () => {
    const bert = configOf({ model_type: 'roberta', ...small });
    const old = stored(bert, (name) =>
      name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('norm.bias', 'norm.beta'),
    );
    expect(resolveWeights(findFamily('roberta', ''), bert, old, 'here').unused).toEqual([]);
    const gte = configOf({ model_type: 'gte', ...small });
    const renamed = stored(gte, (name) => name.replace(/^gte\./, 'new.'));
    expect(resolveWeights(findFamily('gte', ''), gte, renamed, 'here').unused).toEqual([]);
  });

  it('names the class to save a model as, where the head is missing', () => {
    const config = configOf({ model_type: 'modernbert', ...small, pad_token_id: 0 });
    const encoder = stored(config, (name) => name);
    for (const name of [...encoder.keys()]) if (!name.startsWith('model.')) encoder.delete(name);
    expect(() => resolveWeights(findFamily('modernbert', ''), config, encoder, 'here')).toThrow(
      /has no MLM head, which a SPLADE model needs; missing: head\.dense\.weight, head\.norm\.weight, decoder\.bias/,
    );
  });
});

describe('configs', () => {
  it('refuses a family that is not supported, and names those that are', () => {
    expect(() => findFamily('deberta-v2', 'config.json')).toThrow(
      '(bert, distilbert, roberta, xlm-roberta, camembert, albert, modernbert, gte, new), got "deberta-v2"',
    );
    expect(() => findFamily('modernbert-decoder', 'config.json')).toThrow('got "modernbert-decoder"');
  });

  it('counts the positions of RoBERTa from the padding token on', () => {
    const fields = { model_type: 'roberta', ...small };
    expect(modelShape(configOf({ ...fields, max_position_embeddings: 514 }))).toMatchObject({
      maxPositions: 512,
      paddingToken: 1,
    });
    expect(modelShape(configOf({ ...fields, max_position_embeddings: 514, pad_token_id: 9 })).maxPositions).toBe(504);
    expect(() => configOf({ ...fields, max_position_embeddings: 2 })).toThrow(
      /positions are counted from pad_token_id/,
    );
  });

  it('gives the width of the decoder', () => {
    expect(modelShape(configOf({ model_type: 'albert', ...small, embedding_size: 6 }))).toMatchObject({
      hiddenSize: 8,
      decoderWidth: 6,
      outputBias: true,
    });
    const modern = { model_type: 'modernbert', ...small, pad_token_id: 0, decoder_bias: false };
    expect(modelShape(configOf(modern))).toMatchObject({ decoderWidth: 8, headSize: 4, outputBias: false });
  });

  describe('of ModernBERT', () => {
    const modern = { model_type: 'modernbert', ...small, num_hidden_layers: 5, pad_token_id: 0 };
    const [full, local] = ['full_attention', 'sliding_attention'] as const;
    const rope = (global: number, sliding: number): unknown => ({
      full_attention: { rope_type: 'default', rope_theta: global },
      sliding_attention: { rope_type: 'default', rope_theta: sliding },
    });

    it('reads both spellings and writes both', () => {
      const both = {
        layer_types: [full, local, full, local, full],
        rope_parameters: rope(5e5, 1e4),
        global_attn_every_n_layers: 2,
        global_rope_theta: 5e5,
        local_rope_theta: 1e4,
      };
      const old = configOf({ ...modern, global_attn_every_n_layers: 2, global_rope_theta: 5e5 });
      expect(old).toMatchObject(both);
      const { layer_types, rope_parameters } = both;
      expect(configOf({ ...modern, layer_types, rope_parameters })).toEqual(old);
      expect(configOf(old)).toEqual(old);
    });

    it('has the defaults of transformers', () => {
      expect(configOf(modern)).toMatchObject({
        layer_types: [full, local, local, full, local],
        rope_parameters: rope(160_000, 10_000),
        global_attn_every_n_layers: 3,
        local_attention: 128,
        max_position_embeddings: 8192,
      });
    });

    it('takes the global θ for local layers where that of local layers is null', () => {
      expect(configOf({ ...modern, global_rope_theta: 7e4, local_rope_theta: null })).toMatchObject({
        rope_parameters: rope(7e4, 7e4),
      });
    });

    it('prefers the new spelling, and has no rule where layers follow none', () => {
      const layer_types = [local, full, local, local, full];
      const config = configOf({
        ...modern,
        layer_types,
        global_attn_every_n_layers: 3,
        global_rope_theta: 2,
        rope_parameters: rope(3, 4),
      });
      expect(config).toMatchObject({ layer_types, rope_parameters: rope(3, 4), global_rope_theta: 3 });
      expect(config).not.toHaveProperty('global_attn_every_n_layers');
    });

    it.each([
      [{ layer_types: [full, local] }, /layer_types must have an entry for each/],
      [{ layer_types: Array(5).fill('chunked_attention') }, /layer_types/],
      [{ num_attention_heads: 8 }, /even number of features/],
      [{ num_attention_heads: 3 }, /num_attention_heads must divide hidden_size/],
      [{ rope_parameters: { full_attention: { rope_type: 'yarn', factor: 4 } } }, /without scaling/],
      [{ rope_scaling: { type: 'linear', factor: 2 } }, /without scaling/],
      [{ pad_token_id: 20 }, /pad_token_id must be below vocab_size/],
      [{ num_hidden_layers: 5000 }, /num_hidden_layers/],
    ])('refuses %j', (fields, message) => {
      expect(() => configOf({ ...modern, ...fields })).toThrow(message);
    });
  });

  it.each([
    [{ model_type: 'new', layer_norm_type: 'rms_norm' }, /layer_norm_type/],
    [{ model_type: 'new', pack_qkv: false }, /pack_qkv/],
    [{ model_type: 'new', position_embedding_type: 'absolute' }, /position_embedding_type/],
    [{ model_type: 'new', logn_attention_scale: true }, /logn_attention_scale/],
    [{ model_type: 'new', rope_scaling: { type: 'linear', factor: 2 } }, /rope_scaling/],
    [{ model_type: 'new', rope_scaling: { type: 'ntk', factor: 2, mixed_b: 0.6 } }, /mixed_b/],
    [{ model_type: 'gte', rope_parameters: { rope_type: 'dynamic', factor: 2 } }, /rope_type/],
    [{ model_type: 'roberta', pad_token_id: null }, /pad_token_id/],
    [{ model_type: 'xlm-roberta', is_decoder: true }, /decoder/],
    [{ model_type: 'distilbert', dim: 9, n_heads: 2 }, /n_heads must divide dim/],
    [{ model_type: 'albert', embedding_size: 0 }, /embedding_size/],
  ])('refuses %j', (fields, message) => {
    expect(() => configOf({ ...small, ...fields })).toThrow(message);
  });
});
