// What float16 and int8 weights cost: each collection is encoded and searched with each kind of weights, in one process after
// another; runs are compared query by query with that of float32, vectors entry by entry.
//
//     node bench/encode-precision.mjs --model FOLDER --collections DIR:SPLIT,DIR:SPLIT [--weights float32,float16,int8]
//         [--max-length 256] [--threads 2] [--samples 10000] [--json FILE]
//
// Loaded MB is the resident set of the process with the model in memory and nothing encoded, less that of one in which only the
// engine is open. texts/s is of documents, once, by the clock: bench/encode.mjs is what compares speed.
import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openOrtEngine } from '../dist/compute/runtime/ort-engine.js';
import { loadBeir } from '../dist/data/load-beir.js';
import { compareRuns } from '../dist/evaluate/compare-runs.js';
import { retrievalCost } from '../dist/evaluate/retrieval-cost.js';
import { retrieve } from '../dist/model/retrieve.js';
import { SparseEncoder } from '../dist/model/sparse-encoder.js';
import { printTable } from './peer.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    collections: { type: 'string' },
    weights: { type: 'string', default: 'float32,float16,int8' },
    'max-length': { type: 'string', default: '256' },
    threads: { type: 'string', default: '2' },
    samples: { type: 'string', default: '10000' },
    json: { type: 'string' },
  },
});
if (process.send) {
  process.on('message', async (precision) => {
    process.send(await encodeAll(precision), () => process.exit());
  });
} else {
  await main();
}

async function main() {
  const results = {};
  for (const precision of ['none', ...options.weights.split(',')]) results[precision] = await inChild(precision);
  const { none, float32, ...others } = results;
  const rows = [['', 'nDCG@10', 'difference, 95 % interval', 'max |Δ|', 'mean |Δ|', 'active q / d', 'texts/s']];
  const figures = [];
  for (const [at, name] of options.collections.split(',').entries()) {
    const [folder, split] = name.split(':');
    const { qrels } = await loadBeir(folder, { split });
    for (const [precision, { collections }] of Object.entries({ float32, ...others })) {
      const [ours, theirs] = [collections[at], float32.collections[at]];
      const { measures } = compareRuns(qrels, new Map(theirs.run), new Map(ours.run), ['nDCG@10'], {
        samples: Number(options.samples),
      });
      const [{ b, difference, perQuery }] = measures;
      const changed = perQuery.filter((query) => query.difference !== 0).length;
      const delta = ['queries', 'documents'].map((side) => compareVectors(theirs[side], ours[side]));
      const largest = Math.max(...delta.map((one) => one.largest));
      const mean = delta[1].mean;
      const sign = (x) => (x < 0 ? '−' : '+') + Math.abs(x).toFixed(4);
      figures.push({
        ...{ collection: basename(folder), split, precision, queries: qrels.size, ndcg: b.mean, difference, changed },
        ...{ largestDifference: largest, meanDifference: mean, unshared: delta[1].unshared, cost: ours.cost },
        ...{ textsPerSecond: ours.textsPerSecond },
      });
      rows.push([
        `${basename(folder)} ${split} (${qrels.size}), ${precision}`,
        b.mean.toFixed(4),
        precision === 'float32' ? '' : `${sign(difference.mean)} [${sign(difference.low)}, ${sign(difference.high)}]`,
        largest.toExponential(1),
        mean.toExponential(1),
        `${ours.cost.queryActiveDims.toFixed(1)} / ${ours.cost.documentActiveDims.toFixed(1)}`,
        ours.textsPerSecond.toFixed(0),
      ]);
    }
  }
  console.log(
    `${cpus()[0].model.trim()}, ${options.threads} threads, Node ${process.versions.node}; ${basename(options.model)}, at most ${options['max-length']} tokens`,
  );
  printTable(rows);
  const memory = Object.fromEntries(
    Object.entries({ float32, ...others }).map(([precision, { loaded }]) => [precision, loaded - none.loaded]),
  );
  console.log(
    `loaded MB: ${Object.entries(memory)
      .map(([precision, bytes]) => `${precision} ${(bytes / 1e6).toFixed(0)}`)
      .join(', ')}`,
  );
  if (options.json) {
    const described = {
      ...options,
      model: basename(options.model),
      collections: figures.map(({ collection, split }) => `${collection}:${split}`),
    };
    writeFileSync(
      options.json,
      `${JSON.stringify({ cpu: cpus()[0].model, node: process.versions.node, options: described, memory, figures }, null, 1)}\n`,
    );
  }
}

function inChild(precision) {
  const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
    serialization: 'advanced',
    execArgv: ['--expose-gc'],
  });
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('close', (code) => reject(new Error(`the child ended with ${code}`)));
    child.send(precision);
  });
}

async function encodeAll(precision) {
  const threads = Number(options.threads);
  if (precision === 'none') {
    const engine = await openOrtEngine({ threads });
    const loaded = resident();
    await engine.dispose();
    return { loaded };
  }
  const maxLength = Number(options['max-length']);
  const encoder = await SparseEncoder.load(options.model, { threads, maxLength, weights: precision });
  const loaded = resident();
  const collections = [];
  for (const name of options.collections.split(',')) {
    const [folder, split] = name.split(':');
    const { run, queries, documents, seconds } = await retrieve(encoder, await loadBeir(folder, { split }), { k: 100 });
    collections.push({
      ...{ run: [...run], queries: plain(queries), documents: plain(documents) },
      cost: retrievalCost(queries, documents),
      textsPerSecond: documents.length / seconds.encodeDocuments,
    });
  }
  await encoder.dispose();
  return { loaded, collections };
}

function resident() {
  globalThis.gc();
  const [, kilobytes] = readFileSync('/proc/self/status', 'utf8').match(/VmRSS:\s*(\d+)/);
  return Number(kilobytes) * 1024;
}

function plain(vectors) {
  return Array.from({ length: vectors.length }, (_, i) => vectors.row(i));
}

/** Largest and mean difference of weights over the entries of either side (one that is missing is 0). */
function compareVectors(a, b) {
  let [largest, sum, entries, unshared] = [0, 0, 0, 0];
  for (const [row, { indices, values }] of a.entries()) {
    const weights = new Map(Array.from(indices, (term, i) => [term, values[i]]));
    b[row].indices.forEach((term, i) => {
      const before = weights.get(term);
      if (before === undefined) unshared++;
      weights.set(term, (before ?? 0) - b[row].values[i]);
    });
    const theirs = new Set(b[row].indices);
    for (const term of indices) if (!theirs.has(term)) unshared++;
    for (const difference of weights.values()) {
      largest = Math.max(largest, Math.abs(difference));
      sum += Math.abs(difference);
    }
    entries += weights.size;
  }
  return { largest, mean: sum / Math.max(1, entries), unshared };
}
