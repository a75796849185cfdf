import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LexrayError } from '../util/errors.ts';
import { type ByteSource, memorySource } from './byte-source.ts';
import { openSafetensors } from './safetensors-reader.ts';
import { writeSafetensors } from './safetensors-writer.ts';

const goldens = new URL('../../test/fixtures/goldens/', import.meta.url);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A file with this header text and data, whatever they say. */
function file(header: string, data: Uint8Array | number = 0, length = Buffer.byteLength(header)): Uint8Array {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(length));
  return Buffer.concat([prefix, Buffer.from(header), typeof data === 'number' ? Buffer.alloc(data) : data]);
}
const entry = (dtype: string, shape: unknown, offsets: unknown): string =>
  JSON.stringify({ dtype, shape, data_offsets: offsets });
const readAll = async (bytes: Uint8Array): Promise<void> => {
  const opened = await openSafetensors(memorySource(bytes));
  for (const name of opened.tensors.keys()) await opened.readTensor(name);
};

describe('safetensors reader', () => {
  it('reads every float type as PyTorch does, and opens files with others', async () => {
    const golden = JSON.parse(await readFile(new URL('checkpoint.json', goldens), 'utf8')) as {
      types: Record<string, number[]>;
    };
    const opened = await openSafetensors(fileURLToPath(new URL('checkpoint-types.safetensors', goldens)));
    try {
      for (const [name, values] of Object.entries(golden.types)) {
        expect([...(await opened.readTensor(name))], name).toEqual(values);
      }
      expect(opened.tensors.get('scalar')?.shape).toEqual([]);
      expect(opened.tensors.get('empty')?.shape).toEqual([0, 4]);
      expect(opened.tensors.get('integers')).toMatchObject({ dtype: 'I64', shape: [4], byteLength: 32 });
      expect(opened.metadata.get('note')).toBe('a "quoted" ü');
      await expect(opened.readTensor('integers')).rejects.toThrow(/"integers" has dtype I64/);
      await expect(opened.readTensor('double')).rejects.toThrow(/"double" has dtype F64/);
      await expect(opened.readTensor('absent')).rejects.toThrow(/no tensor "absent"/);
    } finally {
      await opened.close();
    }
  });

  const good = entry('F32', [2], [0, 8]);
  const hostile: [string, Uint8Array, RegExp][] = [
    ['an empty file', new Uint8Array(), /got 0 bytes/],
    ['a header longer than the file', file('{}', 0, 1000), /1000 bytes long; the file has/],
    ['a header over 100 MB', file('{}', 0, 100_000_001), /at most 100 MB/],
    ['a header length of 2^64 - 1', Buffer.concat([Buffer.alloc(8, 0xff), Buffer.from('{}')]), /at most 100 MB/],
    ['no JSON object', file('[]', 0), /does not begin with \{/],
    ['a header that is not UTF-8', Buffer.concat([file('{"', 0, 4), Buffer.from([0xff, 0xfe])]), /not UTF-8/],
    ['a header that is cut', file('{"a":', 0), /wrong at character/],
    ['text after the header', file('{} {}', 0), /expected the end/],
    ['two tensors of one name', file(`{"a":${good},"a":${good}}`, 8), /the name "a" occurs twice/],
    ['a field given twice', file('{"a":{"dtype":"F32","dtype":"F16","shape":[],"data_offsets":[0,4]}}', 4), /twice/],
    ['overlapping tensors', file(`{"a":${good},"b":${entry('F32', [2], [4, 12])}}`, 12), /"b" overlaps .* by 4 bytes/],
    ['tensors that share data', file(`{"a":${good},"b":${good}}`, 8), /overlaps/],
    ['a hole', file(`{"a":${good},"b":${entry('F32', [1], [12, 16])}}`, 16), /4 bytes before tensor "b"/],
    ['data that belongs to no tensor', file(`{"a":${good}}`, 9), /1 bytes at the end/],
    ['a negative offset', file(`{"a":${entry('F32', [2], [-8, 0])}}`, 8), /data_offsets \[-8, 0\]/],
    ['offsets in the wrong order', file(`{"a":${entry('F32', [2], [8, 0])}}`, 8), /data_offsets \[8, 0\]/],
    ['a fractional offset', file(`{"a":${entry('F32', [2], [0.5, 8.5])}}`, 8), /expected an integer, got "0.5"/],
    ['an offset over 2^53', file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1e30]}}', 8), /expected an integer/],
    ['three offsets', file(`{"a":${entry('F32', [2], [0, 8, 8])}}`, 8), /more than 2 items/],
    ['truncated data', file(`{"a":${good}}`, 7), /"a" ends at byte .* truncated/],
    ['an unknown dtype', file(`{"a":${entry('F31', [2], [0, 8])}}`, 8), /"a" has the unknown dtype "F31"/],
    ['a dtype of a prototype', file(`{"a":${entry('toString', [2], [0, 8])}}`, 8), /unknown dtype "toString"/],
    [
      'a shape that does not fit',
      file(`{"a":${entry('F32', [3], [0, 8])}}`, 8),
      /8 bytes of data; F32 of shape \[3\] needs 12/,
    ],
    ['a negative dimension', file(`{"a":${entry('F32', [-1, -2], [0, 8])}}`, 8), /impossible shape/],
    [
      'a shape whose product overflows',
      file(`{"a":${entry('F32', [2 ** 32, 2 ** 32, 2 ** 32], [0, 8])}}`, 8),
      /impossible shape/,
    ],
    ['a huge shape', file(`{"a":${entry('U8', [2 ** 50], [0, 2 ** 50])}}`, 8), /truncated/],
    ['too many dimensions', file(`{"a":${entry('U8', Array(17).fill(1), [0, 1])}}`, 1), /more than 16 items/],
    ['a shape that is no list', file(`{"a":${entry('F32', { length: 2 }, [0, 8])}}`, 8), /expected \[/],
    ['a tensor without shape', file('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4), /needs dtype, shape and/],
    ['metadata that is no text', file('{"__metadata__":{"format":1}}', 0), /expected "/],
    ['deep nesting', file(`{"a":{"x":${'['.repeat(100_000)}`, 0), /nested deeper/],
    [
      'a NaN',
      file(`{"weight.a":${good}}`, Buffer.from(Float32Array.of(1, Number.NaN).buffer)),
      /"weight.a" has the value NaN at element 1/,
    ],
    [
      'an infinity',
      file(`{"a":${good}}`, Buffer.from(Float32Array.of(-1 / 0, 0).buffer)),
      /"a" has the value -Infinity at element 0/,
    ],
    [
      'an infinite half',
      file(`{"a":${entry('F16', [1], [0, 2])}}`, Buffer.from([0, 0x7c])),
      /"a" has the value Infinity/,
    ],
  ];
  it.each(hostile)('refuses %s', async (_, bytes, message) => {
    const error = await readAll(bytes).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(LexrayError);
    expect((error as LexrayError).code).toBe('BAD_INPUT');
    expect((error as LexrayError).message).toMatch(message);
  });

  it('refuses a header of 100 MB of nothing with no more memory than its text needs', async () => {
    const length = 99_999_999;
    const header = Buffer.alloc(8 + length, '[');
    header.writeBigUInt64LE(BigInt(length));
    header.write('{"a":', 8);
    const before = process.memoryUsage();
    await expect(readAll(header)).rejects.toThrow(/expected \{/);
    expect(process.memoryUsage().heapUsed - before.heapUsed).toBeLessThan(150e6);
  });

  it('refuses missing files and folders', async () => {
    await expect(openSafetensors(join(folder, 'absent'))).rejects.toThrow(/cannot read .*ENOENT/);
    await expect(openSafetensors(folder)).rejects.toThrow(/not a regular file/);
  });

  it('reports a file that shrinks after it was opened', async () => {
    const path = join(folder, 'shrinking');
    const bytes = file(`{"a":${good}}`, 8);
    await writeFile(path, bytes);
    const opened = await openSafetensors(path);
    await writeFile(path, bytes.subarray(0, bytes.length - 4));
    await expect(opened.readTensor('a')).rejects.toThrow(/4 bytes too early/);
    await opened.close();
  });

  it('closes its source when opening fails', async () => {
    let closed = 0;
    const source: ByteSource = { ...memorySource(file('[]')), close: async () => void closed++ };
    await expect(openSafetensors(source)).rejects.toThrow(LexrayError);
    expect(closed).toBe(1);
  });

  it('meets damage of any kind with LexrayError only', async () => {
    const path = join(folder, 'whole');
    await writeSafetensors(path, [
      { name: 'a', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { name: 'b.c', shape: [3], dtype: 'F16', data: Float32Array.of(1, -2, 3) },
      { name: 'd', shape: [1], dtype: 'BF16', data: Float32Array.of(1) },
    ]);
    const whole = await readFile(path);
    await readAll(whole);
    const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 });
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(flips, fc.option(fc.nat(whole.length)), async (changes, cut) => {
        const damaged = Uint8Array.from(whole.subarray(0, cut ?? whole.length));
        for (const [at, value] of changes) if (at < damaged.length) damaged[at] = value;
        try {
          await readAll(damaged);
        } catch (error) {
          refused++;
          if (!(error instanceof LexrayError) || error.code !== 'BAD_INPUT') throw error;
        }
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(1000);
  });
});
