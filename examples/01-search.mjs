import { buildIndex, ExactSearcher, encodeAll, SparseEncoder } from 'lexray';

const encoder = await SparseEncoder.load(process.argv[2] ?? 'lexray-demo/model');
const documents = await encodeAll(
  encoder,
  [
    { id: 'readFile', text: 'fs promises read File : path options Promise Buffer' },
    { id: 'createServer', text: 'http create Server : request Listener Server' },
    { id: 'randomBytes', text: 'crypto random Bytes : size number Buffer' },
  ],
  { kind: 'document' },
);
const searcher = new ExactSearcher(buildIndex(documents));
const query = await encoder.encodeOne('reads the contents of a file', { kind: 'query' });
for (const { docid, score } of await searcher.search(query, { k: 3 })) console.log(docid, score.toFixed(3));

const heaviest = Array.from(query.indices, (term, i) => [encoder.tokenizer.token(term), query.values[i]]);
console.log(heaviest.sort((a, b) => b[1] - a[1]).slice(0, 5));
await searcher.dispose();
await encoder.dispose();
