// Exact search: the WebAssembly kernel beside the same term-at-a-time loops in plain JavaScript, on synthetic vectors
// shaped like SPLADE's (Zipf terms, log1p weights). A query's time is the least of some passes.
//
//     node bench/search.mjs [documents=100000] [queries=100]
import { buildIndex } from '../dist/search/inverted-index.js';
import { ExactSearcher } from '../dist/search/searchers/exact.js';
import { Random } from '../dist/util/random.js';
import { SparseVectorsBuilder } from '../dist/vectors/builder.js';
import { sparseVector } from '../dist/vectors/sparse-vector.js';

const [documentCount = 100_000, queryCount = 100] = process.argv.slice(2).map(Number);
const dimensions = 30_522;
const passes = 5;
const k = 10;

/** A vector of about `length` terms, skewed to low numbers. */
function draw(random, length) {
  const terms = new Map();
  while (terms.size < length) {
    const term =
      Math.floor(Math.exp(random.uniform() * Math.log(dimensions + 200)) + 400 * random.uniform()) % dimensions;
    terms.set(term, Math.log1p(3 * random.uniform() ** 2) + 0.01);
  }
  return sparseVector(terms);
}

const random = new Random(1);
const documents = new SparseVectorsBuilder(dimensions);
for (let i = 0; i < documentCount; i++) documents.add(`d${i}`, draw(random, 120 + random.integer(60)));
const queries = Array.from({ length: queryCount }, () => draw(random, 25 + random.integer(20)));
let started = performance.now();
const index = buildIndex(documents.build());
const seconds = ((performance.now() - started) / 1000).toFixed(2);
console.log(`${documentCount} documents, ${index.postingCount} postings, index built in ${seconds} s`);

const { offsets, indices, values } = index.postings;
const accumulators = new Float32Array(documentCount);

function plainSearch(query) {
  accumulators.fill(0);
  for (let i = 0; i < query.indices.length; i++) {
    const end = offsets[query.indices[i] + 1];
    const weight = query.values[i];
    for (let p = offsets[query.indices[i]]; p < end; p++) accumulators[indices[p]] += Math.fround(weight * values[p]);
  }
  const best = [];
  let least = 0;
  for (let document = 0; document < documentCount; document++) {
    const score = accumulators[document];
    if (score <= least) continue;
    let at = best.length < k ? best.push(null) - 1 : k - 1;
    for (; at > 0 && best[at - 1].score < score; at--) best[at] = best[at - 1];
    best[at] = { docid: index.docids[document], score };
    if (best.length === k) least = best[k - 1].score;
  }
  return best;
}

async function time(name, search) {
  const least = new Float64Array(queryCount).fill(Number.POSITIVE_INFINITY);
  for (let pass = 0; pass < passes; pass++) {
    for (const [i, query] of queries.entries()) {
      started = performance.now();
      await search(query);
      least[i] = Math.min(least[i], performance.now() - started);
    }
  }
  const mean = least.reduce((sum, value) => sum + value, 0) / queryCount;
  const p99 = least.sort()[Math.ceil(0.99 * queryCount) - 1];
  console.log(`${name}: mean ${(1000 * mean).toFixed(0)} µs, p99 ${(1000 * p99).toFixed(0)} µs a query, top ${k}`);
  return mean;
}

const exact = new ExactSearcher(index);
let touched = 0;
for (const query of queries) {
  const [a, b] = [JSON.stringify(plainSearch(query)), JSON.stringify(await exact.search(query, { k }))];
  if (a !== b) throw new Error(`the two disagree:\n${a}\n${b}`);
  for (const term of query.indices) touched += offsets[term + 1] - offsets[term];
}
console.log(`postings touched a query: ${(touched / queryCount).toFixed(0)}`);
const plain = await time('plain JavaScript', plainSearch);
const kernel = await time('ExactSearcher   ', (query) => exact.search(query, { k }));
console.log(`ratio plain / kernel: ${(plain / kernel).toFixed(2)}`);
