import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyTinyModel, readTensors, type TestTensor, tinyModel } from '../../test/fixtures/model-folders.ts';
import { LexrayError } from '../util/errors.ts';
import { openCheckpoint } from './checkpoint.ts';
import { type WritableTensor, writeSafetensors } from './safetensors-writer.ts';
import { openTensorFiles } from './tensor-files.ts';

let temporary: string;
let count = 0;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'lexray-'));
});
afterAll(() => rm(temporary, { recursive: true }));

describe('shards', () => {
  const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;

  /** A copy with its weights in two shards, odd and even. */
  async function shards(
    change: {
      map?: (map: Record<string, string>) => unknown;
      second?: (tensors: WritableTensor[]) => WritableTensor[];
    } = {},
  ): Promise<string> {
    const tensors = await readTensors(join(tinyModel, 'model.safetensors'));
    const folder = await copyTinyModel(join(temporary, `copy-${count++}`), {
      files: { 'model.safetensors': undefined },
    });
    const parts: [TestTensor[], TestTensor[]] = [[], []];
    const map: Record<string, string> = {};
    tensors.forEach((tensor, i) => {
      parts[(i % 2) as 0 | 1].push(tensor);
      map[tensor.name] = names[(i % 2) as 0 | 1];
    });
    await writeSafetensors(join(folder, names[0]), parts[0]);
    await writeSafetensors(join(folder, names[1]), change.second?.(parts[1]) ?? parts[1]);
    const index = change.map?.(map) ?? map;
    const text =
      typeof index === 'string' ? index : JSON.stringify({ metadata: { total_size: 1.5 }, weight_map: index });
    await writeFile(join(folder, 'model.safetensors.index.json'), text);
    return folder;
  }

  it('are read as one set', async () => {
    const checkpoint = await openCheckpoint(await shards());
    for (const { name, data } of await readTensors(join(tinyModel, 'model.safetensors'))) {
      expect(await checkpoint.readTensor(name)).toEqual(data);
    }
    expect(checkpoint.paths).toHaveLength(2);
    await checkpoint.close();
  });

  const bias = 'cls.predictions.bias';
  const extra: WritableTensor = {
    name: 'bert.embeddings.word_embeddings.weight',
    shape: [1],
    data: Float32Array.of(1),
  };
  it.each<[string, Parameters<typeof shards>[0], RegExp]>([
    [
      'a path that leaves the folder',
      { map: (map) => ({ ...map, [bias]: '../model.safetensors' }) },
      /"..\/model.safetensors" is not a plain file name/,
    ],
    ['an absolute path', { map: (map) => ({ ...map, [bias]: '/tmp/model.safetensors' }) }, /not a plain file name/],
    ['a hidden file', { map: (map) => ({ ...map, [bias]: '..safetensors' }) }, /not a plain file name/],
    ['a shard that is missing', { map: (map) => ({ ...map, more: 'model-3.safetensors' }) }, /cannot read .*model-3/],
    [
      'a tensor in two shards',
      { second: (tensors) => [...tensors, extra] },
      /has the tensor "bert.embeddings.word_embeddings.weight", but the index says it is in "model-00001/,
    ],
    [
      'a tensor that the index does not list',
      { second: (tensors) => [...tensors, { ...extra, name: 'x' }] },
      /has the tensor "x", but the index lists it nowhere/,
    ],
    [
      'a tensor that its shard does not have',
      { map: (map) => ({ ...map, x: names[0] }) },
      /"model-00001-of-00002.safetensors" has the tensor "x", which it has not/,
    ],
    [
      'a tensor listed twice',
      { map: () => `{"weight_map":{"a":"${names[0]}","a":"${names[1]}"}}` },
      /the name "a" occurs twice/,
    ],
    ['an index without a map', { map: () => '{"metadata":{}}' }, /expected a weight_map/],
    ['an index that is a list', { map: () => '[]' }, /expected \{/],
    ['a map of numbers', { map: () => '{"weight_map":{"a":1}}' }, /expected "/],
  ])('are refused with %s', async (_, change, message) => {
    const error = await openCheckpoint(await shards(change)).then(
      (checkpoint) => checkpoint.close(),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(LexrayError);
    expect((error as LexrayError).code).toBe('BAD_INPUT');
    expect((error as LexrayError).message).toMatch(message);
  });
});

describe('weights of PyTorch', () => {
  const torchZip = fileURLToPath(new URL('../../test/fixtures/goldens/torch-zip', import.meta.url));

  it('are a checkpoint like any other', async () => {
    const { read } = JSON.parse(await readFile(join(torchZip, 'expected.json'), 'utf8')) as {
      read: Record<string, Record<string, { elements: number[]; shape: number[] }>>;
    };
    const wanted = (name: string): { shape: readonly number[]; elements: readonly number[] } => {
      const { shape, elements } = read.bert![name]!;
      return { shape, elements };
    };
    const warnings: string[] = [];
    const checkpoint = await openCheckpoint(join(torchZip, 'bert'), { onWarning: (message) => warnings.push(message) });
    let count = 0;
    for await (const { name, shape, data } of checkpoint.loadWeights()) {
      expect({ name, shape, elements: [...data] }).toEqual({ name, ...wanted(name) });
      count++;
    }
    expect(count).toBeGreaterThan(20);
    // The tied decoder and bias are stored twice and equal.
    expect(warnings).toEqual([]);
    await checkpoint.close();
  });

  it('are not looked at where there are safetensors', async () => {
    const folder = await copyTinyModel(join(temporary, `copy-${count++}`), { files: { 'pytorch_model.bin': 'x' } });
    const checkpoint = await openCheckpoint(folder);
    expect(checkpoint.paths).toEqual([join(folder, 'model.safetensors')]);
    await checkpoint.close();
  });

  it('in shards have their own index', async () => {
    const folder = join(temporary, `copy-${count++}`);
    await cp(join(torchZip, 'sharded'), folder, { recursive: true });
    const index = join(folder, 'pytorch_model.bin.index.json');
    await writeFile(index, '{"weight_map":{"a":"model-00001-of-00001.safetensors"}}');
    await expect(openTensorFiles(folder)).rejects.toThrow('not a plain file name that ends in .bin');
    await writeFile(index, '{"weight_map":{"norm.bias":"pytorch_model-00001-of-00002.bin"}}');
    await expect(openTensorFiles(folder)).rejects.toThrow('the index lists it nowhere');
  });

  it('that call a function are refused before anything else is looked at', async () => {
    const folder = join(temporary, `copy-${count++}`);
    await cp(join(torchZip, 'bert'), folder, { recursive: true });
    await cp(join(torchZip, 'os-system.bin'), join(folder, 'pytorch_model.bin'));
    await expect(openCheckpoint(folder)).rejects.toThrow('asks for "posix.system", which no tensor needs');
  });
});
