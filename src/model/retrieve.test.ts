import { expect, it } from 'vitest';
import { CountingEngine } from '../../test/fixtures/counting-engine.ts';
import { tinyModel } from '../../test/fixtures/model-folders.ts';
import type { Document } from '../data/document.ts';
import type { BeirCollection } from '../data/load-beir.ts';
import { compareScoredDocuments } from '../data/run.ts';
import { encodeAll, retrieve } from './retrieve.ts';
import { SparseEncoder } from './sparse-encoder.ts';

const documents: Document[] = [
  { docid: 'a', title: 'rain', text: 'rain in the city' },
  { docid: 'b', title: '', text: 'snow snow snow' },
  { docid: 'c', title: 'city', text: '' },
  { docid: 'd', title: 'city', text: '' },
];
const collection: BeirCollection = {
  name: 'test',
  split: 'test',
  queries: [
    { qid: 'q2', text: 'city rain' },
    { qid: 'q1', text: 'snow' },
  ],
  qrels: new Map(),
  documentCount: undefined,
  async *documents() {
    yield* documents;
  },
  countDocuments: async () => documents.length,
};

const open = (): Promise<SparseEncoder> =>
  SparseEncoder.load(tinyModel, { engine: new CountingEngine({ dimensions: 118 }) });

it('ranks by the dot product, ties by docid descending', async () => {
  const encoder = await open();
  const { run, queries, documents: vectors, index } = await retrieve(encoder, collection);
  expect(queries.ids).toEqual(['q2', 'q1']);
  expect(vectors.ids).toEqual(['a', 'b', 'c', 'd']);
  expect(index.documentCount).toBe(4);
  // [CLS] and [SEP] are in every text: two points for every pair
  expect(run).toEqual(
    new Map([
      [
        'q2',
        [
          { docid: 'a', score: 5 },
          { docid: 'd', score: 3 },
          { docid: 'c', score: 3 },
          { docid: 'b', score: 2 },
        ],
      ],
      [
        'q1',
        [
          { docid: 'b', score: 5 },
          { docid: 'd', score: 2 },
          { docid: 'c', score: 2 },
          { docid: 'a', score: 2 },
        ],
      ],
    ]),
  );
  for (const ranked of run.values()) expect(ranked).toEqual([...ranked].sort(compareScoredDocuments));
});

it('keeps k documents and the heaviest terms', async () => {
  const encoder = await open();
  const { run, documents: vectors } = await retrieve(encoder, collection, { k: 1, maxActiveDims: 1 });
  expect([...run].map(([qid, ranked]) => [qid, ranked.map(({ docid }) => docid)])).toEqual([
    ['q2', ['d']],
    ['q1', ['d']],
  ]);
  expect(vectors.row(1)).toEqual({
    indices: Uint32Array.of(encoder.tokenizer.id('snow')!),
    values: Float32Array.of(3),
  });
});

it('stops when the signal fires', async () => {
  const encoder = await open();
  await expect(retrieve(encoder, collection, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'INTERRUPTED',
  });
});

it('encodes named texts in their order', async () => {
  const encoder = await open();
  const texts = Array.from({ length: 1100 }, (_, i) => ({ id: `t${i}`, text: 'rain '.repeat(i % 3) }));
  const vectors = await encodeAll(encoder, texts, { kind: 'query' });
  expect(vectors.ids).toEqual(texts.map(({ id }) => id));
  const rain = encoder.tokenizer.id('rain')!;
  texts.forEach((_, i) => {
    const { indices, values } = vectors.row(i);
    expect(indices.indexOf(rain) === -1 ? 0 : values[indices.indexOf(rain)]).toBe(i % 3);
  });
});
