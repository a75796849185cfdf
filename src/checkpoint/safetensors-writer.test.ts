import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from './safetensors-reader.ts';
import { type WritableTensor, writeSafetensors } from './safetensors-writer.ts';

const _goldens = new URL('../../test/fixtures/goldens/', import.meta.url);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('safetensors writer', () => {
  const shapes = fc.array(fc.nat(4), { maxLength: 3 });
  const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -60000, max: 60000 });
  const tensors = fc.uniqueArray(
    fc.record({
      name: fc.string({ unit: 'grapheme' }),
      shape: shapes,
      seed: fc.array(value, { minLength: 64, maxLength: 64 }),
    }),
    { selector: ({ name }) => name, maxLength: 6 },
  );

  it('writes what the reader reads, aligned to 8 bytes', async () => {
    const path = join(folder, 'property');
    await fc.assert(
      fc.asyncProperty(tensors, async (drawn) => {
        const list = drawn
          .filter(({ name }) => name !== '__metadata__')
          .map(({ name, shape, seed }) => ({
            name,
            shape,
            data: Float32Array.from(
              seed.slice(
                0,
                shape.reduce((a, b) => a * b, 1),
              ),
            ),
          }));
        await writeSafetensors(path, list);
        const opened = await openSafetensors(path);
        expect([...opened.tensors.keys()]).toEqual(list.map(({ name }) => name));
        expect(opened.metadata).toEqual(new Map([['format', 'pt']]));
        for (const { name, shape, data } of list) {
          expect(opened.tensors.get(name)?.shape).toEqual(shape);
          expect(await opened.readTensor(name)).toEqual(data);
        }
        const first = opened.tensors.values().next().value;
        if (first !== undefined) expect(first.byteOffset % 8).toBe(0);
        await opened.close();
      }),
      { numRuns: 50 },
    );
  });

  it('writes half precision in chunks larger than one reading', async () => {
    const data = Float32Array.from({ length: (1 << 20) + 3 }, (_, i) => (i % 2048) - 1024);
    const path = join(folder, 'large');
    await writeSafetensors(path, [
      { name: 'f16', shape: [data.length], dtype: 'F16', data },
      { name: 'bf16', shape: [data.length], dtype: 'BF16', data: data.map((x) => Math.sign(x)) },
    ]);
    const opened = await openSafetensors(path);
    expect(Buffer.compare(Buffer.from((await opened.readTensor('f16')).buffer), Buffer.from(data.buffer))).toBe(0);
    expect((await opened.readTensor('bf16'))[(1 << 20) + 2]).toBe(Math.sign(data[(1 << 20) + 2]!));
    await opened.close();
  });

  it('asks for data when its turn comes', async () => {
    const events: string[] = [];
    const tensor = (name: string): WritableTensor => ({
      name,
      shape: [1],
      data: async () => {
        events.push(name);
        return Float32Array.of(1);
      },
    });
    await writeSafetensors(join(folder, 'lazy'), [tensor('a'), tensor('b')], {
      onProgress: ({ done }) => events.push(`done ${done}`),
    });
    expect(events).toEqual(['a', 'done 1', 'b', 'done 2']);
  });

  const one = (dtype: 'F32' | 'F16' | 'BF16', value: number): WritableTensor[] => [
    { name: 'w', shape: [1], dtype, data: Float32Array.of(value) },
  ];
  it.each<[string, WritableTensor[], RegExp]>([
    ['two tensors of one name', [...one('F32', 1), ...one('F32', 1)], /two tensors have the name "w"/],
    ['the name of the metadata', [{ name: '__metadata__', shape: [], data: Float32Array.of(1) }], /"__metadata__"/],
    [
      'data that does not fit',
      [{ name: 'w', shape: [2], data: Float32Array.of(1) }],
      /1 elements; shape \[2\] needs 2/,
    ],
    ['NaN', one('F32', Number.NaN), /"w" has the value NaN/],
    ['infinity', one('F32', Number.POSITIVE_INFINITY), /Infinity/],
    ['a number too large for F16', one('F16', 65520), /F16 cannot hold/],
    ['a number too large for BF16', one('BF16', 3.4e38), /BF16 cannot hold/],
  ])('refuses %s and leaves nothing', async (_, list, message) => {
    const empty = await mkdtemp(join(folder, 'empty-'));
    await expect(writeSafetensors(join(empty, 'x'), list)).rejects.toThrow(message);
    expect(await readdir(empty)).toEqual([]);
  });

  it('writes the largest numbers that fit', async () => {
    const path = join(folder, 'edge');
    await writeSafetensors(path, [
      ...one('F16', 65519),
      { name: 'b', shape: [1], dtype: 'BF16', data: Float32Array.of(3.3895e38) },
    ]);
    const opened = await openSafetensors(path);
    expect([...(await opened.readTensor('w'))]).toEqual([65504]);
    expect(opened.tensors.get('b')?.byteLength).toBe(2);
    await opened.readTensor('b');
    await opened.close();
  });
});
