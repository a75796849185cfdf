import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeExpandedModel } from '../../test/fixtures/expanded-model.ts';
import { tinyModel } from '../../test/fixtures/model-folders.ts';
import { openModelFolder } from '../checkpoint/layouts/model-folder.ts';
import { SparseEncoder } from '../model/sparse-encoder.ts';
import { exportSentenceTransformers } from './sentence-transformers.ts';

let folder = '';
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray wide '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const texts = ['rain and snow in the city', 'search the vector index', ''];

async function vectorsOf(path: string): Promise<(readonly (readonly [string | undefined, number])[])[]> {
  const encoder = await SparseEncoder.load(path, { threads: 1 });
  try {
    const vectors = [];
    for (const text of texts) {
      const { indices, values } = await encoder.encodeOne(text, { kind: 'document' });
      vectors.push(Array.from(indices, (term, i) => [encoder.term(term), values[i]!] as const));
    }
    return vectors;
  } finally {
    await encoder.dispose();
  }
}

describe('exportSentenceTransformers', () => {
  // The tiny model has 118 pieces.
  it.each([
    ['fewer terms than pieces', 30, 118, 0, 88],
    ['more terms than pieces', 1000, 130, 12, 0],
  ])('keeps terms and weights with %s', async (name, size, dimensions, embeddingRows, decoderRows) => {
    const words = Array.from({ length: 130 }, (_, i) => `rain${i}`).join(' ');
    await writeExpandedModel(at(name), { size, ...(size > 118 && { texts: [words] }), rows: 'random', bias: 'zero' });
    const exported = await exportSentenceTransformers({ model: at(name), output: at(`${name} wide`) });
    expect(exported).toEqual({ dimensions, embeddingRows, decoderRows });
    const config: unknown = JSON.parse(await readFile(join(at(`${name} wide`), 'config.json'), 'utf8'));
    expect(config).toMatchObject({ vocab_size: dimensions, tie_word_embeddings: false });
    const before = await vectorsOf(at(name));
    expect(before.flat().length).toBeGreaterThan(20);
    const after = await vectorsOf(at(`${name} wide`));
    for (const [i, terms] of before.entries()) {
      expect(after[i]!.map(([term]) => term)).toEqual(terms.map(([term]) => term));
      for (const [j, [term, weight]] of terms.entries()) expect(after[i]![j]![1], term).toBeCloseTo(weight, 5);
    }
    const model = await openModelFolder(at(`${name} wide`));
    const decoder = await model.checkpoint.readTensor('cls.predictions.decoder.weight');
    await model.close();
    expect(decoder.length).toBe(dimensions * 32);
    expect(await readFile(join(at(`${name} wide`), 'README.md'), 'utf8')).toContain('SparseEncoder(');
    expect(await readFile(join(at(name), 'README.md'), 'utf8')).toContain('--to sentence-transformers');
  });

  it('is not for other models', async () => {
    await expect(exportSentenceTransformers({ model: tinyModel, output: at('none') })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('as it is'),
    });
  });
});
