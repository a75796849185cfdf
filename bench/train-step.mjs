// One training step (forward, backward, clipping, AdamW) of Lexray beside PyTorch and sentence-transformers, in turns in
// one run, on the same weights and tokens. Dropout is off on both sides.
//
//     LEXRAY_PEER_PYTHON=st62/bin/python node bench/train-step.mjs --model FOLDER --batch FILE [--rounds 5] [--threads 2]
//         [--peers st,naive,max-first] [--buckets 4] [--json FILE]
//
// Model and batch come from bench/peers/make_model.py and make_batch.py.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { openModelFolder } from '../dist/checkpoint/layouts/model-folder.js';
import { openOrtEngine } from '../dist/compute/runtime/ort-engine.js';
import { modelVariables } from '../dist/model/splade-graph.js';
import { InfoNceLoss } from '../dist/train/losses/info-nce.js';
import { Objective } from '../dist/train/objective.js';
import { FlopsRegularizer } from '../dist/train/regularizers/flops.js';
import { TransformerSide } from '../dist/train/side-encoder.js';
import { SingleGraphStep } from '../dist/train/training-step.js';
import { median, printTable, startPeer } from './peer.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    batch: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    peers: { type: 'string', default: 'st,naive,max-first' },
    buckets: { type: 'string', default: '4' },
    json: { type: 'string' },
  },
});
const threads = Number(options.threads);
const peerArguments = {
  st: ['--impl', 'st'],
  naive: ['--impl', 'plain', '--head', 'naive'],
  'max-first': ['--impl', 'plain', '--head', 'max-first'],
  active: ['--impl', 'plain', '--head', 'active'],
  bf16: ['--impl', 'st', '--autocast-bf16'],
};

const batch = JSON.parse(readFileSync(options.batch, 'utf8'));
const model = await openModelFolder(options.model);
const config = model.checkpoint.config;
const variables = modelVariables(config, true);
const engine = await openOrtEngine({ threads });
await engine.createVariables(variables);
for await (const { name, data } of model.checkpoint.loadWeights()) await engine.writeVariable(name, 'value', data);
const side = new TransformerSide(config, { activation: 'relu', buckets: Number(options.buckets), dropoutRate: 0 });
const objective = new Objective({
  losses: [{ loss: new InfoNceLoss(), weight: 1 }],
  regularizers: [
    { part: 'query_regularizer_loss', regularizer: new FlopsRegularizer(), side: 'queries' },
    { part: 'document_regularizer_loss', regularizer: new FlopsRegularizer(), side: 'documents' },
  ],
});
const training = new SingleGraphStep(engine, { shared: side }, objective);
const ids = (lists) => lists.map((list) => Int32Array.from(list));
const trainingBatch = {
  queries: ids(batch.queries),
  documents: ids([...batch.positives, ...batch.negatives]),
  otherPositives: [],
  ownNegatives: [],
  teacherScores: [],
};
let step = 0;
async function lexrayStep() {
  step++;
  const start = performance.now();
  const cpu = process.cpuUsage();
  const regularizerWeights = { query_regularizer_loss: 0.05, document_regularizer_loss: 0.003 };
  const settings = { regularizerWeights, seed: 0, step };
  const { loss } = await training.run(trainingBatch, settings);
  await engine.adamW({
    step,
    learningRate: 2e-5,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    withoutDecay: new Set(),
    maxGradientNorm: 1,
  });
  const used = process.cpuUsage(cpu);
  return { ms: performance.now() - start, cpu_ms: (used.user + used.system) / 1000, loss };
}

const sides = [{ name: 'Lexray', ask: lexrayStep }];
for (const name of options.peers.split(',').filter(Boolean)) {
  const args = [
    ...peerArguments[name],
    '--model',
    options.model,
    '--batch',
    options.batch,
    '--threads',
    String(threads),
  ];
  const peer = await startPeer('train_step.py', args);
  sides.push({ name: name === 'st' ? 'sentence-transformers' : `PyTorch ${name}`, ask: () => peer.ask('step'), peer });
}
for (const side of sides) {
  side.steps = [];
  await side.ask(); // warm-up
}
for (let round = 0; round < Number(options.rounds); round++) {
  for (const side of sides) side.steps.push(await side.ask());
}
const results = [];
for (const { name, steps, peer } of sides) {
  const peak = peer ? (await peer.quit()).peak_rss : process.resourceUsage().maxRSS * 1024;
  const ms = steps.map((one) => one.ms);
  results.push({
    name,
    ms,
    cpuMs: steps.map((one) => one.cpu_ms),
    medianMs: median(ms),
    peakRss: peak,
    losses: steps.map((one) => one.loss),
  });
}
await engine.dispose();
await model.close();

const [own] = results;
const versions = sides.find(({ peer }) => peer)?.peer.ready ?? {};
console.log(
  `${cpus()[0].model.trim()}, ${threads} threads, Node ${process.versions.node}, torch ${versions.torch}, sentence-transformers ${versions['sentence-transformers']}`,
);
console.log(
  `${basename(options.model)}: ${config.num_hidden_layers} layers × ${config.hidden_size}, V = ${config.vocab_size}; ${basename(options.batch)}: ${JSON.stringify(batch.tokens)} tokens`,
);
printTable([
  ['', 'median ms', 'ratio', 'CPU ms', 'peak RSS MB', 'first loss'],
  ...results.map(({ name, medianMs, cpuMs, peakRss, losses }) => [
    name,
    medianMs.toFixed(0),
    `${(medianMs / own.medianMs).toFixed(2)}×`,
    median(cpuMs).toFixed(0),
    (peakRss / 1e6).toFixed(0),
    losses[0]?.toFixed(6) ?? '',
  ]),
]);
if (options.json)
  writeFileSync(
    options.json,
    `${JSON.stringify({ cpu: cpus()[0].model, node: process.versions.node, versions, model: basename(options.model), config, batch: basename(options.batch), tokens: batch.tokens, results }, null, 1)}\n`,
  );
