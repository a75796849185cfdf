import { describe, expect, it } from 'vitest';
import { CountingEngine } from '../../test/fixtures/counting-engine.ts';
import { tinyModel } from '../../test/fixtures/model-folders.ts';
import type { Document } from '../data/document.ts';
import type { BeirCollection } from '../data/load-beir.ts';
import { SparseEncoder } from '../model/sparse-encoder.ts';
import { evaluateOnDev, sampleCollection } from './dev-evaluation.ts';

const documents: Document[] = Array.from({ length: 300 }, (_, i) => ({
  docid: `d${String(i).padStart(3, '0')}`,
  title: '',
  text: i === 7 ? 'rain rain' : 'rain',
}));
const collection: BeirCollection = {
  name: 'test',
  split: 'dev',
  queries: [{ qid: 'q', text: 'rain' }],
  qrels: new Map([
    [
      'q',
      new Map([
        ['d007', 1],
        ['d150', 1],
        ['d008', 0],
      ]),
    ],
  ]),
  documentCount: 300,
  async *documents() {
    yield* documents;
  },
  countDocuments: async () => 300,
};

const open = (): Promise<SparseEncoder> =>
  SparseEncoder.load(tinyModel, { engine: new CountingEngine({ dimensions: 118 }) });

describe('evaluateOnDev', () => {
  it('measures the encoder, to the depth of each measure', async () => {
    // d007 is first; d150 is one of 299 ties, at rank 151: 1 + 149 with a greater docid + 1
    const names = ['R@200', 'RR@10', 'R@150', 'AP'];
    const { measures, queryActiveDims, documentActiveDims, flops } = await evaluateOnDev(
      await open(),
      collection,
      names,
    );
    expect([...measures.keys()]).toEqual(names);
    expect(measures.get('RR@10')).toBe(1);
    expect(measures.get('R@200')).toBe(1);
    expect(measures.get('R@150')).toBe(0.5);
    expect(measures.get('AP')).toBeCloseTo((1 + 2 / 151) / 2, 12);
    expect([queryActiveDims, documentActiveDims, flops]).toEqual([3, 3, 3]);
  });

  it('stops when the signal fires', async () => {
    await expect(evaluateOnDev(await open(), collection, ['RR@10'], AbortSignal.abort())).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  });
});

describe('sampleCollection', () => {
  const docids = async (sample: BeirCollection): Promise<string[]> => {
    const found: string[] = [];
    for await (const { docid } of sample.documents()) found.push(docid);
    expect(await sample.countDocuments()).toBe(found.length);
    expect(sample.documentCount).toBe(found.length);
    return found;
  };

  it('has the judged documents and others, drawn by the seed', async () => {
    const first = await docids(await sampleCollection(collection, 20, 1));
    expect(first).toHaveLength(20);
    expect(new Set(first).size).toBe(20);
    expect(first).toEqual(expect.arrayContaining(['d007', 'd008', 'd150']));
    expect(await docids(await sampleCollection(collection, 20, 1))).toEqual(first);
    expect(await docids(await sampleCollection(collection, 20, 2))).not.toEqual(first);
  });

  it('has the judged documents where fewer are wanted, and all where more are', async () => {
    expect(await docids(await sampleCollection(collection, 1, 1))).toEqual(['d007', 'd008', 'd150']);
    expect(await docids(await sampleCollection(collection, 1000, 1))).toHaveLength(300);
  });
});
