// Part of npm run test:soak: a training run of 10,000 steps on a model of two layers, its memory watched. Batches have another shape at every
// step, dropout is on, metrics are logged and checkpoints saved. Fails when memory grows after the first fifth.
//
//     node scripts/soak.mjs [--steps 10000] [--most 25]       --most: growth in MB that is allowed
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root, setUp } from './setup.mjs';

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '10000' }, most: { type: 'string', default: '25' } },
});
const steps = Number(values.steps);

setUp();
const { finetune } = await import(pathToFileURL(join(root, 'dist', 'train', 'finetune.js')).href);
const words =
  'weather rain sunny snow warm cold city river stone house garden red blue dog cat bird fish tree apple bread'.split(
    ' ',
  );
const text = (seed, length) =>
  Array.from({ length }, (_, i) => words[(seed * 7 + i * (1 + (seed % 3))) % words.length]);
const batchSize = 8;
const examples = Array.from({ length: 50 * batchSize }, (_, i) => ({
  query: `${words[i % 20]} ${words[Math.floor(i / 20)]} ${text(i, i % 5).join(' ')}`,
  positive: `${words[Math.floor(i / 20)]} ${words[i % 20]} ${text(i + 1, 1 + ((i * 11) % 29)).join(' ')}`,
  negatives: [text(i + 2, 1 + ((i * 5) % 17)).join(' ')],
}));

const folder = mkdtempSync(join(tmpdir(), 'lexray-soak-'));
const every = Math.max(1, Math.floor(steps / 50));
const samples = [];
const start = performance.now();
try {
  const result = await finetune({
    model: join(root, 'test', 'fixtures', 'tiny-model'),
    output: join(folder, 'model'),
    examples,
    threads: 1,
    settings: {
      epochs: steps / 50,
      batchSize,
      learningRate: 1e-3,
      dropoutRate: 0.1,
      logEvery: 10,
      saveEvery: Math.ceil(steps / 10),
      seed: 1,
      guard: { mode: 'warn' },
    },
    onMetrics: ({ step }) => {
      if (step % every < 10) samples.push({ step, rss: process.memoryUsage.rss() });
    },
  });
  console.log(`${result.steps} steps of a model of 2 layers in ${((performance.now() - start) / 1000).toFixed(0)} s`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const late = samples.filter(({ step }) => step > steps / 5);
const middle = Math.floor(late.length / 2);
const mean = (list) => list.reduce((sum, { rss }) => sum + rss, 0) / list.length / 1e6;
const [before, after] = [mean(late.slice(0, middle)), mean(late.slice(middle))];
const peak = Math.max(...samples.map(({ rss }) => rss)) / 1e6;
for (const { step, rss } of samples.filter((_, i) => i % Math.ceil(samples.length / 10) === 0)) {
  console.log(`step ${String(step).padStart(6)}  ${(rss / 1e6).toFixed(0)} MB`);
}
const growth = after - before;
console.log(
  `peak ${peak.toFixed(0)} MB; from the first to the second half after step ${steps / 5}: ${growth.toFixed(1)} MB`,
);
if (!(growth <= Number(values.most))) {
  console.error(`memory grew by ${growth.toFixed(1)} MB; at most ${values.most} MB expected`);
  process.exit(1);
}
