import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyTinyModel, readTensors, type TestTensor, tinyModel } from '../../test/fixtures/model-folders.ts';
import { LexrayError } from '../util/errors.ts';
import { openCheckpoint } from './checkpoint.ts';
import { type WritableTensor, writeSafetensors } from './safetensors-writer.ts';

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
