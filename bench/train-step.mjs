// One training step (forward, backward, clipping, AdamW) of Lexray beside PyTorch and sentence-transformers, each in a process of
// its own, in turns, on the same weights and tokens. Dropout is off on both sides.
//
//     LEXRAY_PEER_PYTHON=st62/bin/python node bench/train-step.mjs --model FOLDER --batch FILE [--rounds 5] [--threads 2]
//         [--peers st,max-first,bf16] [--mkl-intel mkl_intel.so] [--buckets 4] [--sequential] [--json FILE]
//
// Model and batch come from bench/peers/make_model.py and make_batch.py. A peer with `+mkl` behind its name has the library of
// --mkl-intel preloaded (bench/peers/mkl_intel.c); `recompute` is Lexray that computes layers once more. --sequential runs one
// process after another: for the memory of large batches.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { median, printTable, startLexray, startPeer } from './peer.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    batch: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    peers: { type: 'string', default: 'st,max-first' },
    'mkl-intel': { type: 'string' },
    buckets: { type: 'string', default: '4' },
    sequential: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const peers = {
  st: { name: 'sentence-transformers', args: ['--impl', 'st'] },
  naive: { name: 'PyTorch, head as it is', args: ['--impl', 'plain', '--head', 'naive'] },
  'max-first': { name: 'PyTorch, max first', args: ['--impl', 'plain', '--head', 'max-first'] },
  active: { name: 'PyTorch, active terms only', args: ['--impl', 'plain', '--head', 'active'] },
  bf16: { name: 'sentence-transformers, bf16 autocast', args: ['--impl', 'st', '--autocast-bf16'] },
  'max-first-bf16': {
    name: 'PyTorch, max first, bf16 autocast',
    args: ['--impl', 'plain', '--head', 'max-first', '--autocast-bf16'],
  },
};
const shared = ['--model', options.model, '--batch', options.batch, '--threads', options.threads];

const own = [...shared, '--buckets', options.buckets];
const sides = [{ name: 'Lexray', start: () => startLexray('lexray-step.mjs', own) }];
for (const key of options.peers.split(',').filter(Boolean)) {
  if (key === 'recompute') {
    const start = () => startLexray('lexray-step.mjs', [...own, '--recompute-layers']);
    sides.push({ name: 'Lexray, layers computed once more', start });
    continue;
  }
  const [base, preload] = key.split('+');
  const { name, args } = peers[base];
  const environment = preload === 'mkl' ? { LD_PRELOAD: options['mkl-intel'] } : {};
  const start = () => startPeer('train_step.py', [...args, ...shared], environment);
  sides.push({ name: preload === 'mkl' ? `${name}, MKL's AVX-512 path` : name, start });
}

const load = [loadavg()[0]];
const rounds = Number(options.rounds);
if (options.sequential) {
  for (const side of sides) {
    await open(side);
    for (let round = 0; round < rounds; round++) side.steps.push(await side.peer.ask('step'));
    await close(side);
  }
} else {
  for (const side of sides) await open(side);
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) side.steps.push(await side.peer.ask('step'));
  }
  for (const side of sides) await close(side);
}
load.push(loadavg()[0]);

async function open(side) {
  side.peer = await side.start();
  side.steps = [];
  side.warmUp = await side.peer.ask('step');
}

async function close(side) {
  side.peakRss = (await side.peer.quit()).peak_rss;
}

const results = sides.map(({ name, steps, warmUp, peakRss }) => ({
  name,
  ms: steps.map((one) => one.ms),
  cpuMs: steps.map((one) => one.cpu_ms),
  medianMs: median(steps.map((one) => one.ms)),
  peakRss,
  losses: [warmUp, ...steps].map((one) => one.loss),
  gradientNorms: [warmUp, ...steps].map((one) => one.grad_norm),
}));
const config = JSON.parse(readFileSync(join(options.model, 'config.json'), 'utf8'));
const { tokens } = JSON.parse(readFileSync(options.batch, 'utf8'));
const [first] = results;
const versions = sides.map(({ peer }) => peer.ready).find((ready) => ready.torch) ?? {};
const head = [
  `${cpus()[0].model.trim()}, ${options.threads} threads, Node ${process.versions.node}, torch ${versions.torch}, sentence-transformers ${versions['sentence-transformers']}; load ${load.map((x) => x.toFixed(1)).join(' to ')}`,
  `${basename(options.model)}: ${config.num_hidden_layers} layers × ${config.hidden_size}, V = ${config.vocab_size}; ${basename(options.batch)}: ${JSON.stringify(tokens)} tokens; medians of ${rounds}${options.sequential ? ', one process after another' : ' in turns'}`,
];
console.log(head.join('\n'));
printTable([
  ['', 'median ms', 'ratio', 'CPU ms', 'ratio', 'peak RSS MB', 'ratio', 'loss', 'gradient norm'],
  ...results.map(({ name, medianMs, cpuMs, peakRss, losses, gradientNorms }) => [
    name,
    medianMs.toFixed(0),
    `${(medianMs / first.medianMs).toFixed(2)}×`,
    median(cpuMs).toFixed(0),
    `${(median(cpuMs) / median(first.cpuMs)).toFixed(2)}×`,
    (peakRss / 1e6).toFixed(0),
    `${(peakRss / first.peakRss).toFixed(2)}×`,
    losses[0].toFixed(5),
    gradientNorms[0].toFixed(4),
  ]),
]);
if (options.json) {
  const machine = { cpu: cpus()[0].model, node: process.versions.node, load, versions };
  const what = {
    model: basename(options.model),
    config,
    batch: basename(options.batch),
    tokens,
    threads: options.threads,
  };
  writeFileSync(
    options.json,
    `${JSON.stringify({ ...machine, ...what, sequential: options.sequential, results }, null, 1)}\n`,
  );
}
