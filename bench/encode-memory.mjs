// Memory of `lexray encode` over many texts: its resident set, sampled all along, against the texts that are done.
//
//     node bench/encode-memory.mjs --model FOLDER --texts FILE [--threads 2] [--weights float32] [--max-length 256]
//         [--every 1000] [--lexray dist/cli/main.js] [--json FILE]
//
// The slope is that of a straight line through the second half of the samples (least squares), in MB for 10,000 texts. It holds
// the ids, which encode keeps to find repeats. Time goes by the clock: it says nothing where the machine is busy.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, printTable } from './peer.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    texts: { type: 'string' },
    threads: { type: 'string', default: '2' },
    weights: { type: 'string', default: 'float32' },
    'max-length': { type: 'string', default: '256' },
    every: { type: 'string', default: '1000' },
    lexray: { type: 'string', default: fileURLToPath(new URL('../dist/cli/main.js', import.meta.url)) },
    json: { type: 'string' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'lexray-memory-'));
const child = spawn(
  process.execPath,
  [
    ...[options.lexray, 'encode', options.model, options.texts, '-o', join(folder, 'vectors'), '--kind', 'document'],
    ...['--max-length', options['max-length'], '--weights', options.weights, '--threads', options.threads, '--json'],
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
let output = '';
child.stdout.on('data', (chunk) => {
  output += chunk;
});
const samples = [];
const start = performance.now();
const timer = setInterval(() => {
  const [, kilobytes] = readFileSync(`/proc/${child.pid}/status`, 'utf8').match(/VmRSS:\s*(\d+)/) ?? [];
  if (kilobytes) samples.push({ seconds: (performance.now() - start) / 1000, rss: Number(kilobytes) * 1024 });
}, Number(options.every));
const code = await new Promise((resolve) => child.on('exit', resolve));
clearInterval(timer);
rmSync(folder, { recursive: true });
if (code !== 0) process.exit(1);

const result = JSON.parse(output);
const half = samples.slice(samples.length >> 1);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const [x, y] = [mean(half.map((s) => s.seconds)), mean(half.map((s) => s.rss))];
const perSecond =
  half.reduce((sum, s) => sum + (s.seconds - x) * (s.rss - y), 0) /
  half.reduce((sum, s) => sum + (s.seconds - x) ** 2, 0);
const slope = (perSecond / result.textsPerSecond) * 10_000;
console.log(`${cpus()[0].model.trim()}, ${options.threads} threads, Node ${process.versions.node}`);
console.log(
  `${basename(options.model)}, ${options.weights}, ${result.vectors} texts of ${basename(options.texts)}, at most ${options['max-length']} tokens: ` +
    `${result.seconds.toFixed(0)} s, ${result.textsPerSecond.toFixed(0)} texts/s, ${result.activeDims.toFixed(1)} active dimensions`,
);
const mega = (bytes) => (bytes / 1e6).toFixed(0);
const tenths = Array.from({ length: 10 }, (_, i) =>
  samples.slice(Math.floor((i * samples.length) / 10), Math.floor(((i + 1) * samples.length) / 10)),
);
printTable([
  ['tenth of the run', ...tenths.map((_, i) => i + 1)],
  ['median RSS, MB', ...tenths.map((part) => mega(median(part.map((s) => s.rss))))],
  ['largest RSS, MB', ...tenths.map((part) => mega(Math.max(...part.map((s) => s.rss))))],
]);
console.log(`slope over the second half: ${(slope / 1e6).toFixed(2)} MB for 10,000 texts (${half.length} samples)`);
if (options.json) {
  const described = { ...options, model: basename(options.model), texts: basename(options.texts) };
  delete described.lexray;
  writeFileSync(
    options.json,
    `${JSON.stringify({ cpu: cpus()[0].model, node: process.versions.node, options: described, result: { ...result, output: undefined }, slopePer10k: slope, samples }, null, 1)}\n`,
  );
}
