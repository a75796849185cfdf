// Encoding texts: Lexray beside sentence-transformers' SparseEncoder.encode, in turns in one run; both tokenize and sort by
// length themselves.
//
//     LEXRAY_PEER_PYTHON=st62/bin/python node bench/encode.mjs --model FOLDER --texts corpus.jsonl [--limit 1000]
//         [--max-length 256] [--batch-size 32] [--rounds 3] [--threads 2] [--json FILE]
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { readTexts } from '../dist/data/read-texts.js';
import { SparseEncoder } from '../dist/model/sparse-encoder.js';
import { median, printTable, startPeer } from './peer.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    texts: { type: 'string' },
    limit: { type: 'string', default: '1000' },
    'max-length': { type: 'string', default: '256' },
    'batch-size': { type: 'string', default: '32' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
});
const texts = [];
for await (const { text } of readTexts(options.texts)) {
  if (texts.push(text) === Number(options.limit)) break;
}
const encoder = await SparseEncoder.load(options.model, {
  threads: Number(options.threads),
  maxLength: Number(options['max-length']),
});
async function encode() {
  const start = performance.now();
  const cpu = process.cpuUsage();
  let active = 0;
  for await (const { indices } of encoder.encode(texts, { kind: 'document' })) active += indices.length;
  const used = process.cpuUsage(cpu);
  return {
    ms: performance.now() - start,
    cpu_ms: (used.user + used.system) / 1000,
    active_dims: active / texts.length,
  };
}
const peer = await startPeer('encode.py', [
  '--model',
  options.model,
  '--texts',
  options.texts,
  '--limit',
  options.limit,
  '--max-length',
  options['max-length'],
  '--batch-size',
  options['batch-size'],
  '--threads',
  options.threads,
]);
const sides = [
  { name: 'Lexray', ask: encode, runs: [] },
  { name: `sentence-transformers ${peer.ready['sentence-transformers']}`, ask: () => peer.ask('encode'), runs: [] },
];
for (const { ask } of sides) await ask(); // warm-up
for (let round = 0; round < Number(options.rounds); round++) for (const side of sides) side.runs.push(await side.ask());
const peaks = [process.resourceUsage().maxRSS * 1024, (await peer.quit()).peak_rss];
await encoder.dispose();

const own = median(sides[0].runs.map(({ ms }) => ms));
console.log(
  `${cpus()[0].model.trim()}, ${options.threads} threads, Node ${process.versions.node}, torch ${peer.ready.torch}`,
);
console.log(
  `${basename(options.model)}, ${texts.length} texts of ${basename(options.texts)}, at most ${options['max-length']} tokens, peer's batch ${options['batch-size']}`,
);
printTable([
  ['', 'texts/s', 'ratio', 'CPU ms', 'peak RSS MB', 'active dims'],
  ...sides.map(({ name, runs }, i) => {
    const ms = median(runs.map((run) => run.ms));
    return [
      name,
      ((texts.length / ms) * 1000).toFixed(0),
      `${(ms / own).toFixed(2)}×`,
      median(runs.map((run) => run.cpu_ms)).toFixed(0),
      (peaks[i] / 1e6).toFixed(0),
      runs[0].active_dims.toFixed(2),
    ];
  }),
]);
if (options.json)
  writeFileSync(
    options.json,
    `${JSON.stringify({ cpu: cpus()[0].model, node: process.versions.node, peer: peer.ready, options: { ...options, model: basename(options.model), texts: basename(options.texts) }, sides: sides.map(({ name, runs }, i) => ({ name, runs, peakRss: peaks[i] })) }, null, 1)}\n`,
  );
