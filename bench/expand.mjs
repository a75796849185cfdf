// Expanding a vocabulary over a stream of any size: time, peak memory, and whether the counts are exact. Writes texts of words
// in three scripts whose frequencies follow Zipf's law (P(r) ∝ 1/r over RANKS ranks), in any case, with lines that are empty, not
// UTF-8, not of the form, and one of 50 MB; runs `lexray expand` on them in a process of its own; and compares the counts of the
// terms with what was written.
//
//     node bench/expand.mjs [--gigabytes 1] [--size 100000] [--ranks 50000000] [--model FOLDER] [--folder DIR] [--keep] [--json FILE]
import { execFile } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { Random } from '../dist/util/random.js';

const { values: options } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '1' },
    size: { type: 'string', default: '100000' },
    ranks: { type: 'string', default: '50000000' },
    model: { type: 'string', default: fileURLToPath(new URL('../test/fixtures/tiny-model', import.meta.url)) },
    folder: { type: 'string', default: tmpdir() },
    keep: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const root = mkdtempSync(join(options.folder, 'lexray-expand-'));
const ranks = Number(options.ranks);
const followed = 1 << 20;
const written = new Float64Array(followed);
const random = new Random(1);

const syllables = [...'bcdfghjklmnprstv'].flatMap((consonant) => [...'aeio'].map((vowel) => consonant + vowel));
const cyrillic = [...'абвгдежзиклмнопрстуфхцчшщэюя'];

/** The word of a rank: numbers in a base whose digits are syllables or letters, so that no two ranks have one word. */
function wordOf(rank) {
  const [digits, base] =
    rank % 10 === 3 ? [undefined, 2000] : rank % 10 === 7 ? [cyrillic, cyrillic.length] : [syllables, 64];
  let word = '';
  for (let rest = rank + 1; rest > 0; rest = Math.floor((rest - 1) / base)) {
    const digit = (rest - 1) % base;
    word += digits === undefined ? String.fromCharCode(0xac00 + 5 * digit) : digits[digit];
  }
  return word;
}

const known = Array.from({ length: followed }, (_, rank) => wordOf(rank));

function line() {
  const words = [];
  for (let n = 5 + random.integer(30); n > 0; n--) {
    const rank = Math.floor(Math.exp(random.uniform() * Math.log(ranks))) - 1;
    let word = known[rank] ?? wordOf(rank);
    if (rank < followed) written[rank]++;
    const shape = random.integer(16);
    if (shape === 0) word = word[0].toUpperCase() + word.slice(1);
    else if (shape === 1) word = word.toUpperCase();
    words.push(word);
  }
  return `${words.join(random.integer(9) === 0 ? ', ' : ' ')}.\n`;
}

const lines = { texts: 0, empty: 0, invalidUtf8: 0, tooLong: 0 };
const wanted = Number(options.gigabytes) * 1e9;
let bytes = 0;
const start = performance.now();
mkdirSync(join(root, 'texts'));
for (let number = 0; bytes < wanted; number++) {
  const file = openSync(join(root, 'texts', `${String(number).padStart(3, '0')}.txt`), 'w');
  const end = Math.min(wanted, bytes + 1e9);
  const put = (chunk) => {
    bytes += writeSync(file, chunk);
  };
  while (bytes < end) {
    const block = [];
    for (let i = 0; i < 4000; i++) block.push(line());
    lines.texts += block.length;
    put(Buffer.from(block.join('')));
    put('\n');
    put(Buffer.from('bad \xff\xfe line of zzzz\n', 'latin1'));
    lines.empty++;
    lines.invalidUtf8++;
  }
  if (number === 0) {
    put(Buffer.alloc(50e6, 'qq '));
    put('\n');
    lines.tooLong++;
  }
  closeSync(file);
}
console.log(
  `wrote ${(bytes / 1e9).toFixed(2)} GB in ${((performance.now() - start) / 1000).toFixed(0)} s: ${JSON.stringify(lines)}`,
);

const program = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const began = performance.now();
const args = [
  'expand',
  options.model,
  '--texts',
  join(root, 'texts'),
  '--size',
  options.size,
  '-o',
  join(root, 'model'),
  '--json',
];
const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { maxBuffer: 1 << 26 });
const seconds = (performance.now() - began) / 1000;
const result = JSON.parse(stdout);
const { terms, counts } = JSON.parse(readFileSync(join(root, 'model', 'output_vocabulary.json'), 'utf8'));
const found = new Map(terms.map((term, i) => [term, counts[i]]));
const wrong = known.filter((word, rank) => found.has(word) && found.get(word) !== written[rank]).length;
const compared = known.filter((word) => found.has(word)).length;
const least = counts.at(-1);
const missing = known.filter((word, rank) => !found.has(word) && written[rank] > least).length;
const problems = Object.fromEntries(result.stream.problems.map(({ problem, lines: count }) => [problem, count]));
const summary = {
  cpu: cpus()[0]?.model,
  gigabytes: bytes / 1e9,
  seconds,
  megabytesPerSecond: bytes / 1e6 / seconds,
  peakMemoryMegabytes: result.peakMemory / 1e6,
  spills: result.spills,
  distinct: result.unigrams.distinct,
  occurrences: result.unigrams.occurrences,
  terms: result.terms,
  coverage: result.unigrams.coverage,
  texts: [result.stream.texts, lines.texts],
  problems: [problems, { empty: lines.empty, invalidUtf8: lines.invalidUtf8, tooLong: lines.tooLong }],
  compared,
  wrong,
  missing,
};
console.log(JSON.stringify(summary, null, 2));
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(summary, null, 2)}\n`);
if (!options.keep) rmSync(root, { recursive: true });
if (wrong + missing > 0 || result.stream.texts !== lines.texts) process.exitCode = 1;
