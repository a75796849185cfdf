// Compares an output vocabulary of unigrams (Expanded-SPLADE, arXiv 2605.01407) with that of word pieces: one backbone, the same
// texts, tokens and seeds of pre-training, the same pairs and steps of fine-tuning, and nDCG@10 at the FLOPS that word pieces have
// at (5, 10).
//
//     node scripts/models/expanded-vs-wordpiece.mjs --backbone MODEL --texts FILES --pairs FILE --dev FOLDER -o FOLDER
//         --collection NAME=FOLDER …    BEIR folders of which qrels/eval.tsv is reported
//         [--seeds 1,2,3] [--tokens 400000] [--steps 200] [--size 100000] [--threads 1] [--dry-run]   (all flags: below)
//
// | arm | terms | pre-trained by | top-k masks of fine-tuning |
// |---|---|---|---|
// | pieces | word pieces | MLM | 500 of a query, 1,000 of a document (arXiv 2509.16621) |
// | pieces-wide | word pieces | MLM, the model of `pieces` | 1,000 and 2,000: the control of the masks |
// | expanded | unigrams | EMLM, from rows pooled by `lexray expand` | 1,000 and 2,000 |
//
// With --spread both heads are first divided by the k (arm C) that brings the spread of their scores to that number, on texts
// of --dev: an untouched head of 100,000 rows and one of 16,384 begin at very different scales. A seed is a pre-training run and its
// fine-tuning. Each stage is a folder that is made once: the same command goes on where it
// stopped, and a run of more seeds uses what is there. Nothing is chosen on what is reported: fine-tuning keeps the step that is
// best on qrels/dev.tsv of --dev. Collections are cut to --queries judged queries and --documents documents, among them all
// that are judged for them, the same for all arms.
//
// What is written: FOLDER/result.json, FOLDER/result.md, FOLDER/times.jsonl (wall and processor seconds of each stage).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    backbone: { type: 'string' },
    texts: { type: 'string', multiple: true },
    pairs: { type: 'string' },
    dev: { type: 'string' },
    collection: { type: 'string', multiple: true },
    output: { type: 'string', short: 'o' },
    seeds: { type: 'string', default: '1,2,3' },
    arms: { type: 'string', default: 'pieces,pieces-wide,expanded' },
    size: { type: 'string', default: '100000' },
    tokens: { type: 'string', default: '400000' },
    length: { type: 'string', default: '128' },
    'batch-size': { type: 'string', default: '32' },
    'learning-rate': { type: 'string', default: '5e-4' },
    'masking-rate': { type: 'string', default: '0.15' },
    steps: { type: 'string', default: '200' },
    'pairs-of-step': { type: 'string', default: '64' },
    'finetune-rate': { type: 'string', default: '2e-4' },
    'query-length': { type: 'string', default: '32' },
    'document-length': { type: 'string', default: '48' },
    spread: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    grid: { type: 'string', default: '0/0,20/100,10/50,7/20,5/20,5/10,3/10,4/6,3/5,2/4,1/3' },
    queries: { type: 'string', default: '200' },
    documents: { type: 'string', default: '5000' },
    threads: { type: 'string', default: '1' },
    samples: { type: 'string', default: '2000' },
    'dry-run': { type: 'boolean', default: false },
  },
});
const missing = ['backbone', 'texts', 'pairs', 'dev', 'collection', 'output'].filter(
  (name) => options[name] === undefined,
);
if (missing.length > 0) {
  console.error(
    `missing --${missing.join(', --')}; the beginning of ${fileURLToPath(import.meta.url)} says what they are`,
  );
  process.exit(2);
}
const root = options.output;
const at = (...parts) => join(root, ...parts);
const seeds = options.seeds.split(',').map(Number);
const arms = options.arms.split(',');
const measure = 'nDCG@10';
const reference = { arm: 'pieces', point: '5/10' };

/** What makes the arms differ. */
const masks = { pieces: [500, 1000], 'pieces-wide': [1000, 2000], expanded: [1000, 2000] };
const pretrainedOf = (arm) => (arm === 'expanded' ? 'expanded' : 'pieces');

mkdirSync(root, { recursive: true });
{
  // Stages of other settings must not be gone on with.
  const { seeds: _, arms: __, output: ___, 'dry-run': ____, samples: _____, threads: ______, ...settings } = options;
  const path = at('settings.json');
  const text = `${JSON.stringify(settings, null, 2)}\n`;
  if (existsSync(path) && readFileSync(path, 'utf8') !== text) {
    console.error(`${path} has other settings: use them, or another --output`);
    process.exit(2);
  }
  writeFileSync(path, text);
}

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** Runs a verb unless its output is there. */
function stage(output, verb, ...args) {
  if (existsSync(output)) return;
  mkdirSync(dirname(output), { recursive: true });
  const resume = existsSync(`${output}.training`) ? ['--resume'] : [];
  const command = [verb, ...args, '-o', output, '--threads', options.threads, ...resume];
  console.error(`\n> lexray ${command.join(' ')}`);
  if (options['dry-run']) return;
  const wall = performance.now();
  // The usage of children that have ended is only known to a shell's `times`.
  const { status, stdout } = spawnSync(
    'sh',
    ['-c', '"$@" >&2; code=$?; times; exit $code', 'sh', process.execPath, program, ...command],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
    },
  );
  if (status !== 0) process.exit(status ?? 1);
  const processor = [
    ...stdout
      .trim()
      .split('\n')
      .at(-1)
      .matchAll(/(\d+)m([\d.]+)s/g),
  ].reduce((sum, [, m, s]) => sum + 60 * m + Number(s), 0);
  const line = { stage: output, verb, wallSeconds: (performance.now() - wall) / 1000, processorSeconds: processor };
  appendFileSync(at('times.jsonl'), `${JSON.stringify(line)}\n`);
}

const lines = (path) => readFileSync(path, 'utf8').split('\n').filter(Boolean);
const order = (text) => createHash('sha256').update(text).digest().readUInt32BE(0);

/** A collection with so many judged queries and documents at most, all judged ones of these queries among them. */
function cut(name, folder, split) {
  const output = at('collections', `${name}-${split}`);
  if (existsSync(output)) return output;
  const rows = lines(join(folder, 'qrels', `${split}.tsv`))
    .slice(1)
    .map((row) => row.split('\t'));
  const relevant = new Set(rows.filter(([, , grade]) => Number(grade) > 0).map(([qid]) => qid));
  const kept = new Set([...relevant].sort((a, b) => order(a) - order(b)).slice(0, Number(options.queries)));
  const qrels = rows.filter(([qid]) => kept.has(qid));
  const judged = new Set(qrels.map(([, docid]) => docid));
  const corpus = lines(join(folder, 'corpus.jsonl')).map((line) => ({ line, id: JSON.parse(line)._id }));
  const others = corpus.filter(({ id }) => !judged.has(id)).sort((a, b) => order(a.id) - order(b.id));
  const sample = new Set(others.slice(0, Math.max(0, Number(options.documents) - judged.size)).map(({ id }) => id));
  const documents = corpus.filter(({ id }) => judged.has(id) || sample.has(id));
  const temporary = `${output}.partial`;
  mkdirSync(join(temporary, 'qrels'), { recursive: true });
  writeFileSync(join(temporary, 'corpus.jsonl'), documents.map(({ line }) => `${line}\n`).join(''));
  writeFileSync(
    join(temporary, 'queries.jsonl'),
    lines(join(folder, 'queries.jsonl'))
      .filter((line) => kept.has(JSON.parse(line)._id))
      .map((line) => `${line}\n`)
      .join(''),
  );
  writeFileSync(
    join(temporary, 'qrels', `${split}.tsv`),
    `query-id\tcorpus-id\tscore\n${qrels.map((row) => `${row.join('\t')}\n`).join('')}`,
  );
  renameSync(temporary, output);
  console.error(`${output}: ${kept.size} queries, ${documents.length} documents, ${judged.size} of them judged`);
  return output;
}

/** As many pairs as the steps take, the first: fine-tuning reads and tokenizes all that it is given. */
function firstPairs() {
  const output = at('collections', 'pairs.jsonl');
  const count = Number(options.steps) * Number(options['pairs-of-step']);
  if (!existsSync(output)) {
    const text = lines(options.pairs).slice(0, count).join('\n');
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(output, `${text}\n`);
  }
  return output;
}

const pairs = firstPairs();
const dev = cut('dev', options.dev, 'dev');
const collections = options.collection.map((text) => {
  const [name, ...folder] = text.split('=');
  return { name, folder: cut(name, folder.join('='), 'eval') };
});

if (arms.includes('expanded')) {
  stage(
    at('expanded'),
    'expand',
    options.backbone,
    ...options.texts.flatMap((text) => ['--texts', text]),
    '--size',
    options.size,
  );
}
for (const seed of seeds) {
  for (const arm of arms) {
    const pretrained = at(`${pretrainedOf(arm)}-${seed}`, 'mlm');
    stage(
      ...[pretrained, 'pretrain', ...options.texts],
      ...['--model', pretrainedOf(arm) === 'expanded' ? at('expanded') : options.backbone],
      ...['--tokens', options.tokens, '--length', options.length, '--batch-size', options['batch-size']],
      ...['--learning-rate', options['learning-rate'], '--masking-rate', options['masking-rate'], '--dropout', '0'],
      ...[
        '--evaluate-every',
        '1000000',
        '--held-out-sequences',
        '64',
        '--statistics-texts',
        '64',
        '--seed',
        String(seed),
      ],
    );
    let start = pretrained;
    if (options.spread !== undefined) {
      start = at(`${pretrainedOf(arm)}-${seed}`, 'corrected');
      const rule = ['--statistic', 'score-spread', '--target', options.spread, '--texts', join(dev, 'corpus.jsonl')];
      stage(start, 'rescale', pretrained, '--arm', 'C', '--auto', ...rule);
    }
    const [queryTerms, documentTerms] = masks[arm];
    const trained = at(`${arm}-${seed}`, 'splade');
    stage(
      ...[trained, 'finetune', start, '--data', pairs, '--recipe', 'esplade-2605.01407'],
      ...[
        '--dev',
        dev,
        '--dev-measure',
        measure,
        '--max-steps',
        options.steps,
        '--batch-size',
        options['pairs-of-step'],
      ],
      ...[
        '--learning-rate',
        options['finetune-rate'],
        '--evaluate-every',
        String(Math.ceil(Number(options.steps) / 2)),
      ],
      ...['--query-top-terms', String(queryTerms), '--document-top-terms', String(documentTerms)],
      ...['--query-max-length', options['query-length'], '--document-max-length', options['document-length']],
      ...['--guard', 'warn', '--dropout', '0', '--save-every', '1000000', '--seed', String(seed)],
      ...options.set.flatMap((one) => ['--set', one]),
    );
    for (const { name, folder } of collections) {
      stage(
        ...[
          at(`${arm}-${seed}`, name),
          'prune',
          '--grid',
          options.grid,
          '--data',
          folder,
          '--split',
          'eval',
          '--model',
          trained,
        ],
        ...['--measures', measure, '--passes', '1', '--samples', options.samples, '--label', `${arm}, seed ${seed}`],
      );
    }
  }
}
if (options['dry-run']) process.exit(0);

const { compareAtEqualCost, crossedInterval } = await import('../../dist/index.js');
const frontierOf = (arm, seed, name) => JSON.parse(readFileSync(at(`${arm}-${seed}`, name, 'frontier.json'), 'utf8'));
const labelOf = ({ query, document }) =>
  [query, document].map((side) => side.replace('top-k=', '').replace('all', '0')).join('/');
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
/** FLOPS is the mean over queries of the postings that a query touches, a document. */
const operating = (point, { documents }) => ({
  effectiveness: point.measures[measure],
  cost: point.postingsTouched.map((touched) => touched / documents),
});

/** What each query would have at a cost: between the two points beside it, in a line over the logarithm of the cost. */
function queriesAt(points, cost) {
  const sorted = points
    .map((point) => ({ values: point.measures[measure], place: Math.log(point.cost.flops) }))
    .sort((a, b) => a.place - b.place);
  const above = sorted.findIndex(({ place }) => place >= Math.log(cost));
  if (above <= 0) return above === 0 && sorted[0].place === Math.log(cost) ? sorted[0].values : undefined;
  const [low, high] = [sorted[above - 1], sorted[above]];
  const share = (Math.log(cost) - low.place) / (high.place - low.place);
  return low.values.map((value, query) => value + share * (high.values[query] - value));
}

const result = { settings: options, comparisons: [] };
const table = [];
const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3).slice(1)}`;
const plain = (value) => value.toFixed(3).slice(1);
for (const { name } of collections) {
  for (const arm of arms.filter((one) => one !== reference.arm)) {
    const tables = [];
    const rows = seeds.map((seed) => {
      const [curve, base] = [frontierOf(arm, seed, name), frontierOf(reference.arm, seed, name)];
      if (curve.qids.join() !== base.qids.join()) throw new Error(`${name}: the arms have other queries`);
      const point = base.points.find((one) => labelOf(one) === reference.point);
      const points = curve.points.filter(({ cost }) => cost.flops > 0);
      const [compared] = compareAtEqualCost(
        points.map((one) => operating(one, curve)),
        [operating(point, base)],
        { samples: Number(options.samples), seed: 1 },
      );
      const queries = queriesAt(points, point.cost.flops);
      if (queries !== undefined) tables.push(queries.map((value, query) => value - point.measures[measure][query]));
      return {
        seed,
        flops: point.cost.flops,
        range: [Math.min(...points.map(({ cost }) => cost.flops)), Math.max(...points.map(({ cost }) => cost.flops))],
        compared,
      };
    });
    const over = tables.length === seeds.length && seeds.length > 1 ? crossedInterval(tables) : undefined;
    result.comparisons.push({
      collection: name,
      arm,
      against: reference,
      measure,
      seeds: rows,
      overSeedsAndQueries: over,
    });
    for (const { seed, flops, compared } of rows) {
      table.push(
        compared === undefined
          ? [
              name,
              arm,
              seed,
              flops.toPrecision(3),
              'outside',
              plain(
                mean(
                  frontierOf(reference.arm, seed, name).points.find((one) => labelOf(one) === reference.point).measures[
                    measure
                  ],
                ),
              ),
              '',
            ]
          : [
              name,
              arm,
              seed,
              flops.toPrecision(3),
              plain(compared.a.mean),
              plain(compared.b.mean),
              `${signed(compared.difference.mean)} [${signed(compared.difference.low)}, ${signed(compared.difference.high)}]`,
            ],
      );
    }
    if (over)
      table.push([name, arm, 'all', '', '', '', `${signed(over.mean)} [${signed(over.low)}, ${signed(over.high)}]`]);
  }
}
const points = [];
for (const { name } of collections) {
  for (const arm of arms) {
    for (const label of ['0/0', '7/20', '5/20', '5/10']) {
      const found = seeds
        .map((seed) => frontierOf(arm, seed, name).points.find((one) => labelOf(one) === label))
        .filter(Boolean);
      if (found.length === 0) continue;
      const of = (read) => mean(found.map(read));
      points.push([
        ...[
          name,
          arm,
          `(${label.replace('/', ', ')})`,
          plain(of((point) => mean(point.measures[measure]))),
          of(({ cost }) => cost.flops).toPrecision(3),
        ],
        ...[
          of(({ cost }) => cost.queryActiveDims).toFixed(0),
          of(({ cost }) => cost.documentActiveDims).toFixed(0),
          of(({ cost }) => cost.postings.cv2).toFixed(1),
        ],
      ]);
    }
  }
}
const markdown = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
const text = [
  `${measure} at the FLOPS of ${reference.arm} at (5, 10), ${seeds.length} pre-training seeds; intervals of a seed are over queries, of all over seeds and queries\n\n`,
  markdown(['collection', 'arm', 'seed', 'FLOPS', 'arm there', reference.arm, 'difference'], table),
  '\nMeans over the seeds\n\n',
  markdown(['collection', 'arm', 'kept', measure, 'FLOPS', 'terms a query', 'a document', 'CV² of lists'], points),
].join('');
writeFileSync(at('result.json'), `${JSON.stringify(result, null, 2)}\n`);
writeFileSync(at('result.md'), text);
console.log(text);
