// Makes one of our own backbones from texts, by one command: a tokenizer, a masked language model with random weights, its
// pre-training, and a card with data, licences, curve and cost.
//
//     node scripts/models/backbone.mjs lexray-tiny --data ../shared/data -o models/lexray-tiny
//         [--pairs FOLDER] [--tokens 8000000] [--seed 1] [--threads 2] [--random] [--resume] [--force]
//
// | name | encoder | vocabulary |
// |---|---|---|
// | lexray-tiny | BERT | WordPiece, lower-cased |
// | lexray-tiny-cased | BERT | WordPiece, cased: the control between the other two |
// | lexray-tiny-bpe | RoBERTa | byte-level BPE, cased |
// | lexray-tiny-modern | ModernBERT | WordPiece, lower-cased |
//
// All have the same size, the same texts and the same settings. The texts are the novels of --data, and those of pairs.mjs,
// which leave out what its test collections hold (made first where --pairs is not there); what they are and how they are
// licensed is in `backbone-data.md` beside this file, which becomes part of the card. --random makes the control: the same
// model with the weights it would start from.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const lowerCased = ['--type', 'wordpiece', '--case', 'lower'];
const backbones = {
  'lexray-tiny': { type: 'bert', tokenizer: lowerCased },
  'lexray-tiny-cased': { type: 'bert', tokenizer: ['--type', 'wordpiece', '--case', 'keep'] },
  'lexray-tiny-bpe': { type: 'roberta', tokenizer: ['--type', 'byte-bpe', '--style', 'roberta', '--case', 'keep'] },
  'lexray-tiny-modern': { type: 'modernbert', tokenizer: lowerCased },
};
const vocabulary = 16_384;
const shape = { layers: 4, hidden: 128, heads: 4, positions: 512 };
const training = {
  length: 64,
  batchSize: 16,
  maskingRate: 0.3,
  learningRate: 1e-3,
  warmupRatio: 0.05,
  dropout: 0,
  heldOutSequences: 512,
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string' },
    pairs: { type: 'string' },
    output: { type: 'string', short: 'o' },
    tokens: { type: 'string', default: '8000000' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    random: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
    force: { type: 'boolean', default: false },
  },
});
const beside = (file) => fileURLToPath(new URL(file, import.meta.url));
const node = (...args) => {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
const lexray = (...args) => node(beside('../../dist/cli/main.js'), ...args);

const [name] = positionals;
if (!Object.hasOwn(backbones, name ?? '') || !options.data || !options.output) {
  console.error(
    `usage: node scripts/models/backbone.mjs ${Object.keys(backbones).join('|')} --data FOLDER -o FOLDER [--tokens N]`,
  );
  process.exit(2);
}
const pairs = options.pairs ?? `${options.output}.pairs`;
const files = [
  join(pairs, 'texts/wiki.jsonl.gz'),
  join(options.data, 'general-novels/novels.txt.gz'),
  join(pairs, 'texts/wordnet.jsonl.gz'),
];
if (!existsSync(pairs)) node(beside('pairs.mjs'), '--data', options.data, '-o', pairs);
const missing = files.filter((file) => !existsSync(file));
if (missing.length > 0) {
  console.error(`there is no ${missing.join(', ')}`);
  process.exit(3);
}

const flags = (settings) =>
  Object.entries(settings).flatMap(([key, value]) => [
    `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);

const tokenizer = `${options.output}.tokenizer`;
if (!existsSync(tokenizer)) {
  lexray('tokenizer', 'train', ...files, '-o', tokenizer, '--size', String(vocabulary), ...backbones[name].tokenizer);
}
lexray(
  'pretrain',
  ...files,
  ...['--new', backbones[name].type, '--tokenizer', tokenizer],
  ...flags({ ...shape, ...training, ...(options.random && { learningRate: 0 }) }),
  ...flags(options.random ? { steps: 1 } : { tokens: options.tokens }),
  ...flags({ seed: options.seed, threads: options.threads, dtype: 'bf16' }),
  ...[
    '--title',
    options.random ? `${name}, random weights` : name,
    '--license',
    'cc-by-sa-4.0',
    '--about',
    beside('backbone-data.md'),
  ],
  ...(options.resume ? ['--resume'] : []),
  ...(options.force ? ['--force'] : []),
  ...['-o', options.output],
);
copyFileSync(beside('backbone-data.md'), join(options.output, 'DATA-LICENSES.md'));
