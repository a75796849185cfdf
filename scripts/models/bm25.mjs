// Ranks a BEIR collection by BM25 (k1 .9, b .4), for comparisons with `lexray compare`:
//
//     node scripts/models/bm25.mjs FOLDER --split eval -o run.trec [--stemming none|porter] [--queries N] [--documents N]
//
// --queries and --documents take the sample that a study with these settings takes.
import { parseArgs } from 'node:util';
import {
  Bm25,
  buildIndex,
  ExactSearcher,
  evaluateRun,
  parseMeasure,
  SparseVectorsBuilder,
  searchAll,
  writeRun,
} from '../../dist/index.js';
import { openCollection } from '../../dist/study/cells/cell-collections.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    split: { type: 'string', default: 'eval' },
    stemming: { type: 'string', default: 'none' },
    output: { type: 'string', short: 'o' },
    queries: { type: 'string' },
    documents: { type: 'string' },
    measures: { type: 'string', default: 'nDCG@10,RR@10' },
  },
});
if (positionals.length !== 1 || !options.output) {
  console.error('usage: node scripts/models/bm25.mjs FOLDER --split eval -o run.trec');
  process.exit(2);
}
const [queriesWanted, documentsWanted] = [options.queries, options.documents].map((text) => text && Number(text));
const collection = await openCollection(
  { folder: positionals[0], split: options.split, queries: queriesWanted, documents: documentsWanted },
  { at: (path) => path },
);
const { vectors, encodeQuery } = await Bm25.fit(collection.documents(), { stemming: options.stemming });
const queries = new SparseVectorsBuilder(vectors.dimensions);
for (const { qid, text } of collection.queries) queries.add(qid, encodeQuery(text));
const searcher = new ExactSearcher(buildIndex(vectors));
const run = await searchAll(searcher, queries.build(), { k: 1000 });
await searcher.dispose();
await writeRun(options.output, run, { force: true });
const { mean } = evaluateRun(collection.qrels, run, options.measures.split(',').map(parseMeasure));
console.log(
  JSON.stringify({
    data: positionals[0],
    split: options.split,
    stemming: options.stemming,
    ...Object.fromEntries(mean),
  }),
);
