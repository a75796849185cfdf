// One step of masked language modelling (forward, backward, clipping, AdamW) of Lexray beside PyTorch, in turns in one run, on
// the same weights, tokens and masks. Dropout is off on both sides. It fails when loss or gradient norm of the first step differ.
//
//     LEXRAY_PEER_PYTHON=st62/bin/python node bench/pretrain-step.mjs --model FOLDER [--rounds 5] [--threads 2]
//         [--peers masked,full,masked-mkl] [--batch 32] [--length 128] [--rate 0.15] [--softmax-mb 256] [--json FILE]
//
// The model comes from bench/peers/make_model.py (--vocabulary 30522 or 100000). `masked` is PyTorch with logits at masked
// positions only, `full` transformers' own loss; `masked-mkl` is `masked` with LEXRAY_MKL_PRELOAD (mkl_intel.c) preloaded.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint } from '../dist/checkpoint/checkpoint.js';
import { openOrtEngine } from '../dist/compute/runtime/ort-engine.js';
import { modelVariables } from '../dist/model/splade-graph.js';
import { MaskedStep } from '../dist/train/pretrain/masked-step.js';
import { Random } from '../dist/util/random.js';
import { median, printTable, startPeer } from './peer.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    peers: { type: 'string', default: 'masked,full' },
    batch: { type: 'string', default: '32' },
    length: { type: 'string', default: '128' },
    rate: { type: 'string', default: '0.15' },
    'softmax-mb': { type: 'string', default: '256' },
    json: { type: 'string' },
  },
});
const threads = Number(options.threads);
const checkpoint = await openCheckpoint(options.model);
const { config } = checkpoint;
const variables = modelVariables(config, true);
const engine = await openOrtEngine({ threads });
await engine.createVariables(variables);
for await (const { name, data } of checkpoint.loadWeights()) await engine.writeVariable(name, 'value', data);
await checkpoint.close();

const random = new Random(1);
const length = Number(options.length);
const batch = Array.from({ length: Number(options.batch) }, () => {
  const ids = Int32Array.from({ length }, () => random.integer(config.vocab_size));
  const places = random.shuffle(Array.from({ length }, (_, i) => i));
  const positions = places.slice(0, Math.round(Number(options.rate) * length)).sort((a, b) => a - b);
  const labels = positions.map((position) => ids[position]);
  for (const position of positions) ids[position] = 103;
  return { ids, positions: Int32Array.from(positions), labels: Int32Array.from(labels) };
});
const tokens = batch.length * length;
const masked = batch.reduce((sum, { positions }) => sum + positions.length, 0);
const folder = mkdtempSync(join(tmpdir(), 'lexray-bench-'));
const batchFile = join(folder, 'batch.json');
writeFileSync(
  batchFile,
  JSON.stringify(batch.map((one) => Object.fromEntries(Object.entries(one).map(([name, data]) => [name, [...data]])))),
);

const softmaxBytes = Number(options['softmax-mb']) * 2 ** 20;
const training = new MaskedStep(engine, config, { buckets: 1, dropoutRate: 0, softmaxBytes });
const withoutDecay = new Set(variables.filter(({ dims }) => dims.length < 2).map(({ name }) => name));
let step = 0;
async function lexrayStep() {
  step++;
  const start = performance.now();
  const cpu = process.cpuUsage();
  const { loss } = await training.run(batch, { seed: 0, step });
  const { gradientNorm } = await engine.adamW({
    step,
    learningRate: 5e-4,
    beta1: 0.9,
    beta2: 0.98,
    epsilon: 1e-6,
    weightDecay: 0.01,
    withoutDecay,
    maxGradientNorm: 1,
  });
  const used = process.cpuUsage(cpu);
  const cpu_ms = (used.user + used.system) / 1000;
  return { ms: performance.now() - start, cpu_ms, loss, grad_norm: gradientNorm };
}

const sides = [{ name: 'Lexray', ask: lexrayStep }];
for (const name of options.peers.split(',').filter(Boolean)) {
  const [head, mkl] = name.split('-');
  const preload = mkl ? { LD_PRELOAD: process.env.LEXRAY_MKL_PRELOAD ?? '' } : {};
  const args = ['--model', options.model, '--batch', batchFile, '--head', head, '--threads', String(threads)];
  const peer = await startPeer('pretrain_step.py', args, preload);
  sides.push({ name: `PyTorch ${name}`, ask: () => peer.ask('step'), peer });
}
for (const side of sides) {
  side.steps = [];
  side.first = await side.ask(); // warm-up
}
// PyTorch adds up the squares of a tensor in float32: over 38 million of equal size its norm is 2.7e-3 too small.
const allowed = { loss: 1e-5, grad_norm: 1e-3 };
for (const { name, first } of sides.slice(1)) {
  for (const [figure, most] of Object.entries(allowed)) {
    const expected = sides[0].first[figure];
    if (!(Math.abs(first[figure] / expected - 1) < most)) {
      throw new Error(`${name}: ${figure} ${first[figure]}, but Lexray's is ${expected}`);
    }
  }
}
const load = [loadavg()[0]];
for (let round = 0; round < Number(options.rounds); round++) {
  for (const side of sides) side.steps.push(await side.ask());
}
const results = [];
for (const { name, first, steps, peer } of sides) {
  const peak = peer ? (await peer.quit()).peak_rss : process.resourceUsage().maxRSS * 1024;
  const ms = steps.map((one) => one.ms);
  results.push({
    name,
    ms,
    cpuMs: steps.map((one) => one.cpu_ms),
    medianMs: median(ms),
    tokensPerSecond: (tokens / median(ms)) * 1000,
    peakRss: peak,
    losses: [first, ...steps].map((one) => one.loss),
    gradientNorms: [first, ...steps].map((one) => one.grad_norm),
  });
}
load.push(loadavg()[0]);
await engine.dispose();
rmSync(folder, { recursive: true });

const [own] = results;
const versions = sides.find(({ peer }) => peer)?.peer.ready ?? {};
console.log(
  `${cpus()[0].model.trim()}, ${threads} threads, Node ${process.versions.node}, torch ${versions.torch}, transformers ${versions.transformers}; load ${load.map((x) => x.toFixed(1)).join(' to ')}`,
);
console.log(
  `${basename(options.model)}: ${config.num_hidden_layers} layers × ${config.hidden_size}, V = ${config.vocab_size}; ${batch.length} sequences of ${length} tokens, ${masked} masked; medians of ${options.rounds} in turns`,
);
printTable([
  ['', 'median ms', 'tokens/s', 'ratio', 'CPU ms', 'ratio', 'peak RSS MB', 'ratio', 'loss', 'gradient norm'],
  ...results.map(({ name, medianMs, tokensPerSecond, cpuMs, peakRss, losses, gradientNorms }) => [
    name,
    medianMs.toFixed(0),
    tokensPerSecond.toFixed(0),
    `${(medianMs / own.medianMs).toFixed(2)}×`,
    median(cpuMs).toFixed(0),
    `${(median(cpuMs) / median(own.cpuMs)).toFixed(2)}×`,
    (peakRss / 1e6).toFixed(0),
    `${(peakRss / own.peakRss).toFixed(2)}×`,
    losses[0].toFixed(5),
    gradientNorms[0].toFixed(4),
  ]),
]);
if (options.json)
  writeFileSync(
    options.json,
    `${JSON.stringify({ cpu: cpus()[0].model, node: process.versions.node, threads, load, versions, model: basename(options.model), config, tokens, masked, results }, null, 1)}\n`,
  );
