import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Frontier } from '../evaluate/frontier.ts';
import { readFrontier, writeFrontier } from './frontier-folder.ts';

const lists = { lists: 3, mean: 2, cv2: 0.5, p99: 4, largest: 4 };
const frontier: Frontier = {
  label: 'system',
  documents: 10,
  dimensions: 8,
  qids: ['a', 'b'],
  k: 100,
  points: [
    {
      query: 'all',
      document: 'top-k=3',
      cost: {
        flops: 1.5,
        queryActiveDims: 2,
        documentActiveDims: 3,
        emptyQueries: 0,
        emptyDocuments: 0,
        postings: lists,
        postingsWithEmpty: lists,
      },
      indexBytes: 12,
      postingsTouched: [1, 2],
      milliseconds: [0.1, 0.2],
      measures: { 'RR@10': [1, 0.5] },
    },
  ],
};
const options = { config: { k: 100 }, parents: { qrels: 'f00' }, seed: 3, markdown: '# m', html: '<p>' };
let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lexray frontier '));
  await writeFrontier(join(root, 'good'), frontier, options);
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('the folder of a frontier', () => {
  it('is read as it was written, with its tables and page beside it', async () => {
    expect(await readFrontier(join(root, 'good'))).toEqual(frontier);
    expect(await readFile(join(root, 'good', 'frontier.md'), 'utf8')).toBe('# m');
    expect(await readFile(join(root, 'good', 'frontier.html'), 'utf8')).toBe('<p>');
    const manifest = JSON.parse(await readFile(join(root, 'good', 'manifest.json'), 'utf8')) as object;
    expect(manifest).toMatchObject({ format: 'lexray-frontier', version: 1, seed: 3, parents: { qrels: 'f00' } });
    await expect(writeFrontier(join(root, 'good'), frontier, options)).rejects.toThrow(/already exists/);
  });

  it.each([
    ['no JSON', '{', /cannot read a frontier/],
    ['another object', '{"label":"x"}', /not a frontier: documents/],
    ['a list for a number', JSON.stringify({ ...frontier, k: [] }), /not a frontier: k/],
    ['no points', JSON.stringify({ ...frontier, points: [] }), /not a frontier: points/],
    ['a value too many', JSON.stringify({ ...frontier, qids: ['a'] }), /point 0 has 2 values of RR@10 for 1 queries/],
  ])('with %s is refused', async (_, content, message) => {
    const folder = join(root, 'bad');
    await writeFrontier(folder, frontier, { ...options, force: true });
    await writeFile(join(folder, 'frontier.json'), content);
    await expect(readFrontier(folder)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message) as string,
    });
  });
});
