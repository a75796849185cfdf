// Encoding texts: Lexray beside sentence-transformers' SparseEncoder.encode, each in a process of its own, in turns; all tokenize
// and sort by length themselves. The vectors of the first encoding are compared with those of the first side.
//
//     LEXRAY_PEER_PYTHON=st62/bin/python node bench/encode.mjs --model FOLDER --texts corpus.jsonl [--limit 1000]
//         [--max-length 256] [--batch-size 32] [--sides lexray,st] [--mkl-intel mkl_intel.so] [--rounds 3] [--threads 2] [--json FILE]
//
// Sides: `lexray`, `lexray-f16`, `lexray-int8`, each with `:32` behind it for batches of so many texts, as the peers have them
// (else 4,096 tokens); `st`, `st-bf16`, `max-first` (bench/peers/encode.py), each with `+mkl` for the library of --mkl-intel, and
// `:8` for another batch than --batch-size.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { median, printTable, startLexray, startPeer } from './peer.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    texts: { type: 'string' },
    limit: { type: 'string', default: '1000' },
    'max-length': { type: 'string', default: '256' },
    'batch-size': { type: 'string', default: '32' },
    sides: { type: 'string', default: 'lexray,st' },
    'mkl-intel': { type: 'string' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
});
const precisions = {
  lexray: ['Lexray', 'float32'],
  'lexray-f16': ['Lexray, float16 weights', 'float16'],
  'lexray-int8': ['Lexray, int8 weights', 'int8'],
};
const peers = {
  st: ['sentence-transformers', []],
  'st-bf16': ['sentence-transformers, bf16', ['--bf16']],
  'max-first': ['PyTorch, max first', ['--head', 'max-first']],
};
const folder = mkdtempSync(join(tmpdir(), 'lexray-encode-'));
const shared = ['model', 'texts', 'limit', 'max-length', 'threads'].flatMap((name) => [`--${name}`, options[name]]);
const load = [loadavg()[0]];
const sides = [];
for (const [i, key] of options.sides.split(',').entries()) {
  const [word, batchSize] = key.split(':');
  const [base, preload] = word.split('+');
  const vectors = join(folder, String(i));
  const common = [...shared, '--vectors', vectors];
  const batched = batchSize ? `, batches of ${batchSize}` : '';
  if (base in precisions) {
    const [name, weights] = precisions[base];
    const args = [...common, '--weights', weights, ...(batchSize ? ['--batch-size', batchSize] : [])];
    sides.push({ name: name + batched, vectors, peer: await startLexray('lexray-encode.mjs', args), runs: [] });
  } else {
    const [name, args] = peers[base];
    const environment = preload === 'mkl' ? { LD_PRELOAD: options['mkl-intel'] } : {};
    const all = [...common, ...args, '--batch-size', batchSize ?? options['batch-size']];
    const peer = await startPeer('encode.py', all, environment);
    sides.push({ name: `${name}${preload ? ", MKL's AVX-512 path" : ''}${batched}`, vectors, peer, runs: [] });
  }
}
for (const { peer } of sides) await peer.ask('encode'); // warm-up
for (let round = 0; round < Number(options.rounds); round++) {
  for (const side of sides) side.runs.push(await side.peer.ask('encode'));
}
for (const side of sides) side.peakRss = (await side.peer.quit()).peak_rss;
load.push(loadavg()[0]);

const first = readVectors(sides[0].vectors);
for (const side of sides) side.difference = compare(first, readVectors(side.vectors));
rmSync(folder, { recursive: true });

const { texts } = sides[0].runs[0];
const times = sides.map(({ runs }) => median(runs.map(({ ms }) => ms)));
const versions = sides.map(({ peer }) => peer.ready).find((ready) => ready.torch) ?? {};
const config = JSON.parse(readFileSync(join(options.model, 'config.json'), 'utf8'));
console.log(
  `${cpus()[0].model.trim()}, ${options.threads} threads, Node ${process.versions.node}, torch ${versions.torch}, sentence-transformers ${versions['sentence-transformers']}; load ${load.map((x) => x.toFixed(1)).join(' to ')}`,
);
console.log(
  `${basename(options.model)}: ${config.num_hidden_layers} layers × ${config.hidden_size}, V = ${config.vocab_size}; ${texts} texts of ${basename(options.texts)}, at most ${options['max-length']} tokens, the peers' batches ${options['batch-size']}; medians of ${options.rounds} in turns`,
);
printTable([
  ['', 'texts/s', 'ratio', 'CPU ms', 'loaded MB', 'peak RSS MB', 'active dims', 'max |Δ|', 'only in one'],
  ...sides.map(({ name, peer, runs, peakRss, difference }, i) => [
    name,
    ((texts / times[i]) * 1000).toFixed(1),
    `${(times[i] / times[0]).toFixed(2)}×`,
    median(runs.map((run) => run.cpu_ms)).toFixed(0),
    (peer.ready.peak_rss / 1e6).toFixed(0),
    (peakRss / 1e6).toFixed(0),
    runs[0].active_dims.toFixed(2),
    difference.largest.toExponential(1),
    difference.unshared,
  ]),
]);
if (options.json) {
  const described = { ...options, model: basename(options.model), texts: basename(options.texts) };
  delete described['mkl-intel'];
  const results = sides.map(({ name, peer, runs, peakRss, difference }) => ({
    name,
    rssWhenLoaded: peer.ready.peak_rss,
    peakRss,
    difference,
    runs,
  }));
  writeFileSync(
    options.json,
    `${JSON.stringify({ cpu: cpus()[0].model, node: process.versions.node, load, versions, options: described, results }, null, 1)}\n`,
  );
}

/** Sparse rows as bench/peers/encode.py writes them. */
function readVectors(path) {
  const bytes = (name) => new Uint8Array(readFileSync(`${path}.${name}`)).buffer;
  return {
    offsets: Array.from(new BigInt64Array(bytes('offsets')), Number),
    indices: new Int32Array(bytes('indices')),
    values: new Float32Array(bytes('values')),
  };
}

/** The largest difference of weights (one that is missing is 0), and entries that only one side has. */
function compare(a, b) {
  if (a.offsets.length !== b.offsets.length) throw new Error('the sides have different numbers of vectors');
  let [largest, unshared] = [0, 0];
  const differ = (difference, missing) => {
    largest = Math.max(largest, Math.abs(difference));
    if (missing) unshared++;
  };
  for (let row = 0; row + 1 < a.offsets.length; row++) {
    let [i, j] = [a.offsets[row], b.offsets[row]];
    const [endA, endB] = [a.offsets[row + 1], b.offsets[row + 1]];
    while (i < endA || j < endB) {
      if (j === endB || (i < endA && a.indices[i] < b.indices[j])) differ(a.values[i++], true);
      else if (i === endA || b.indices[j] < a.indices[i]) differ(b.values[j++], true);
      else differ(a.values[i++] - b.values[j++], false);
    }
  }
  return { largest, unshared };
}
