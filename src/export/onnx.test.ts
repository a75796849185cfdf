/**
 * Exported ONNX files, run by onnxruntime itself: their logits are those of transformers (`scripts/golden/families.py`, float64),
 * their vectors the pooled ones and those of the encoder. Transformers.js opens them in `scripts/golden/rescale_check.py`, by hand.
 */
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema, TensorProto_DataLocation } from 'onnx-buf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FamilyGolden, maxPooled, ownCases, readFamilyGolden } from '../../test/fixtures/family-goldens.ts';
import { copyTinyModel, tinyModel } from '../../test/fixtures/model-folders.ts';
import { runOnnx } from '../../test/fixtures/run-onnx.ts';
import { openModelFolder } from '../checkpoint/layouts/model-folder.ts';
import { SparseEncoder } from '../model/sparse-encoder.ts';
import { LexrayError } from '../util/errors.ts';
import { exportOnnx, type OnnxExport, type OnnxExportOptions } from './onnx.ts';

const tolerance = 1e-5;
let temporary = '';
let count = 0;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'lexray-onnx-'));
});
afterAll(() => rm(temporary, { recursive: true, force: true }));

interface Exported extends OnnxExport {
  readonly output: string;
}

async function exported(model: string, options: Partial<OnnxExportOptions> = {}): Promise<Exported> {
  const output = join(temporary, `model-${count++}`);
  return { output, ...(await exportOnnx({ model, output, ...options })) };
}

/** A golden's model with a tokenizer, whose does not matter. */
async function folderOf({ name, model }: FamilyGolden): Promise<string> {
  const folder = join(temporary, `${name}-${count++}`);
  await cp(model, folder, { recursive: true });
  await cp(join(tinyModel, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  return folder;
}

async function modelOf({ output }: Exported, file: string): Promise<ModelProto> {
  return fromBinary(ModelProtoSchema, await readFile(join(output, 'onnx', file)));
}

function largestDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  let largest = 0;
  for (let i = 0; i < found.length; i++) {
    const difference = Math.abs(found[i]! - expected[i]!);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

describe.each(ownCases)('%s', (name) => {
  it('gives the logits and vectors of transformers, whatever the padding', async () => {
    const golden = await readFamilyGolden(name);
    const model = await exported(await folderOf(golden));
    const terms = model.vocabularySize;
    const { sequences, logits, largest } = golden;
    const { paddingToken } = await paddingOf(model.output);

    const { values, starts, length, dims } = await runOnnx(join(model.output, 'onnx/model.onnx'), 'logits', {
      sequences,
      paddingId: paddingToken ?? 0,
    });
    expect(dims).toEqual([sequences.length, length, terms]);
    const real = sequences.flatMap((sequence, s) => [
      ...values.subarray(starts[s]! * terms, (starts[s]! + sequence.length) * terms),
    ]);
    expect(largestDifference(real, logits)).toBeLessThanOrEqual(tolerance * largest);

    const pooled = maxPooled(golden);
    const expected = Float64Array.from(pooled, (_, at) => {
      const [s, term] = [Math.floor(at / terms), at % terms];
      return Math.log1p(Math.max(0, pooled[term * sequences.length + s]!));
    });
    const vectors = await runOnnx(join(model.output, 'onnx/splade.onnx'), 'weights', {
      sequences,
      paddingId: paddingToken ?? 0,
    });
    expect(vectors.dims).toEqual([sequences.length, terms]);
    expect(largestDifference(vectors.values, expected)).toBeLessThanOrEqual(tolerance * largest);

    // Rotary positions are relative, and RoBERTa counts from the first token: padding may stand before a text.
    if (!/modernbert|gte|roberta/.test(name)) return;
    const left = await runOnnx(join(model.output, 'onnx/splade.onnx'), 'weights', {
      sequences,
      padding: 'left',
      paddingId: paddingToken ?? 0,
    });
    expect(largestDifference(left.values, expected)).toBeLessThanOrEqual(tolerance * largest);
  });
});

async function paddingOf(folder: string): Promise<{ paddingToken?: number }> {
  const { checkpoint, close } = await openModelFolder(folder);
  await close();
  return checkpoint.family.shape(checkpoint.config);
}

describe('the tiny model', () => {
  it('gives the vectors of the encoder', async () => {
    const model = await exported(tinyModel);
    const encoder = await SparseEncoder.load(tinyModel, { threads: 1 });
    try {
      const texts = ['river bank', 'a small red house by the sea, and rain', 'snow'];
      const sequences = texts.map((text) => encoder.tokenizer.encode(text, { maxLength: 64 }));
      const { values } = await runOnnx(join(model.output, 'onnx/splade.onnx'), 'weights', { sequences });
      const expected = new Float32Array(values.length);
      for (const [s, text] of texts.entries()) {
        const { indices, values: weights } = await encoder.encodeOne(text, { kind: 'document' });
        indices.forEach((term, i) => {
          expected[s * encoder.dimensions + term] = weights[i]!;
        });
      }
      expect(largestDifference(values, expected)).toBeLessThan(1e-5);
      expect(Math.max(...expected)).toBeGreaterThan(0.1);
    } finally {
      await encoder.dispose();
    }
  });

  it('knows token types, and texts without tokens', async () => {
    const model = await exported(tinyModel);
    expect(model.inputs).toEqual(['input_ids', 'attention_mask', 'token_type_ids']);
    const sequences = [Int32Array.of(2, 7, 3), Int32Array.of()];
    const path = join(model.output, 'onnx/splade.onnx');
    const [first, second] = [
      await runOnnx(path, 'weights', { sequences }),
      await runOnnx(path, 'weights', { sequences, type: 1 }),
    ];
    expect(largestDifference(first.values, second.values)).toBeGreaterThan(1e-3);
    const none = first.values.subarray(model.vocabularySize);
    expect(none).toEqual(new Float32Array(model.vocabularySize));
  });

  it('is ONNX of opset 18 without operators of one runtime, its parameters under their names', async () => {
    const model = await exported(tinyModel);
    expect(model.files).toEqual(['onnx/model.onnx', 'onnx/splade.onnx']);
    for (const file of ['model.onnx', 'splade.onnx']) {
      const { graph, opsetImport, irVersion } = await modelOf(model, file);
      expect(opsetImport.map(({ domain, version }) => [domain, Number(version)])).toEqual([['', 18]]);
      expect(Number(irVersion)).toBe(8);
      expect(graph!.node.filter(({ domain }) => domain !== '')).toEqual([]);
      expect(graph!.node.map(({ opType }) => opType)).not.toContain('Gelu');
      expect(graph!.input.map(({ name }) => name)).toEqual(['input_ids', 'attention_mask', 'token_type_ids']);
      const names = graph!.initializer.map(({ name }) => name);
      expect(names).toContain('bert.embeddings.word_embeddings.weight');
      expect(new Set(names).size).toBe(names.length);
      // Each layer gathers nothing: three tables of embeddings, the first token of each sequence, sizes.
      const perLayer = graph!.node.filter(
        ({ opType, input }) => opType === 'Gather' && !/embeddings|Shape/.test(input[0]!),
      );
      expect(perLayer.length).toBeLessThanOrEqual(2);
    }
  });

  it('has its parameters in a file beside where they would not fit', async () => {
    const model = await exported(tinyModel, { mostInside: 1000 });
    expect(model.files).toEqual(['onnx/model.onnx', 'onnx/splade.onnx', 'onnx/model.onnx_data']);
    expect((await readdir(join(model.output, 'onnx'))).sort()).toEqual([
      'model.onnx',
      'model.onnx_data',
      'splade.onnx',
    ]);
    const { graph } = await modelOf(model, 'splade.onnx');
    const weights = graph!.initializer.filter(({ name }) => name.includes('.'));
    expect(weights.length).toBeGreaterThan(20);
    for (const { dataLocation, rawData, externalData } of weights) {
      expect(dataLocation).toBe(TensorProto_DataLocation.EXTERNAL);
      expect(rawData.length).toBe(0);
      const entries = Object.fromEntries(externalData.map(({ key, value }) => [key, value]));
      expect(entries).toMatchObject({ location: 'model.onnx_data' });
      expect(Number(entries.offset) % 4096).toBe(0);
    }
    const config = JSON.parse(await readFile(join(model.output, 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(config['transformers.js_config']).toEqual({ use_external_data_format: { 'model.onnx': 1 } });
    const inside = await exported(tinyModel);
    for (const [file, output] of [
      ['model.onnx', 'logits'],
      ['splade.onnx', 'weights'],
    ] as const) {
      const batch = { sequences: [Int32Array.of(2, 9, 8, 3), Int32Array.of(2, 3)] };
      const [a, b] = [
        await runOnnx(join(model.output, 'onnx', file), output, batch),
        await runOnnx(join(inside.output, 'onnx', file), output, batch),
      ];
      expect(a.values).toEqual(b.values);
    }
  });

  it('leaves special tokens out where the model does', async () => {
    const policy = { format: 'lexray-policy', version: 1, specialTokens: 'drop' };
    const model = await exported(
      await copyTinyModel(join(temporary, 'dropping'), { files: { 'lexray.json': policy } }),
    );
    const kept = await exported(tinyModel);
    const batch = { sequences: [Int32Array.of(2, 9, 8, 3)] };
    const [a, b] = [
      await runOnnx(join(model.output, 'onnx/splade.onnx'), 'weights', batch),
      await runOnnx(join(kept.output, 'onnx/splade.onnx'), 'weights', batch),
    ];
    const encoder = await SparseEncoder.load(tinyModel, { threads: 1 });
    const special = encoder.tokenizer.specialIds;
    await encoder.dispose();
    expect(special.size).toBeGreaterThan(2);
    expect(a.values).toEqual(b.values.map((value, term) => (special.has(term) ? 0 : value)));
  });

  it('stays a model folder', async () => {
    const { output } = await exported(tinyModel);
    const model = await openModelFolder(output);
    await model.close();
    expect(model.layout).toBe('sentence-transformers');
    expect(model.manifest?.config).toEqual({ exported: 'onnx' });
    expect(await readFile(join(output, 'README.md'), 'utf8')).toContain('onnx/splade.onnx');
  });
});

describe('refusals leave nothing behind', () => {
  it.each([
    ['a model without MLM head', 'headless', 'BAD_INPUT', /cls\.predictions/],
    ['sum pooling', 'sum', 'BAD_INPUT', /expected max pooling, got sum/],
    ['an output that exists', 'taken', 'USAGE', /already exists/],
  ] as const)('%s', async (_title, kind, code, message) => {
    const model = await copyTinyModel(join(temporary, kind), {
      ...(kind === 'sum' && {
        files: {
          '1_SpladePooling/config.json': {
            pooling_strategy: 'sum',
            activation_function: 'relu',
            word_embedding_dimension: null,
          },
        },
      }),
      ...(kind === 'headless' && { tensors: (tensors) => tensors.filter(({ name }) => !name.startsWith('cls.')) }),
    });
    const output = kind === 'taken' ? model : join(temporary, `never-${kind}`);
    const before = await readdir(temporary);
    const error = await exportOnnx({ model, output }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LexrayError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(await readdir(temporary)).toEqual(before);
  });
});
