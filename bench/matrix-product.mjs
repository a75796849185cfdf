// GFLOP/s of onnxruntime's matrix product by the number of rows, in the three forms of a training step: forward x·Wᵀ, backward to x
// g·W, backward to W gᵀ·x. Fewer rows at a time than a batch has tokens are faster: they stay in the caches.
//
//     node bench/matrix-product.mjs [--threads 2] [--width 384] [--rows 128,256,512,1024,2048,4096]
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Graph } from '../dist/compute/graph/graph.js';
import { toOnnx } from '../dist/compute/graph/onnx-writer.js';
import { median, printTable } from './peer.mjs';

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    width: { type: 'string', default: '384' },
    rows: { type: 'string', default: '128,256,512,1024,2048,4096' },
  },
});
const width = Number(options.width);
const inner = 4 * width;

/** Median GFLOP/s of a product, [m, k]·[k, n] after the transpositions. */
async function measure(m, k, n, transA, transB) {
  const graph = new Graph();
  const dims = { a: transA ? [k, m] : [m, k], b: transB ? [n, k] : [k, n] };
  const inputs = Object.entries(dims).map(([name, shape]) => graph.feed(name, 'float32', shape));
  for (let i = 0; i < 6; i++) {
    const attributes = { transA: Number(transA), transB: Number(transB) };
    const [product] = graph.node('Gemm', inputs, [{ dtype: 'float32', dims: [m, n] }], attributes);
    graph.output(`most${i}`, graph.node('ReduceMax', [product], [{ dtype: 'float32', dims: [1, 1] }])[0]);
  }
  const folder = mkdtempSync(join(tmpdir(), 'lexray-bench-'));
  const session = await InferenceSession.create(toOnnx(graph), {
    intraOpNumThreads: Number(options.threads),
    graphOptimizationLevel: 'disabled',
    enableMemPattern: false,
    enableProfiling: true,
    profileFilePrefix: join(folder, 'profile'),
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const feeds = Object.fromEntries(
    Object.entries(dims).map(([name, shape]) => [
      name,
      new Tensor('float32', new Float32Array(shape[0] * shape[1]).fill(0.5), shape),
    ]),
  );
  for (let i = 0; i < 4; i++) await session.run(feeds);
  session.endProfiling();
  await session.release();
  const events = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]), 'utf8'));
  rmSync(folder, { recursive: true });
  const times = events.filter(({ args, name }) => args?.op_name === 'Gemm' && name.endsWith('kernel_time'));
  return (2 * m * k * n) / median(times.slice(6).map(({ dur }) => dur)) / 1000;
}

const rows = options.rows.split(',').map(Number);
const table = [];
for (const count of rows) {
  const rates = [
    await measure(count, width, inner, false, true),
    await measure(count, inner, width, false, true),
    await measure(count, width, inner, false, false),
    await measure(count, inner, width, false, false),
    await measure(inner, count, width, true, false),
    await measure(width, count, inner, true, false),
  ];
  table.push([String(count), ...rates.map((rate) => rate.toFixed(0))]);
}
console.log(`${cpus()[0].model.trim()}, ${options.threads} threads, Node ${process.versions.node}; GFLOP/s, medians`);
const layers = [`${width} to ${inner}`, `${inner} to ${width}`];
printTable([
  ['rows', ...['x·Wᵀ', 'g·W', 'gᵀ·x'].flatMap((form) => layers.map((layer) => `${form} ${layer}`))],
  ...table,
]);
