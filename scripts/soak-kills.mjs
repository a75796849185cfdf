// Part of npm run test:soak: runs of `lexray finetune` on a tiny model that are killed (SIGKILL) at random moments and while they write
// checkpoints, and go on with --resume until they are done. The weights must be those of a run that nobody disturbed, in every bit,
// and so must the figures of metrics.jsonl; with several threads in every bit if three undisturbed runs agree, else to 1e-6.
// Everything that a checkpoint must carry is on: dropout, hard negatives, a controller of λ, DF-FLOPS, accumulation, a dev split.
//
//     node scripts/soak-kills.mjs [--kills 20] [--threads 1,2] [--steps 120] [--seed 1] [--program dist/cli/main.js]
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root, setUp } from './setup.mjs';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    threads: { type: 'string', default: '1,2' },
    steps: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
    program: { type: 'string' },
  },
});
if (values.program === undefined) setUp();
const program = resolve(values.program ?? join(root, 'dist', 'cli', 'main.js'));
const model = join(root, 'test', 'fixtures', 'tiny-model');
const wantedKills = Number(values.kills);
/** After so many kills a run may go to its end. */
const killsOfARun = 7;

// A generator of moments that a seed repeats: mulberry32.
let state = Number(values.seed) >>> 0;
const uniform = () => {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

const folder = mkdtempSync(join(tmpdir(), 'lexray-kills-'));
writeData(join(folder, 'data'));
try {
  for (const threads of values.threads.split(',').map(Number)) await disturb(threads);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function disturb(threads) {
  const clean = [];
  for (let i = 0; i < 3; i++) clean.push(await undisturbed(join(folder, `clean-${threads}-${i}`), threads));
  const [reference] = clean;
  const repeats = clean.every(({ hash }) => hash === reference.hash);
  console.log(`${threads} threads: three undisturbed runs ${repeats ? 'agree in every bit' : 'differ'}`);
  if (threads === 1 && !repeats) fail('undisturbed runs at one thread differ');
  const seconds = Math.min(...clean.map((run) => run.seconds));
  const tally = { kills: 0, runs: 0, saving: 0, steps: new Set(), beforeCheckpoint: 0, afterOutput: 0 };
  let largest = 0;
  while (tally.kills < wantedKills) {
    const output = join(folder, `killed-${threads}-${tally.runs++}`);
    for (let start = 0; !existsSync(output); start++) {
      const spared = start >= killsOfARun || tally.kills >= wantedKills;
      await runAndKill(output, threads, { resume: start > 0, spared, seconds }, tally);
    }
    const found = fingerprint(output);
    if (found.hash !== reference.hash) {
      largest = Math.max(largest, largestDifference(output, reference.output));
      if (repeats || !(largest <= 1e-6)) fail(`run ${tally.runs} at ${threads} threads: weights differ by ${largest}`);
    }
    if (repeats && found.metrics !== reference.metrics) fail(`run ${tally.runs}: metrics.jsonl differs`);
    console.error(`run ${tally.runs} at ${threads} threads is as it should be; ${tally.kills} kills so far`);
    for (const path of [output, `${output}.training`]) rmSync(path, { recursive: true, force: true });
  }
  const steps = [...tally.steps].sort((a, b) => a - b);
  console.log(
    [
      `${threads} threads: ${tally.kills} kills in ${tally.runs} runs of ${values.steps} steps`,
      `${tally.saving} left a half-written file or folder, ${tally.beforeCheckpoint} came before the first checkpoint, ${tally.afterOutput} after the output`,
      `newest checkpoint at the kill: steps ${steps.join(', ')}`,
      largest === 0
        ? 'weights and metrics equal in every bit'
        : `largest difference of a weight ${largest.toExponential(1)}`,
    ].join('\n  '),
  );
}

/** Runs to the end, or to a kill: after a random time, or as a half-written checkpoint appears in the folder of the run. */
async function runAndKill(output, threads, { resume, spared, seconds }, tally) {
  const training = `${output}.training`;
  const atSave = uniform() < 0.5;
  const moment = atSave ? 1 + Math.floor(uniform() * 6) : uniform() * seconds * 1000;
  const delay = uniform() * 4;
  const child = start(output, threads, resume);
  let killed = false;
  const kill = () => {
    killed = child.process.kill('SIGKILL') || killed;
  };
  let timer;
  let poll;
  let watcher;
  if (spared) {
    // Nobody disturbs it.
  } else if (atSave) {
    const seen = new Set();
    const onChange = (_event, name) => {
      if (!/^\.(checkpoint|best)-.*\.partial$/.test(name ?? '') || seen.add(name).size < moment) return;
      timer ??= setTimeout(kill, delay);
    };
    // A run that begins makes its folder anew.
    poll = setInterval(() => {
      if (!existsSync(join(training, 'config.json'))) return;
      clearInterval(poll);
      watcher = watch(training, onChange);
    }, 5);
  } else {
    timer = setTimeout(kill, moment);
  }
  const { code, stderr } = await child.done;
  clearTimeout(timer);
  clearInterval(poll);
  watcher?.close();
  if (code === 0) return;
  if (!killed) fail(`exit code ${code}: ${stderr}`);
  tally.kills++;
  const names = existsSync(training) ? readdirSync(training, { recursive: true }).map(String) : [];
  if (names.some((name) => name.includes('.partial'))) tally.saving++;
  const checkpoints = names.flatMap((name) => /^checkpoint-(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  if (existsSync(output)) tally.afterOutput++;
  else if (checkpoints.length === 0) tally.beforeCheckpoint++;
  else tally.steps.add(Math.max(...checkpoints));
}

async function undisturbed(output, threads) {
  const started = performance.now();
  const { code, stderr } = await start(output, threads, false).done;
  if (code !== 0) fail(`exit code ${code}: ${stderr}`);
  return { output, seconds: (performance.now() - started) / 1000, ...fingerprint(output) };
}

function start(output, threads, resume) {
  const recipe = [
    'accumulationSteps=2',
    'documentRegularizer={name: df-flops, refreshEvery: 7}',
    'queryRegularizerWeight=1e-3',
    'regularizerRampRatio=0.2',
    'logEvery=1',
  ];
  const args = [
    [
      'finetune',
      model,
      '--data',
      join(folder, 'data'),
      '-o',
      output,
      '--max-steps',
      values.steps,
      '--threads',
      threads,
    ],
    ['--batch-size', 4, '--negatives', 1, '--learning-rate', 1e-3, '--dropout', 0.1, '--guard', 'warn'],
    ['--target-document-dims', 20, '--save-every', 3, '--evaluate-every', 20, '--seed', 7, '--quiet'],
    recipe.flatMap((setting) => ['--set', setting]),
    resume ? ['--resume'] : [],
  ];
  const process_ = spawn(process.execPath, [program, ...args.flat().map(String)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  process_.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const done = new Promise((settle) => process_.on('close', (code) => settle({ code, stderr })));
  return { process: process_, done };
}

/** SHA-256 of the weights, and the log without the clock. */
function fingerprint(output) {
  const lines = readFileSync(join(`${output}.training`, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const rows = lines.map((line) => {
    const { seconds: _, tokens_per_second: __, ...row } = JSON.parse(line);
    return JSON.stringify(row);
  });
  const weights = readFileSync(join(output, 'model.safetensors'));
  return { hash: createHash('sha256').update(weights).digest('hex'), metrics: rows.join('\n') };
}

function largestDifference(a, b) {
  const numbers = (output) => {
    const file = readFileSync(join(output, 'model.safetensors'));
    const start = 8 + Number(file.readBigUInt64LE(0));
    return new Float32Array(file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length));
  };
  const [x, y] = [numbers(a), numbers(b)];
  return x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i])), 0);
}

/** A BEIR folder in the words of the tiny model, with hard training pairs and dev queries. */
function writeData(path) {
  const words =
    'weather rain sunny snow warm cold city river stone house garden red blue dog cat bird fish tree apple bread'.split(
      ' ',
    );
  const text = (seed, length) =>
    Array.from({ length }, (_, i) => words[(seed * 7 + i * (1 + (seed % 3))) % words.length]).join(' ');
  const lines = (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  mkdirSync(join(path, 'qrels'), { recursive: true });
  const documents = Array.from({ length: 90 }, (_, i) => ({ _id: `d${i}`, text: text(i, 2 + ((i * 5) % 11)) }));
  const queries = documents.map((_, i) => ({ _id: `q${i}`, text: text(i, 1 + (i % 3)) }));
  writeFileSync(join(path, 'corpus.jsonl'), lines(documents));
  writeFileSync(join(path, 'queries.jsonl'), lines(queries));
  const qrels = (from, to) =>
    ['query-id\tcorpus-id\tscore', ...queries.slice(from, to).map((_, i) => `q${from + i}\td${from + i}\t1`)].join(
      '\n',
    );
  writeFileSync(join(path, 'qrels', 'train.tsv'), `${qrels(0, 70)}\n`);
  writeFileSync(join(path, 'qrels', 'dev.tsv'), `${qrels(70, 90)}\n`);
}

function fail(message) {
  console.error(message);
  rmSync(folder, { recursive: true, force: true });
  process.exit(1);
}
