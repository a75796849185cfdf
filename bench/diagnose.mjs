// Time and memory of `lexray diagnose` on a model of BERT-base's size with random weights and 512 texts of 64 tokens.
//
//     node scripts/build.mjs && node bench/diagnose.mjs [--tokenizer FOLDER] [--report] [--threads 2]
//
// FOLDER holds a tokenizer.json of at most 30,522 tokens. The claim: at most 60 s on 2 cores, loading included, and at most
// twice the size of the weights in memory. The load of the machine is printed: what else runs counts too.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    tokenizer: { type: 'string', default: join(root, '..', 'shared', 'data', 'ckpt-splade-tiny') },
    report: { type: 'boolean', default: false },
    threads: { type: 'string', default: '2' },
    child: { type: 'string' },
  },
});
const from = (path) => import(new URL(`../dist/${path}`, import.meta.url).href);

if (values.child !== undefined) await diagnoseInThisProcess(values.child);
else await bench();

async function bench() {
  if (!existsSync(join(values.tokenizer, 'tokenizer.json'))) {
    throw new Error(`no tokenizer.json in ${values.tokenizer}: name a folder with --tokenizer`);
  }
  const folder = mkdtempSync(join(tmpdir(), 'lexray-bench-'));
  try {
    const weightBytes = await writeModel(join(folder, 'model'));
    writeFileSync(join(folder, 'texts.txt'), `${await longTexts()}\n`);
    const before = loadavg()[0];
    const start = performance.now();
    const args = [fileURLToPath(import.meta.url), '--child', folder, '--threads', values.threads];
    const child = spawnSync(process.execPath, [...args, ...(values.report ? ['--report'] : [])], { encoding: 'utf8' });
    const seconds = (performance.now() - start) / 1000;
    if (child.status !== 0) throw new Error(child.stderr);
    const { maxRss, cpuSeconds, verdict, phases } = JSON.parse(child.stdout);
    console.log(
      `machine: ${cpus()[0].model}, ${cpus().length} cores; load ${before.toFixed(1)} before, ${loadavg()[0].toFixed(1)} after`,
    );
    console.log(`weights: ${(weightBytes / 2 ** 20).toFixed(0)} MiB`);
    console.log(
      `time:    ${seconds.toFixed(1)} s with ${values.threads} threads (${cpuSeconds.toFixed(1)} s of processor time; ${phases.join(', ')})`,
    );
    console.log(
      `memory:  ${(maxRss / 2 ** 20).toFixed(0)} MiB at its highest, ${(maxRss / weightBytes).toFixed(2)} times the weights`,
    );
    console.log(`verdict: ${verdict}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writeModel(folder) {
  const [{ writeModelFolder }, { initializeWeights }, { bertConfigSchema }] = await Promise.all([
    from('checkpoint/layouts/write-model-folder.js'),
    from('model/initialize-weights.js'),
    from('checkpoint/families/bert-config.js'),
  ]);
  const config = bertConfigSchema.parse({
    model_type: 'bert',
    vocab_size: 30522,
    hidden_size: 768,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    intermediate_size: 3072,
  });
  let bytes = 0;
  function* weights() {
    for (const weight of initializeWeights(config, { seed: 1 })) {
      bytes += weight.data.byteLength;
      // A head that looks trained, and too large: an untrained one would not be calibrated.
      if (weight.name === 'cls.predictions.transform.LayerNorm.weight') weight.data.fill(6);
      yield weight;
    }
  }
  await writeModelFolder(folder, { config, weights: weights(), tokenizer: values.tokenizer });
  return bytes;
}

/** 512 lines of more than 64 tokens. */
async function longTexts() {
  const { loadTokenizer } = await from('tokenizer/load-tokenizer.js');
  const { Random } = await from('util/random.js');
  const tokenizer = await loadTokenizer(values.tokenizer);
  const words = Array.from({ length: tokenizer.size }, (_, id) => tokenizer.token(id)).filter((word) =>
    /^[a-z]{3,}$/.test(word ?? ''),
  );
  const random = new Random(7);
  const line = () => Array.from({ length: 80 }, () => words[random.integer(words.length)]).join(' ');
  return Array.from({ length: 512 }, line).join('\n');
}

async function diagnoseInThisProcess(folder) {
  const [{ openModelFolder }, { diagnose }, { readTexts }] = await Promise.all([
    from('checkpoint/layouts/model-folder.js'),
    from('head/diagnose.js'),
    from('data/read-texts.js'),
  ]);
  const texts = [];
  for await (const { text } of readTexts(join(folder, 'texts.txt'))) texts.push(text);
  const marks = [];
  const start = performance.now();
  const model = await openModelFolder(join(folder, 'model'));
  const diagnosis = await diagnose(model, {
    texts: { texts, source: 'words' },
    threads: Number(values.threads),
    curves: values.report,
    onProgress: ({ phase, done, total }) => {
      if (done === total) marks.push(`${phase} until ${((performance.now() - start) / 1000).toFixed(1)} s`);
    },
  });
  await model.close();
  const verdict = diagnosis.verdicts.map(({ title }) => title).join(', ');
  const { user, system } = process.cpuUsage();
  const cpuSeconds = (user + system) / 1e6;
  process.stdout.write(
    JSON.stringify({ cpuSeconds, maxRss: process.resourceUsage().maxRSS * 1024, verdict, phases: marks }),
  );
}
