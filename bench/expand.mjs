// Expanding a vocabulary over a stream of any size: time, peak memory, and whether the counts are exact. Writes texts of words
// in six scripts whose frequencies follow Zipf's law (P(r) ∝ 1/r over RANKS ranks), in any case, with lines that are empty, not
// UTF-8, and one of 50 MB; every fourth file is gzip, of many members; runs `lexray expand` on them in a process of its own, and
// compares what it counted with what was written: each term, occurrences, different words, texts, and lines with each problem.
//
//     node bench/expand.mjs [--gigabytes 1] [--size 100000] [--ranks 50000000] [--model FOLDER] [--folder DIR] [--keep] [--json FILE]
import { execFile } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

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
const seen = new Uint8Array(Math.ceil(ranks / 8) + 1);

const range = (first, count) => Array.from({ length: count }, (_, i) => String.fromCharCode(first + i));
/** Digits of each script. None of them changes in NFKC or when accents are removed, and none is the beginning of another. */
const scripts = {
  latin: [...'bcdfghjklmnprstv'].flatMap((consonant) => [...'aeio'].map((vowel) => consonant + vowel)),
  hangul: Array.from({ length: 2000 }, (_, i) => String.fromCharCode(0xac00 + 5 * i)),
  cyrillic: [...'абвгдежзиклмнопрстуфхцчшщэюя'],
  arabic: [...'ابتثجحخدذرزسشصضطظعغفقكلمنهوي'],
  devanagari: [...range(0x915, 20), ...range(0x92a, 5), ...'यरलवशषसह'],
  han: range(0x4e00, 6000),
};
const byLastDigit = [3, 5, 7, 9].map((digit, i) => [digit, ['hangul', 'arabic', 'cyrillic', 'devanagari'][i]]);
/** A Han character is a unigram by itself, so only ranks of which one character is enough have one. */
const scriptOf = (rank) =>
  rank % 10 === 1 && rank < 60_000 ? 'han' : (byLastDigit.find(([digit]) => digit === rank % 10)?.[1] ?? 'latin');

/** The word of a rank: a number whose digits are syllables or letters, so that no two ranks have one word. */
function wordOf(rank) {
  const script = scriptOf(rank);
  if (script === 'han') return scripts.han[(rank - 1) / 10];
  const digits = scripts[script];
  let word = '';
  for (let rest = rank + 1; rest > 0; rest = Math.floor((rest - 1) / digits.length))
    word += digits[(rest - 1) % digits.length];
  return word;
}

// The words of the followed ranks as bytes, so that a line is copied together.
const known = Array.from({ length: followed }, (_, rank) => wordOf(rank));
const forms = [(word) => word, (word) => word[0].toUpperCase() + word.slice(1), (word) => word.toUpperCase()].map(
  (form) => {
    const starts = new Uint32Array(followed + 1);
    const parts = known.map((word) => Buffer.from(form(word)));
    for (const [rank, part] of parts.entries()) starts[rank + 1] = starts[rank] + part.length;
    return { starts, bytes: Buffer.concat(parts), form };
  },
);

// xorshift32: one number a word has to be cheap.
let state = 0x9e3779b9;
function uniform() {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}

const totals = { occurrences: 0, distinct: 0 };
const block = Buffer.alloc(1 << 22);
/** Writes lines of 5 to 34 words until the block is nearly full; returns its length and the number of lines. */
function fillBlock() {
  let at = 0;
  let lines = 0;
  while (at < block.length - 8192) {
    const separated = uniform() < 1 / 9;
    for (let words = 5 + Math.floor(30 * uniform()); words > 0; words--) {
      const rank = Math.floor(Math.exp(uniform() * Math.log(ranks))) - 1;
      const shape = Math.floor(16 * uniform());
      const { starts, bytes, form } = forms[shape < 2 ? shape + 1 : 0];
      totals.occurrences++;
      if ((seen[rank >> 3] & (1 << (rank & 7))) === 0) {
        seen[rank >> 3] |= 1 << (rank & 7);
        totals.distinct++;
      }
      if (rank < followed) {
        written[rank]++;
        for (let from = starts[rank]; from < starts[rank + 1]; from++) block[at++] = bytes[from];
      } else at += block.write(form(wordOf(rank)), at);
      if (words > 1 && separated) block[at++] = 0x2c;
      if (words > 1) block[at++] = 0x20;
    }
    block[at++] = 0x2e;
    block[at++] = 0x0a;
    lines++;
  }
  return [block.subarray(0, at), lines];
}

const lines = { texts: 0, empty: 0, invalidUtf8: 0, tooLong: 0 };
const wanted = Number(options.gigabytes) * 1e9;
const ofFile = Math.min(1e9, Math.ceil(wanted / 10));
let bytes = 0;
const start = performance.now();
mkdirSync(join(root, 'texts'));
for (let number = 0; bytes < wanted; number++) {
  const zipped = number % 4 === 3;
  const name = `${String(number).padStart(3, '0')}.txt${zipped ? '.gz' : ''}`;
  const file = openSync(join(root, 'texts', name), 'w');
  const end = Math.min(wanted, bytes + ofFile);
  const put = (chunk) => {
    bytes += chunk.length;
    writeSync(file, zipped ? gzipSync(chunk, { level: 1 }) : chunk);
  };
  while (bytes < end) {
    const [chunk, count] = fillBlock();
    lines.texts += count;
    put(chunk);
    put(Buffer.from('\nbad \xff\xfe line of zzzz\n', 'latin1'));
    lines.empty++;
    lines.invalidUtf8++;
  }
  if (number === 0) {
    put(Buffer.alloc(50e6, 'qq '));
    put(Buffer.from('\n'));
    lines.tooLong++;
  }
  closeSync(file);
}
console.log(
  `wrote ${(bytes / 1e9).toFixed(2)} GB in ${((performance.now() - start) / 1000).toFixed(0)} s: ${JSON.stringify(lines)}`,
);

const program = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const began = performance.now();
const args = ['--texts', join(root, 'texts'), '--size', options.size, '-o', join(root, 'model'), '--json'];
const run = await promisify(execFile)(process.execPath, [program, 'expand', options.model, ...args], {
  maxBuffer: 1 << 26,
});
const seconds = (performance.now() - began) / 1000;
const result = JSON.parse(run.stdout);
const { terms, counts } = JSON.parse(readFileSync(join(root, 'model', 'output_vocabulary.json'), 'utf8'));
const found = new Map(terms.map((term, i) => [term, counts[i]]));
const compared = known.filter((word) => found.has(word)).length;
const wrong = known.filter((word, rank) => found.has(word) && found.get(word) !== written[rank]).length;
const least = counts.at(-1);
const missing = known.filter((word, rank) => !found.has(word) && written[rank] > least).length;
const problems = Object.fromEntries(result.stream.problems.map(({ problem, lines: count }) => [problem, count]));
const { texts, ...bad } = lines;
/** What was counted beside what was written. */
const pairs = {
  texts: [result.stream.texts, texts],
  ...Object.fromEntries(Object.entries(bad).map(([problem, count]) => [problem, [problems[problem] ?? 0, count]])),
  occurrences: [result.unigrams.occurrences, totals.occurrences],
  distinct: [result.unigrams.distinct, totals.distinct],
};
const summary = {
  cpu: cpus()[0]?.model,
  gigabytes: bytes / 1e9,
  seconds,
  megabytesPerSecond: bytes / 1e6 / seconds,
  peakMemoryMegabytes: result.peakMemory / 1e6,
  spills: result.spills,
  terms: result.terms,
  coverage: result.unigrams.coverage,
  countedAndWritten: pairs,
  compared,
  wrong,
  missing,
  warnings: run.stderr.trim().split('\n'),
};
console.log(JSON.stringify(summary, null, 2));
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(summary, null, 2)}\n`);
if (!options.keep) rmSync(root, { recursive: true });
if (wrong + missing > 0 || Object.values(pairs).some(([a, b]) => a !== b)) process.exitCode = 1;
