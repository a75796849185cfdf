// The guard's table: a head that only masked language modelling has trained, its logits multiplied by 2^-4 … 2^5, is fine-tuned with
// each scale under `--guard warn`. A run that warns goes on, so that one run tells both when the guard would have stopped it and what
// would have become of it. Prints a table in Markdown; what is done is kept in --out, and a repeated command goes on from there.
//
//     node scripts/guard-scales.mjs --model MODEL --data TRAINING_DATA --dev BEIR [--dev-split dev] --out FILE.json
//         [--exponents -4,-3,-2,-1,0,1,2,3,4,5] [--steps 300] [--batch-size 32] [--length 48] [--recipe rescaling-2606.18811]
//         [--examples 20000] [--documents 3000] [--seed 1] [--threads 1]
//
// MODEL was only ever a language model. --examples and --documents are sampled by the seed. An end counts as collapsed as the
// calibration study defines it: the median document has less than one active dimension or more than half of the vocabulary, or
// nDCG@10 on dev is below half of the best end of all scales.
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root, setUp } from './setup.mjs';

const { values: given } = parseArgs({
  options: {
    model: { type: 'string' },
    data: { type: 'string' },
    dev: { type: 'string' },
    'dev-split': { type: 'string', default: 'dev' },
    out: { type: 'string' },
    exponents: { type: 'string', default: '-4,-3,-2,-1,0,1,2,3,4,5' },
    steps: { type: 'string', default: '300' },
    'batch-size': { type: 'string', default: '32' },
    length: { type: 'string', default: '48' },
    recipe: { type: 'string', default: 'rescaling-2606.18811' },
    examples: { type: 'string', default: '20000' },
    documents: { type: 'string', default: '3000' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '1' },
  },
});
const missing = ['model', 'data', 'dev', 'out'].find((name) => given[name] === undefined);
if (missing !== undefined) {
  console.error(`--${missing} is missing; the head of this file says how`);
  process.exit(2);
}
const [seed, threads, steps] = [Number(given.seed), Number(given.threads), Number(given.steps)];

setUp();
const module = (path) => import(pathToFileURL(join(root, 'dist', `${path}.js`)).href);
const { finetune, loadBeir, loadRecipe, openModelFolder, readTrainingExamples, retrieve, SparseEncoder, evaluateRun } =
  await module('index');
const { rescale } = await module('head/rescale');
const { sampleCollection } = await module('train/dev-evaluation');
const { rowLengths } = await module('vectors/statistics');
const { Random } = await module('util/random');

const { model: _, data: __, dev: ___, out: ____, exponents: _____, threads: ______, ...settings } = given;
const before = existsSync(given.out) ? JSON.parse(readFileSync(given.out, 'utf8')) : undefined;
if (before !== undefined && JSON.stringify(before.settings) !== JSON.stringify(settings)) {
  console.error(`${given.out} was made with other settings; remove it or name another file`);
  process.exit(2);
}
const cells = before?.cells ?? [];
const all = await readTrainingExamples(given.data);
const order = new Random(seed).shuffle(Uint32Array.from(all, (_example, i) => i));
const examples = Array.from(order.subarray(0, Number(given.examples)), (i) => all[i]);
const whole = await loadBeir(given.dev, { split: given['dev-split'] });
const collection = await sampleCollection(whole, Number(given.documents), seed);

for (const exponent of given.exponents.split(',').map(Number)) {
  if (cells.some((cell) => cell.exponent === exponent)) continue;
  const cell = await run(exponent);
  cells.push(cell);
  cells.sort((a, b) => a.exponent - b.exponent);
  writeFileSync(`${given.out}.partial`, `${JSON.stringify({ settings, cells }, null, 1)}\n`);
  renameSync(`${given.out}.partial`, given.out);
  console.error(`2^${exponent}: ${cell.seconds.toFixed(0)} s, nDCG@10 ${cell.start.nDCG} → ${cell.end?.nDCG}`);
}
console.log(table(cells));

async function run(exponent) {
  const folder = mkdtempSync(join(tmpdir(), 'lexray-guard-'));
  try {
    const started = performance.now();
    const scaled = join(folder, 'scaled');
    const model = await openModelFolder(given.model);
    await rescale(model, scaled, { arm: 'C', factor: 2 ** -exponent, shift: 0 });
    await model.close();
    const start = await measure(scaled);
    const trained = join(folder, 'trained');
    const rows = [];
    let failure;
    let alarms = [];
    try {
      const result = await finetune({
        model: scaled,
        output: trained,
        examples,
        threads,
        settings: {
          ...loadRecipe(given.recipe).settings,
          maxSteps: steps,
          batchSize: Number(given['batch-size']),
          accumulationSteps: 1,
          queryMaxLength: Number(given.length),
          documentMaxLength: Number(given.length),
          headCheck: false,
          guard: { mode: 'warn' },
          saveEvery: steps,
          logEvery: 10,
          seed,
        },
        onMetrics: (row) => rows.push(row),
      });
      alarms = result.alarms;
    } catch (error) {
      if (!['GATE', 'FAILED'].includes(error.code)) throw error;
      failure = error.message;
    }
    const end = failure === undefined ? await measure(trained) : undefined;
    const curve = rows.map(({ step, base_loss, query_active_dims, document_active_dims, document_zero_ratio }) => {
      return [step, base_loss, query_active_dims, document_active_dims, document_zero_ratio];
    });
    const seconds = (performance.now() - started) / 1000;
    return { exponent, start, end, alarms, failure, curve, seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(folder) {
  const encoder = await SparseEncoder.load(folder, { threads });
  try {
    const { run: found, queries, documents } = await retrieve(encoder, collection, { k: 10 });
    const { mean } = evaluateRun(collection.qrels, found, ['nDCG@10']);
    const nDCG = Number([...mean.values()][0].toFixed(4));
    return { nDCG, queries: median(queries), documents: median(documents), vocabulary: documents.dimensions };
  } finally {
    await encoder.dispose();
  }
}

function median(vectors) {
  const lengths = rowLengths(vectors).sort();
  return lengths[Math.floor((lengths.length - 1) / 2)] ?? 0;
}

function table(done) {
  const best = Math.max(...done.map(({ end }) => end?.nDCG ?? 0));
  const collapsed = ({ end }) =>
    end === undefined || end.documents < 1 || end.documents > end.vocabulary / 2 || end.nDCG < best / 2;
  const three = (x) => x.toFixed(3).replace(/^0/, '');
  const lines = done.map((cell) => {
    const { exponent, start, end, alarms, failure } = cell;
    const first = alarms[0];
    const stop = first ? `${first.step}: ${first.side} ${first.kind}` : failure ? failure.slice(0, 60) : 'never';
    const others = alarms.slice(1).map(({ side, kind, step }) => `${side} ${kind} ${step}`);
    const recovered = alarms.map(({ recovered: at }) => at ?? 'no');
    const verdict = (first ?? failure) ? (collapsed(cell) ? 'right' : 'wrong') : collapsed(cell) ? 'missed' : '';
    return [
      `2^${exponent}`,
      `${three(start.nDCG)}, ${start.queries} / ${start.documents}`,
      [stop, ...others].join('; '),
      recovered.join('; '),
      end ? `${three(end.nDCG)}, ${end.queries} / ${end.documents}` : '',
      collapsed(cell) ? 'collapsed' : 'healthy',
      verdict,
    ];
  });
  const head = [
    'scale',
    'start: nDCG@10, median q / d',
    'would stop at',
    'over at step',
    'end',
    'the end is',
    'the guard',
  ];
  return [head, head.map(() => '---'), ...lines].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
