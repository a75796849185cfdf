// The Lexray side of `router_check.py`, which see: model folders of every kind that it writes with separate query encoders or
// token weights, and the vectors that it gives for them.
//
//     node scripts/golden/router_check.mjs WORK
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const work = process.argv[2];
if (work === undefined) throw new Error('a folder to write to is needed');
const from = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href);
const { writeModelFolder } = await from('checkpoint/layouts/write-model-folder.js');
const { initializeWeights } = await from('model/initialize-weights.js');
const { SparseEncoder } = await from('model/sparse-encoder.js');
const { makeStaticQueries } = await from('model/static-queries.js');
const { loadTokenizer } = await from('tokenizer/load-tokenizer.js');
const tiny = fileURLToPath(new URL('../../test/fixtures/tiny-model', import.meta.url));
const read = (name) => readFileSync(join(tiny, name), 'utf8');
const tinyConfig = JSON.parse(read('config.json'));
const tinyTokenizer = JSON.parse(read('tokenizer.json'));

const texts = [
  'The weather is lovely today.',
  'the the the rain',
  '[CLS] dog [SEP] [UNK] \u2603 <extra>',
  'what how, search; index? query-sparse vector 2026',
  'search index '.repeat(40),
];

/** An encoder with random weights. */
function encoder(seed, vocabulary, maxSequenceLength) {
  const config = { ...tinyConfig, vocab_size: vocabulary };
  const weights = initializeWeights(config, { seed });
  return {
    config,
    weights,
    maxSequenceLength,
    tokenizer: tiny,
    pooling: { strategy: 'max', activation: 'log1p_relu' },
  };
}

/** Numbers around 1, some below 0. */
function tokenWeights(count) {
  return Float32Array.from({ length: count }, (_, i) => 1 + 2 * Math.sin(1 + i * i));
}

/** The tiny tokenizer, changed; with only the files named. */
function tokenizer(change, names = ['tokenizer_config.json', 'special_tokens_map.json']) {
  const json = structuredClone(tinyTokenizer);
  change(json);
  return { 'tokenizer.json': JSON.stringify(json), ...Object.fromEntries(names.map((name) => [name, read(name)])) };
}

const withGap = tokenizer(({ model }) => {
  delete model.vocab.tree;
});
const withAddedToken = tokenizer((json) => {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
  json.added_tokens.push({ id: 118, content: '<extra>', ...flags });
});
const withoutConfig = tokenizer(() => {}, []);
const lengths = { maxLength: { query: 16, document: 32 } };
const prompts = { prompts: { query: 'what : ', document: '' } };

const models = {
  static: { ...encoder(1, 118, 32), query: { kind: 'static', weights: tokenWeights(118) }, policy: lengths },
  'static-prompt': { ...encoder(1, 118, 32), query: { kind: 'static', weights: tokenWeights(118) }, policy: prompts },
  'static-wide': { ...encoder(2, 128, 32), query: { kind: 'static', weights: tokenWeights(128), frozen: true } },
  'static-gap': {
    ...encoder(3, 118, 32),
    tokenizer: withGap,
    query: { kind: 'static', weights: tokenWeights(118) },
  },
  'static-added-token': {
    ...encoder(4, 128, 32),
    tokenizer: withAddedToken,
    query: { kind: 'static', weights: tokenWeights(128) },
  },
  'static-no-config': {
    ...encoder(5, 128, 32),
    query: { kind: 'static', weights: tokenWeights(128), tokenizer: withoutConfig },
  },
  idf: {
    ...encoder(6, 118, 32),
    query: { kind: 'static', weights: await makeStaticQueries(await loadTokenizer(tiny), texts) },
  },
  pair: {
    ...encoder(7, 118, 32),
    query: { kind: 'encoder', ...encoder(8, 118, 16), pooling: { strategy: 'max', activation: 'relu' } },
    policy: { ...lengths, ...prompts },
  },
  shared: encoder(9, 118, 32),
};

mkdirSync(work, { recursive: true });
for (const [name, content] of Object.entries(models)) {
  const folder = join(work, name);
  await writeModelFolder(folder, content, { force: true, onWarning: (message) => console.warn(`${name}: ${message}`) });
  const model = await SparseEncoder.load(folder, { threads: 1 });
  const lines = [];
  for (const kind of ['query', 'document']) {
    for (const text of texts) {
      const { indices, values } = await model.encodeOne(text, { kind });
      lines.push(`${JSON.stringify({ text, kind, indices: [...indices], values: [...values] })}\n`);
    }
  }
  await model.dispose();
  writeFileSync(join(work, `${name}.jsonl`), lines.join(''));
}
console.log(`wrote ${Object.keys(models).length} models to ${work}`);
