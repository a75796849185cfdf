// How time and memory of a training step grow with the tokens of a batch, their length, the vocabulary and the layers: random
// models of BERT's form, every point in a process of its own. Writes tables, a JSON file, and plots from it.
//
//     node bench/scaling.mjs [--json FILE] [--plots FOLDER] [--steps 3] [--threads 2] [--peak GFLOPS]
//         [--only tokens,length,vocabulary,layers]
//     node bench/scaling.mjs --from FILE,... --plots FOLDER    draws the plots of earlier figures
//
// --peak is the machine's rate of multiply-adds in GFLOP/s (bench/fma-peak.c), of which shares are then told.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, printTable } from './peer.mjs';

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    from: { type: 'string' },
    plots: { type: 'string' },
    steps: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    only: { type: 'string', default: 'tokens,length,vocabulary,layers' },
    peak: { type: 'string', default: '0' },
    point: { type: 'string' },
  },
});

// 16 texts in groups of a query and a document: equal lengths, so that nothing is won by leaving out padding.
const base = { layers: 6, hidden: 384, vocabulary: 30522, texts: 16, length: 128 };
const sweeps = {
  tokens: { unit: 'tokens', points: [4, 8, 16, 32, 64, 128].map((texts) => ({ ...base, texts })) },
  length: {
    unit: 'tokens of a text',
    points: [32, 64, 128, 256, 512].map((length) => ({ ...base, length, texts: 4096 / length })),
  },
  vocabulary: {
    unit: 'terms',
    points: [30522, 60000, 100000, 150000, 200000, 250000].map((vocabulary) => ({ ...base, vocabulary })),
  },
  layers: { unit: 'layers', points: [1, 2, 4, 6, 8, 12].map((layers) => ({ ...base, layers })) },
};
const across = {
  tokens: ({ texts, length }) => texts * length,
  length: ({ length }) => length,
  vocabulary: ({ vocabulary }) => vocabulary,
  layers: ({ layers }) => layers,
};

if (options.point !== undefined) await measurePoint(JSON.parse(options.point));
else if (options.from !== undefined)
  for (const file of options.from.split(',')) await draw(JSON.parse(readFileSync(file, 'utf8')));
else await measureAll();

async function measureAll() {
  const peak = Number(options.peak);
  const result = {
    cpu: cpus()[0].model,
    node: process.versions.node,
    threads: Number(options.threads),
    peakGflops: peak,
    load: [loadavg()[0]],
    sweeps: {},
  };
  for (const name of options.only.split(',')) {
    const { unit, points } = sweeps[name];
    const measured = points.map((point) => ({ ...point, ...runPoint(point) }));
    result.sweeps[name] = { unit, points: measured };
    printTable([
      [unit, 'median ms', 'CPU ms', 'peak RSS MB', 'GFLOP', 'GFLOP/s', ...(peak ? ['of the peak'] : [])],
      ...measured.map((point) => {
        const rate = point.gflop / (point.medianMs / 1000);
        return [
          String(across[name](point)),
          point.medianMs.toFixed(0),
          point.cpuMs.toFixed(0),
          (point.peakRss / 1e6).toFixed(0),
          point.gflop.toFixed(0),
          rate.toFixed(0),
          ...(peak ? [`${((100 * rate) / peak).toFixed(0)} %`] : []),
        ];
      }),
    ]);
    console.log();
  }
  result.load.push(loadavg()[0]);
  console.log(`load ${result.load.map((x) => x.toFixed(1)).join(' to ')}`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(result, null, 1)}\n`);
  if (options.plots) await draw(result);
}

function runPoint(point) {
  const args = [fileURLToPath(import.meta.url), '--point', JSON.stringify(point)];
  const child = spawnSync(process.execPath, [...args, '--steps', options.steps, '--threads', options.threads], {
    encoding: 'utf8',
  });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout);
}

async function measurePoint({ layers, hidden, vocabulary, texts, length }) {
  const [{ openTraining, peakRss }, { bertConfigSchema }, { initializeWeights }, { Random }] = await Promise.all([
    import('./training-step.mjs'),
    import('../dist/checkpoint/families/bert-config.js'),
    import('../dist/model/initialize-weights.js'),
    import('../dist/util/random.js'),
  ]);
  const config = bertConfigSchema.parse({
    model_type: 'bert',
    vocab_size: vocabulary,
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: hidden / 32,
    intermediate_size: 4 * hidden,
    max_position_embeddings: 512,
    initializer_range: 0.04,
  });
  const weights = initializeWeights(config, { seed: 1, embeddingDeviation: hidden ** -0.5, outputBias: -3.5 });
  const training = await openTraining({ config, weights, threads: Number(options.threads) });
  const random = new Random(2);
  const side = () =>
    Array.from({ length: texts / 2 }, () => Int32Array.from({ length }, () => random.integer(vocabulary)));
  const batch = { queries: side(), documents: side(), otherPositives: [], ownNegatives: [], teacherScores: [] };
  await training.step(batch);
  const [times, cpuTimes] = [[], []];
  for (let step = 0; step < Number(options.steps); step++) {
    const start = performance.now();
    const cpu = process.cpuUsage();
    await training.step(batch);
    const used = process.cpuUsage(cpu);
    times.push(performance.now() - start);
    cpuTimes.push((used.user + used.system) / 1000);
  }
  await training.dispose();
  const gflop = floatingPointOperations({ layers, hidden, vocabulary, tokens: texts * length, length }) / 1e9;
  console.log(JSON.stringify({ medianMs: median(times), cpuMs: median(cpuTimes), peakRss: peakRss(), gflop }));
}

/** Of the matrix products: two for each weight and token forward, twice as many back; the head's products forward only. */
function floatingPointOperations({ layers, hidden, vocabulary, tokens, length }) {
  const layer = 2 * (4 * hidden ** 2 + 8 * hidden ** 2);
  // Scores and their use forward, scores once more, and four products back.
  const attention = 2 * hidden * length * 7;
  return tokens * (layers * (3 * layer + attention) + 3 * 2 * hidden ** 2 + 2 * hidden * vocabulary);
}

async function draw({ sweeps: measured, peakGflops }) {
  const { plot } = await import('../dist/report/plot/plot.js');
  mkdirSync(options.plots, { recursive: true });
  const titles = {
    tokens: ['with the tokens of a batch', 'tokens of a batch'],
    length: ['with the length of texts, 4,096 tokens a batch', 'tokens of a text'],
    vocabulary: ['with the vocabulary, 2,048 tokens a batch', 'terms of the vocabulary'],
    layers: ['with the layers, 2,048 tokens a batch', 'layers'],
  };
  for (const [name, { points }] of Object.entries(measured)) {
    const [what, label] = titles[name];
    const ofPeak = ({ gflop, medianMs }) => (100 * gflop) / (medianMs / 1000) / peakGflops;
    const kinds = [
      ['time', 'Time', 'milliseconds', ({ medianMs }) => medianMs],
      ['memory', 'Memory', 'peak resident memory, GB', ({ peakRss }) => peakRss / 1e9],
      ...(peakGflops ? [['rate', 'Rate', 'per cent of the FMA peak', ofPeak]] : []),
    ];
    for (const [kind, heading, y, value] of kinds) {
      const line = points.map((point) => ({ x: across[name](point), y: value(point) }));
      const figures = line.map((point) => `${point.x}: ${point.y.toPrecision(3)}`).join('; ');
      const svg = plot({
        title: `${heading} of a training step ${what}`,
        description: figures,
        marks: [
          { type: 'line', points: line, series: 0 },
          { type: 'points', points: line, series: 0 },
        ],
        x: { label, zero: true },
        y: { label: y, zero: true },
        width: 460,
        height: 280,
      });
      writeFileSync(join(options.plots, `step-${kind}-by-${name}.svg`), `${svg.markup}\n`);
    }
  }
}
