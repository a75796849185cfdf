import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Changes,
  copyTinyModel,
  hasShared,
  readTensors,
  type TestTensor,
  tinyModel,
} from '../../test/fixtures/model-folders.ts';
import { LexrayError } from '../util/errors.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';

interface GoldenWeight {
  stored: string;
  shape: number[];
  sum: number;
  sumOfSquares: number;
  first: number[];
  last: number;
}
const root = fileURLToPath(new URL('../../', import.meta.url));
const golden = JSON.parse(readFileSync(join(root, 'test/fixtures/goldens/checkpoint.json'), 'utf8')) as {
  folders: Record<string, Record<string, GoldenWeight>>;
};

let temporary: string;
let count = 0;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'lexray-'));
});
afterAll(() => rm(temporary, { recursive: true }));
const copy = (changes: Changes): Promise<string> => copyTinyModel(join(temporary, `copy-${count++}`), changes);

/** Opens a changed copy, gives it to `use`, and returns the warnings. */
async function withCopy(changes: Changes, use: (checkpoint: Checkpoint) => Promise<void> | void): Promise<string[]> {
  const warnings: string[] = [];
  const checkpoint = await openCheckpoint(await copy(changes), { onWarning: (message) => warnings.push(message) });
  try {
    await use(checkpoint);
  } finally {
    await checkpoint.close();
  }
  return warnings;
}

async function refusal(folder: string): Promise<string> {
  const error = await openCheckpoint(folder).then(
    (checkpoint) => checkpoint.close(),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LexrayError);
  expect((error as LexrayError).code).toBe('BAD_INPUT');
  return (error as LexrayError).message;
}

const renamed =
  (rename: (name: string) => string) =>
  (tensors: TestTensor[]): TestTensor[] =>
    tensors.map((tensor) => ({ ...tensor, name: rename(tensor.name) }));
const decoder = 'cls.predictions.decoder.weight';
const embeddings = 'bert.embeddings.word_embeddings.weight';
/** The tiny model's tensors with a decoder: the embeddings times a factor. */
const withDecoder =
  (factor: number) =>
  (tensors: TestTensor[]): TestTensor[] => {
    const source = tensors.find(({ name }) => name === embeddings)!;
    return [...tensors, { ...source, name: decoder, data: source.data.map((value) => value * factor) }];
  };

describe('openCheckpoint', () => {
  for (const [name, weights] of Object.entries(golden.folders)) {
    const outside = name.startsWith('..');
    it.skipIf(outside && !hasShared)(`reads ${name} as numpy does${outside ? ' (needs ../shared)' : ''}`, async () => {
      const warnings: string[] = [];
      const checkpoint = await openCheckpoint(join(root, name), { onWarning: (message) => warnings.push(message) });
      expect([...checkpoint.tensors.keys()].sort()).toEqual(Object.keys(weights).sort());
      for await (const { name, shape, data } of checkpoint.loadWeights()) {
        const expected = weights[name]!;
        expect(checkpoint.tensors.get(name)?.name).toBe(expected.stored);
        expect(shape).toEqual(expected.shape);
        expect([...data.subarray(0, 4)]).toEqual(expected.first);
        expect(data.at(-1)).toBe(expected.last);
        let sum = 0;
        let sumOfSquares = 0;
        for (const value of data) {
          sum += value;
          sumOfSquares += value * value;
        }
        expect(Math.abs(sum - expected.sum)).toBeLessThanOrEqual(1e-12 * data.length);
        expect(Math.abs(sumOfSquares - expected.sumOfSquares)).toBeLessThanOrEqual(1e-12 * expected.sumOfSquares);
      }
      expect(warnings).toEqual([]);
      await checkpoint.close();
    });
  }

  const oldNames = (name: string): string =>
    name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta');
  it.each<[string, (name: string) => string]>([
    ['LayerNorm as gamma and beta', oldNames],
    ['an encoder without prefix', (name) => name.replace(/^bert\./, '')],
    ['both', (name) => oldNames(name).replace(/^bert\./, '')],
    ['the output bias of the decoder', (name) => name.replace('predictions.bias', 'predictions.decoder.bias')],
  ])('understands %s', async (_, rename) => {
    const original = await readTensors(join(tinyModel, 'model.safetensors'));
    const warnings = await withCopy({ tensors: renamed(rename) }, async (checkpoint) => {
      for (const { name, data } of original) expect(await checkpoint.readTensor(name)).toEqual(data);
      expect(checkpoint.tensors.size).toBe(original.length);
    });
    expect(warnings).toEqual([]);
  });

  it('uses a decoder if it is not tied, and the bias of the decoder before that of the head', async () => {
    const tensors = (list: TestTensor[]): TestTensor[] => {
      const bias = list.find(({ name }) => name === 'cls.predictions.bias')!;
      const other = { ...bias, name: 'cls.predictions.decoder.bias', data: bias.data.map((value) => value + 1) };
      return [...withDecoder(3)(list), other];
    };
    const warnings = await withCopy({ config: { tie_word_embeddings: false }, tensors }, async (checkpoint) => {
      const [input, output] = [await checkpoint.readTensor(embeddings), await checkpoint.readTensor(decoder)];
      expect(output).toEqual(input.map((value) => value * 3));
      expect(checkpoint.tensors.get('cls.predictions.bias')?.name).toBe('cls.predictions.decoder.bias');
    });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/cls.predictions.bias differs from cls.predictions.decoder.bias and is not used/);
  });

  it('uses the embeddings if tied, and warns of a stored decoder that differs', async () => {
    const warnings = await withCopy({ tensors: withDecoder(2) }, (checkpoint) => {
      expect(checkpoint.tensors.has(decoder)).toBe(false);
    });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /decoder.weight differs .* transformers 4 and Lexray use the embeddings; transformers 5/,
    );
  });

  it('warns of an untied decoder without a bias of its own', async () => {
    const warnings = await withCopy({ config: { tie_word_embeddings: false }, tensors: withDecoder(3) }, () => {});
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /has no cls.predictions.decoder.bias: transformers 4 and Lexray use cls.predictions.bias/,
    );
  });

  it('says nothing of a stored decoder that is equal to the embeddings', async () => {
    expect(await withCopy({ tensors: withDecoder(1) }, () => {})).toEqual([]);
  });

  it('says nothing of a pooler, and warns of tensors that it does not know', async () => {
    const extra = (name: string): TestTensor => ({ name, shape: [1], data: Float32Array.of(0) });
    const tensors = (list: TestTensor[]): TestTensor[] => [
      ...list,
      ...['bert.pooler.dense.weight', 'cls.seq_relationship.bias', 'bert.embeddings.position_ids', 'surprise'].map(
        extra,
      ),
    ];
    const warnings = await withCopy({ tensors }, () => {});
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/does not use 1 stored tensors: "surprise"/);
  });

  it.each<[string, Changes, RegExp]>([
    [
      'no MLM head',
      { tensors: (list) => list.filter(({ name }) => name.startsWith('bert.')) },
      /has no MLM head.*missing: cls.predictions.transform.dense.weight/,
    ],
    [
      'half an MLM head',
      { tensors: (list) => list.filter(({ name }) => name !== 'cls.predictions.bias') },
      /no complete MLM head.*missing: cls.predictions.bias$/,
    ],
    [
      'a missing layer',
      { tensors: (list) => list.filter(({ name }) => !name.includes('layer.1')) },
      /lacks 16 of 42 weights: bert.encoder.layer.1/,
    ],
    [
      'no decoder although not tied',
      { config: { tie_word_embeddings: false } },
      /missing: cls.predictions.decoder.weight/,
    ],
    [
      'a weight under two names',
      {
        tensors: (list) => [
          ...list,
          { name: 'bert.embeddings.LayerNorm.gamma', shape: [32], data: new Float32Array(32) },
        ],
      },
      /bert.embeddings.LayerNorm.weight twice.*LayerNorm.gamma"/,
    ],
    [
      'another vocabulary',
      { config: { vocab_size: 119 } },
      /word_embeddings.weight" has shape \[118, 32\]; config.json asks for \[119, 32\]/,
    ],
    ['another width', { config: { hidden_size: 64 } }, /has shape \[118, 32\]; .* \[118, 64\]/],
    [
      'heads that do not divide the width',
      { config: { num_attention_heads: 3 } },
      /num_attention_heads: num_attention_heads must divide hidden_size/,
    ],
    ['a width that is no integer', { config: { hidden_size: 32.5 } }, /hidden_size/],
    ['a negative number of layers', { config: { num_hidden_layers: -1 } }, /num_hidden_layers/],
    ['a billion layers', { config: { num_hidden_layers: 1e9 } }, /num_hidden_layers/],
    ['a width given as text', { config: { hidden_size: '32' } }, /hidden_size: expected a number, got "32"/],
    ['no vocabulary size', { config: { vocab_size: undefined } }, /vocab_size/],
    ['a padding id outside the vocabulary', { config: { pad_token_id: 118 } }, /pad_token_id must be below vocab_size/],
    [
      'relative positions',
      { config: { position_embedding_type: 'relative_key' } },
      /absolute position embeddings only/,
    ],
    ['a decoder model', { config: { is_decoder: true } }, /no masked language model/],
    ['another family', { config: { model_type: 'gpt2' } }, /supports \(.*bert.*\), got "gpt2"/],
    ['no model type', { config: { model_type: undefined } }, /supports \(.*bert.*\), got none/],
    ['a config.json that is a list', { files: { 'config.json': [] } }, /is not a JSON object/],
    ['a config.json that is no JSON', { files: { 'config.json': '{' } }, /is not JSON/],
    ['a config.json of 16 MB', { files: { 'config.json': ' '.repeat(16_000_001) } }, /16000001 bytes/],
    ['a config.json nested a million deep', { files: { 'config.json': '['.repeat(1e6) } }, /nested deeper than 64/],
    ['no config.json', { files: { 'config.json': undefined } }, /there is no .*config.json/],
    [
      'no weights',
      { files: { 'model.safetensors': undefined } },
      /has no model.safetensors and no pytorch_model.bin, nor shards of one/,
    ],
    [
      'weights that are no checkpoint of PyTorch',
      { files: { 'model.safetensors': undefined, 'pytorch_model.bin': 'x' } },
      /pytorch_model.bin is not a checkpoint of PyTorch/,
    ],
  ])('refuses %s', async (_, changes, message) => {
    expect(await refusal(await copy(changes))).toMatch(message);
  });

  it('refuses a folder that is not there', async () => {
    expect(await refusal(join(temporary, 'absent'))).toMatch(/there is no folder/);
  });

  it('names the weight that has a NaN when it is read', async () => {
    const name = 'bert.encoder.layer.1.output.dense.bias';
    const folder = await copy({});
    const path = join(folder, 'model.safetensors');
    const checkpoint = await openCheckpoint(folder);
    const bytes = readFileSync(path);
    bytes.writeFloatLE(Number.NaN, checkpoint.tensors.get(name)!.byteOffset + 4);
    await writeFile(path, bytes);
    await expect(checkpoint.readTensor(name)).rejects.toThrow(
      /layer.1.output.dense.bias" has the value NaN at element 1/,
    );
    await expect(checkpoint.readTensor('bert.absent')).rejects.toThrow(/no weight "bert.absent"/);
    await checkpoint.close();
  });

  it('keeps what it does not know of config.json, and fills in defaults', async () => {
    const config = { custom: { deep: [1] }, layer_norm_eps: undefined, tie_word_embeddings: undefined };
    await withCopy({ config }, (checkpoint) => {
      expect(checkpoint.config).toMatchObject({
        custom: { deep: [1] },
        layer_norm_eps: 1e-12,
        tie_word_embeddings: true,
      });
    });
  });

  it('is not confused by a key named __proto__', async () => {
    const text = readFileSync(join(tinyModel, 'config.json'), 'utf8').replace(
      '{',
      '{"__proto__": {"vocab_size": 1, "x": 2},',
    );
    await withCopy({ files: { 'config.json': text } }, ({ config }) => {
      expect(config.vocab_size).toBe(118);
      expect(config.x).toBeUndefined();
      expect(({} as Record<string, unknown>).x).toBeUndefined();
    });
  });
});
