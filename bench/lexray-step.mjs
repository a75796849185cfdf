// Lexray's side of bench/train-step.mjs: one training step a line of standard input, answers as JSON lines, as the Python peers do
// (bench/peers/protocol.py).
//
//     node bench/lexray-step.mjs --model FOLDER --batch FILE [--threads 2] [--buckets 4] [--recompute-layers]
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { openTrainingOf, peakRss, trainingBatch } from './training-step.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    batch: { type: 'string' },
    threads: { type: 'string', default: '2' },
    buckets: { type: 'string', default: '4' },
    'recompute-layers': { type: 'boolean', default: false },
  },
});
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const batch = trainingBatch(JSON.parse(readFileSync(options.batch, 'utf8')));
const training = await openTrainingOf(options.model, {
  threads: Number(options.threads),
  buckets: Number(options.buckets),
  recomputeLayers: options['recompute-layers'],
});
say({ ready: true, node: process.versions.node, peak_rss: peakRss() });
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'step') break;
  const start = performance.now();
  const cpu = process.cpuUsage();
  const { loss, gradientNorm } = await training.step(batch);
  const used = process.cpuUsage(cpu);
  say({ ms: performance.now() - start, cpu_ms: (used.user + used.system) / 1000, loss, grad_norm: gradientNorm });
}
say({ done: true, peak_rss: peakRss() });
await training.dispose();
