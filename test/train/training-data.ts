/** Small training data in the words of the tiny model: a query of one word, a document of two others. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Document, Query } from '../../src/data/document.ts';
import type { BeirCollection } from '../../src/data/load-beir.ts';
import type { TrainingExample } from '../../src/data/read-training-examples.ts';

const words =
  'weather rain sunny snow warm cold city river stone house garden red blue dog cat bird fish tree apple bread'.split(
    ' ',
  );

/** Query `rain` belongs to the document `sunny house`, and so on. */
const pairs = words.map((word, i) => ({
  query: word,
  document: `${words[(i + 1) % words.length]} ${words[(i * 7 + 8) % words.length]}`,
}));

/** Twenty queries, each with its document and one hard negative. */
export const examples: readonly TrainingExample[] = pairs.map(({ query, document }, i) => ({
  query,
  positive: document,
  negatives: [pairs[(i + 5) % pairs.length]!.document],
}));

/** The same as a collection of dev queries. */
export function devCollection(documents?: () => AsyncGenerator<Document>): BeirCollection {
  const all: Document[] = pairs.map(({ document }, i) => ({ docid: `d${i}`, title: '', text: document }));
  const queries: Query[] = pairs.map(({ query }, i) => ({ qid: `q${i}`, text: query }));
  return {
    name: 'dev',
    split: 'dev',
    queries,
    qrels: new Map(queries.map(({ qid }, i) => [qid, new Map([[`d${i}`, 1]])])),
    documentCount: all.length,
    documents:
      documents ??
      async function* () {
        yield* all;
      },
    countDocuments: async () => all.length,
  };
}

/** Writes a BEIR folder with the splits train, dev and test; the test query is also a training query. */
export async function writeTrainingFolder(folder: string): Promise<string> {
  await mkdir(join(folder, 'qrels'), { recursive: true });
  const lines = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');
  await writeFile(
    join(folder, 'corpus.jsonl'),
    lines(pairs.map(({ document }, i) => ({ _id: `d${i}`, text: document }))),
  );
  const queries = [...pairs.map(({ query }) => query), 'how warm is the rain', 'Rain '];
  await writeFile(join(folder, 'queries.jsonl'), lines(queries.map((text, i) => ({ _id: `q${i}`, text }))));
  const qrels = (rows: readonly (readonly [number, number])[]): string =>
    `query-id\tcorpus-id\tscore\n${rows.map(([q, d]) => `q${q}\td${d}\t1\n`).join('')}`;
  await writeFile(join(folder, 'qrels', 'train.tsv'), qrels(pairs.map((_, i) => [i, i])));
  await writeFile(join(folder, 'qrels', 'dev.tsv'), qrels([[20, 1]]));
  await writeFile(join(folder, 'qrels', 'test.tsv'), qrels([[21, 1]]));
  return folder;
}

/** SHA-256 of the weights of a model folder. */
export async function weightsHash(model: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(model, 'model.safetensors')))
    .digest('hex');
}
