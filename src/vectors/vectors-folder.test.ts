import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readVectors, readVectorTokens } from './read-vectors.ts';
import { sparseVector } from './sparse-vector.ts';
import { type NamedVector, SparseVectors } from './sparse-vectors.ts';
import { arbitraryVectors } from './vectors.suite.ts';
import { writeVectors } from './write-vectors.ts';

let root = '';
let good = '';
let counter = 0;
const options = { config: { maxLength: 256 }, parents: { model: 'abc' }, seed: 1 };
const vectors = SparseVectors.fromRows(
  ['d1', 'd 2\n"', '\u{1F600}'],
  [
    sparseVector([
      [0, 1.5],
      [3, 0.25],
    ]),
    sparseVector([]),
    sparseVector([
      [1, 1],
      [2, 2],
      [4, -3],
    ]),
  ],
  5,
);

const fresh = (): string => join(root, `v${counter++}`);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lexray-vectors-'));
  good = fresh();
  await writeVectors(good, vectors, { ...options, tokens: ['a', 'b', 'c', '', 'é'] });
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function* stream(rows: Iterable<NamedVector>): AsyncGenerator<NamedVector> {
  yield* rows;
}

/** A copy of the good folder with the digests left out, as a tool that writes the format by itself may leave them. */
async function damaged(
  change: (folder: string) => Promise<unknown>,
  fields: Record<string, unknown> = {},
): Promise<string> {
  const folder = fresh();
  await cp(good, folder, { recursive: true });
  const path = join(folder, 'manifest.json');
  const manifest = { ...JSON.parse(await readFile(path, 'utf8')), files: undefined, ...fields };
  await writeFile(path, JSON.stringify(manifest));
  await change(folder);
  return folder;
}

const nothing = async (): Promise<void> => {};
const bytes = (array: Float64Array | Uint32Array | Float32Array): Uint8Array => new Uint8Array(array.buffer);

describe('a vectors folder', () => {
  it('round-trips', async () => {
    expect(await readVectors(good)).toEqual(vectors);
    expect(await readVectorTokens(good)).toEqual(['a', 'b', 'c', '', 'é']);
    expect(JSON.parse(await readFile(join(good, 'manifest.json'), 'utf8'))).toMatchObject({
      format: 'lexray-vectors',
      version: 1,
      ...options,
      vectors: 3,
      dimensions: 5,
      entries: 5,
    });
  });

  it('round-trips any vectors, given as a matrix or as a stream', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryVectors(9), fc.boolean(), async (any, streamed) => {
        const folder = fresh();
        await writeVectors(folder, streamed ? stream(any) : any, { ...options, dimensions: 9 });
        expect(await readVectors(folder)).toEqual(any);
        expect(await readVectorTokens(folder)).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });

  it('round-trips more than the buffers hold', async () => {
    const row = sparseVector(Array.from({ length: 3000 }, (_, i) => [i, i + 1] as const));
    const many = SparseVectors.fromRows(
      Array.from({ length: 300 }, (_, i) => `document ${i}`),
      Array.from({ length: 300 }, () => row),
      3000,
    );
    const folder = fresh();
    await writeVectors(folder, many, options);
    const read = await readVectors(folder);
    expect(read.ids).toEqual(many.ids);
    for (const name of ['offsets', 'indices', 'values'] as const) {
      expect(Buffer.compare(bytes(read[name]), bytes(many[name]))).toBe(0);
    }
  });

  it('reads a folder whose manifest lists no files', async () => {
    expect(await readVectors(await damaged(nothing))).toEqual(vectors);
  });

  it('writes nothing when the stream fails or a vector does not fit', async () => {
    const before = await readdir(root);
    const folder = fresh();
    const failing = async function* (): AsyncGenerator<NamedVector> {
      yield* vectors;
      throw new Error('encoder lost');
    };
    await expect(writeVectors(folder, failing(), { ...options, dimensions: 5 })).rejects.toThrow('encoder lost');
    await expect(writeVectors(folder, stream(vectors), { ...options, dimensions: 4 })).rejects.toThrow(/not below 4/);
    const twice = stream([...vectors, ...vectors]);
    await expect(writeVectors(folder, twice, { ...options, dimensions: 5 })).rejects.toThrow(/occurs twice/);
    await expect(writeVectors(folder, stream(vectors), options)).rejects.toThrow(/number of dimensions/);
    await expect(writeVectors(folder, vectors, { ...options, tokens: ['a'] })).rejects.toThrow(/5 tokens expected/);
    const signal = AbortSignal.abort();
    await expect(writeVectors(folder, vectors, { ...options, signal })).rejects.toThrow(
      expect.objectContaining({ code: 'INTERRUPTED' }),
    );
    expect(await readdir(root)).toEqual(before);
  });

  it('is replaced only by force', async () => {
    const folder = fresh();
    await writeVectors(folder, SparseVectors.fromRows([], [], 1), options);
    await expect(writeVectors(folder, vectors, options)).rejects.toThrow(/already exists/);
    expect((await readVectors(folder)).length).toBe(0);
    await writeVectors(folder, vectors, { ...options, force: true });
    expect(await readVectors(folder)).toEqual(vectors);
  });
});

describe('a damaged vectors folder is refused:', () => {
  const refused = async (folder: string, message: RegExp): Promise<void> => {
    const error: unknown = await readVectors(folder).then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).toMatchObject({ name: 'LexrayError', message: expect.stringMatching(message) });
  };

  it.each([
    ['more vectors than there are', { vectors: 4 }, /offsets.f64: expected 40 bytes/],
    ['a huge number of vectors', { vectors: 2 ** 52 }, /do not fit into memory/],
    ['entries that would fill the memory', { entries: 2 ** 30 }, /indices.u32: expected 4294967296 bytes/],
    ['a negative count', { entries: -1 }, /entries must be an integer/],
    ['a text for a count', { vectors: '3' }, /vectors must be an integer/],
    ['no dimensions', { dimensions: undefined }, /dimensions must be/],
    ['huge dimensions', { dimensions: 2 ** 40 }, /dimensions must be/],
    ['too few dimensions', { dimensions: 4 }, /index 4 is not below 4/],
    ['another format', { format: 'lexray-index' }, /expected a lexray-vectors folder/],
    ['a newer version', { version: 2 }, /version 1 or older/],
  ])('manifest with %s', async (_, fields, message) => {
    await refused(await damaged(nothing, fields), message);
  });

  it.each([
    ['truncated offsets', (f: string) => truncate(join(f, 'offsets.f64'), 31), /offsets.f64: expected 32 bytes/],
    ['no values', (f: string) => rm(join(f, 'values.f32')), /cannot read values.f32/],
    [
      'a folder for a file',
      async (f: string) => {
        await rm(join(f, 'indices.u32'));
        await mkdir(join(f, 'indices.u32'));
      },
      /indices.u32/,
    ],
    [
      'falling offsets',
      (f: string) => writeFile(join(f, 'offsets.f64'), bytes(Float64Array.of(0, 2, 1, 5))),
      /1 follows 2/,
    ],
    [
      'infinite offsets',
      (f: string) => writeFile(join(f, 'offsets.f64'), bytes(Float64Array.of(0, Infinity, 2, 5))),
      /Infinity follows 0/,
    ],
    [
      'unsorted indices',
      (f: string) => writeFile(join(f, 'indices.u32'), bytes(Uint32Array.of(3, 0, 1, 2, 4))),
      /0 follows 3/,
    ],
    [
      'NaN weights',
      (f: string) => writeFile(join(f, 'values.f32'), bytes(Float32Array.of(1, 1, 1, Number.NaN, 1))),
      /NaN/,
    ],
    ['repeated ids', (f: string) => writeFile(join(f, 'ids.jsonl'), '"a"\n"b"\n"a"\n'), /"a" occurs twice/],
    ['an empty id', (f: string) => writeFile(join(f, 'ids.jsonl'), '"a"\n"b"\n""\n'), /id is empty/],
    ['too few ids', (f: string) => writeFile(join(f, 'ids.jsonl'), '"aaaaaaaaa"\n"b"\n'), /3 strings expected/],
    ['too many ids', (f: string) => writeFile(join(f, 'ids.jsonl'), '"a"\n"b"\n"c"\n"d"\n'), /there are more/],
    [
      'an id that is no string',
      (f: string) => writeFile(join(f, 'ids.jsonl'), '"a"\n"b"\n{}\n'),
      /expected a JSON string/,
    ],
    ['ids that are not JSON', (f: string) => writeFile(join(f, 'ids.jsonl'), 'a\nb\nc\n--------\n'), /not JSON/],
    ['no ids', (f: string) => rm(join(f, 'ids.jsonl')), /cannot read ids.jsonl/],
    ['no manifest', (f: string) => rm(join(f, 'manifest.json')), /expected a lexray-vectors folder/],
  ])('%s', async (_, change, message) => {
    await refused(await damaged(change), message);
  });

  it('any flipped bit, by the digests', async () => {
    const names = ['offsets.f64', 'indices.u32', 'values.f32', 'ids.jsonl'];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.nat(), fc.nat(7), async (name, at, bit) => {
        const folder = fresh();
        await cp(good, folder, { recursive: true });
        const content = await readFile(join(folder, name));
        content[at % content.length]! ^= 1 << bit;
        await writeFile(join(folder, name), content);
        await refused(folder, /SHA-256/);
      }),
      { numRuns: 60 },
    );
  });

  it('any flipped bit without digests is a LexrayError or another valid matrix', async () => {
    const names = ['offsets.f64', 'indices.u32', 'values.f32', 'ids.jsonl', 'manifest.json'];
    const plain = await damaged(nothing);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.nat(), fc.nat(255), async (name, at, byte) => {
        const folder = fresh();
        await cp(plain, folder, { recursive: true });
        const content = await readFile(join(folder, name));
        content[at % content.length] = byte;
        await writeFile(join(folder, name), content);
        const result: unknown = await readVectors(folder).catch((error: unknown) => error);
        if (!(result instanceof SparseVectors)) expect(result).toMatchObject({ name: 'LexrayError' });
      }),
      { numRuns: 150 },
    );
  });
});
