// Lexray's side of bench/encode.mjs: all texts are encoded at each line of standard input, answers as JSON lines, as the Python
// peers do (bench/peers/protocol.py).
//
//     node bench/lexray-encode.mjs --model FOLDER --texts FILE [--limit N] [--max-length 256] [--weights float32] [--threads 2]
//         [--batch-size N] [--vectors FILE]
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { readTexts } from '../dist/data/read-texts.js';
import { SparseEncoder } from '../dist/model/sparse-encoder.js';
import { peakRss } from './training-step.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    texts: { type: 'string' },
    limit: { type: 'string' },
    'max-length': { type: 'string', default: '256' },
    weights: { type: 'string', default: 'float32' },
    threads: { type: 'string', default: '2' },
    'batch-size': { type: 'string' },
    vectors: { type: 'string' },
  },
});
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const texts = [];
for await (const { text } of readTexts(options.texts)) if (texts.push(text) === Number(options.limit)) break;
// Where the peer's batches are given, only their number of texts limits them.
const batches = options['batch-size'] && {
  batchSize: Number(options['batch-size']),
  batchTokens: Number.POSITIVE_INFINITY,
};
const encoder = await SparseEncoder.load(options.model, {
  threads: Number(options.threads),
  maxLength: Number(options['max-length']),
  weights: options.weights,
});
say({ ready: true, node: process.versions.node, texts: texts.length, peak_rss: peakRss() });
let unwritten = options.vectors;
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'encode') break;
  const start = performance.now();
  const cpu = process.cpuUsage();
  const vectors = [];
  let entries = 0;
  for await (const vector of encoder.encode(texts, { kind: 'document', ...batches })) {
    entries += vector.indices.length;
    vectors.push(vector);
  }
  const used = process.cpuUsage(cpu);
  const ms = performance.now() - start;
  if (unwritten) write(vectors, unwritten);
  unwritten = undefined;
  say({ ms, cpu_ms: (used.user + used.system) / 1000, texts: texts.length, active_dims: entries / texts.length });
}
say({ done: true, peak_rss: peakRss() });
await encoder.dispose();

/** The files that bench/peers/encode.py describes. */
function write(vectors, path) {
  const offsets = new BigInt64Array(vectors.length + 1);
  vectors.forEach(({ indices }, i) => {
    offsets[i + 1] = offsets[i] + BigInt(indices.length);
  });
  writeFileSync(`${path}.offsets`, offsets);
  writeFileSync(
    `${path}.indices`,
    Buffer.concat(vectors.map(({ indices }) => Buffer.from(Int32Array.from(indices).buffer))),
  );
  writeFileSync(
    `${path}.values`,
    Buffer.concat(vectors.map(({ values }) => Buffer.from(Float32Array.from(values).buffer))),
  );
}
