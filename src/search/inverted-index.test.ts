import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sparseVector } from '../vectors/sparse-vector.ts';
import { SparseVectors } from '../vectors/sparse-vectors.ts';
import { arbitraryVectors } from '../vectors/vectors.suite.ts';
import { readIndex, readIndexManifest, writeIndex } from './index-folder.ts';
import { buildIndex, InvertedIndex } from './inverted-index.ts';

const vectors = SparseVectors.fromRows(
  ['d1', 'd3', 'd2'],
  [
    sparseVector([
      [0, 1],
      [2, 2],
    ]),
    sparseVector([[2, 3]]),
    sparseVector([[0, 4]]),
  ],
  4,
);

let root = '';
let good = '';
let counter = 0;
const fresh = (): string => join(root, `i${counter++}`);
const options = { config: { note: 'x' }, parents: { vectors: 'abc' } };

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lexray-index-'));
  good = fresh();
  await writeIndex(good, buildIndex(vectors), options);
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('buildIndex', () => {
  it('numbers documents by docid descending and lists them by term', () => {
    const index = buildIndex(vectors);
    expect(index.docids).toEqual(['d3', 'd2', 'd1']);
    expect(index.documentCount).toBe(3);
    expect(index.postingCount).toBe(4);
    const lists = Array.from({ length: 4 }, (_, term) => index.postingList(term));
    expect(lists.map(({ documents, weights }) => [[...documents], [...weights]])).toEqual([
      [
        [1, 2],
        [4, 1],
      ],
      [[], []],
      [
        [0, 2],
        [3, 2],
      ],
      [[], []],
    ]);
    expect(() => index.postingList(4)).toThrow(/no term 4/);
    expect(index.statistics().allTerms).toMatchObject({ count: 4, mean: 1, cv2: 1, max: 2 });
    expect(index.statistics().usedTerms).toMatchObject({ count: 2, mean: 2, cv2: 0, max: 2 });
  });

  it('holds exactly the entries of the vectors', () => {
    fc.assert(
      fc.property(arbitraryVectors(8), (any) => {
        const index = buildIndex(any);
        const found: string[] = [];
        for (let term = 0; term < any.dimensions; term++) {
          const { documents, weights } = index.postingList(term);
          documents.forEach((document, i) => {
            found.push(JSON.stringify([index.docids[document], term, weights[i]]));
          });
        }
        const expected = [...any].flatMap(({ id, vector }) =>
          Array.from(vector.indices, (term, i) => JSON.stringify([id, term, vector.values[i]])),
        );
        expect(found.sort()).toEqual(expected.sort());
      }),
      { numRuns: 40 },
    );
  });
});

describe('an index folder', () => {
  it('round-trips any index', async () => {
    expect(await readIndex(good)).toEqual(buildIndex(vectors));
    expect(await readIndexManifest(good)).toMatchObject({
      format: 'lexray-index',
      ...options,
      documents: 3,
      dimensions: 4,
      postings: 4,
    });
    await fc.assert(
      fc.asyncProperty(arbitraryVectors(8), async (any) => {
        const folder = fresh();
        const index = buildIndex(any);
        await writeIndex(folder, index, options);
        expect(await readIndex(folder)).toEqual(index);
      }),
      { numRuns: 25 },
    );
  });

  const bytes = (array: Float64Array | Uint32Array | Float32Array): Uint8Array => new Uint8Array(array.buffer);

  it.each([
    ['docids out of order', (f: string) => writeFile(join(f, 'docids.jsonl'), '"d1"\n"d2"\n"d3"\n'), /must descend/],
    ['a docid twice', (f: string) => writeFile(join(f, 'docids.jsonl'), '"d2"\n"d2"\n"d1"\n'), /occurs twice/],
    [
      'a document that is not there',
      (f: string) => writeFile(join(f, 'indices.u32'), bytes(Uint32Array.of(1, 2, 0, 3))),
      /term 2.*|index 3 is not below 3/,
    ],
    [
      'unsorted documents',
      (f: string) => writeFile(join(f, 'indices.u32'), bytes(Uint32Array.of(2, 1, 0, 2))),
      /1 follows 2/,
    ],
    [
      'infinite weights',
      (f: string) => writeFile(join(f, 'values.f32'), bytes(Float32Array.of(1, Infinity, 1, 1))),
      /Infinity/,
    ],
    [
      'offsets that fall',
      (f: string) => writeFile(join(f, 'offsets.f64'), bytes(Float64Array.of(0, 2, 1, 4, 4))),
      /1 follows 2/,
    ],
    ['truncated weights', (f: string) => truncate(join(f, 'values.f32'), 15), /expected 16 bytes/],
  ])('with %s is refused', async (_, change, message) => {
    const folder = fresh();
    await cp(good, folder, { recursive: true });
    const path = join(folder, 'manifest.json');
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), files: undefined }));
    await change(folder);
    const error: unknown = await readIndex(folder).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'BAD_INPUT', message: expect.stringMatching(message) });
  });

  it('of vectors is not an index', async () => {
    const folder = fresh();
    await cp(good, folder, { recursive: true });
    await writeFile(join(folder, 'manifest.json'), JSON.stringify({ format: 'lexray-vectors', version: 1 }));
    await expect(readIndex(folder)).rejects.toThrow(/expected a lexray-index folder/);
  });

  it('leaves nothing behind when writing is interrupted', async () => {
    const folder = fresh();
    const signal = AbortSignal.abort();
    await expect(writeIndex(folder, buildIndex(vectors), { ...options, signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    await expect(readIndex(folder)).rejects.toThrow(/cannot be read/);
  });

  it('refuses an index that is none', () => {
    const { offsets, indices, values } = buildIndex(vectors).postings;
    expect(() => new InvertedIndex(['d3', 'd2', 'd1'], 3, { offsets, indices, values })).toThrow(/need 4 offsets/);
  });
});
