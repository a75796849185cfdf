// The Node side of `rescale_check.py`, which see: Lexray itself, and its ONNX exports in Transformers.js.
//
//     node scripts/golden/rescale_check.mjs lexray WORK
//     node scripts/golden/rescale_check.mjs transformers.js WORK MODULES
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [library, work, modules] = process.argv.slice(2);
const from = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href);
const rows = JSON.parse(readFileSync(join(work, 'rows.json'), 'utf8'));

if (library === 'lexray') await withLexray();
else if (library === 'transformers.js') await withTransformersJs(resolve(modules));
else throw new Error('lexray or transformers.js?');

async function withLexray() {
  const [
    { exportOnnx },
    { SparseEncoder },
    { openCheckpoint },
    { openOrtEngine },
    { Graph },
    splade,
    { Linear },
    layout,
  ] = await Promise.all([
    from('export/onnx.js'),
    from('model/sparse-encoder.js'),
    from('checkpoint/checkpoint.js'),
    from('compute/runtime/ort-engine.js'),
    from('compute/graph/graph.js'),
    from('model/splade-graph.js'),
    from('compute/graph/ops/index.js'),
    from('model/token-layout.js'),
  ]);
  rmSync(join(work, 'onnx'), { recursive: true, force: true });
  mkdirSync(join(work, 'onnx'));
  await measure('Lexray', async ({ key, sequences, texts }) => {
    const folder = join(work, 'rescaled', key);
    await exportOnnx({ model: folder, output: join(work, 'onnx', key) });

    const checkpoint = await openCheckpoint(folder);
    const { config, family } = checkpoint;
    const engine = await openOrtEngine({ threads: 1 });
    await engine.createVariables(splade.modelVariables(config, false));
    for await (const { name, data } of checkpoint.loadWeights()) await engine.writeVariable(name, 'value', data);
    await checkpoint.close();
    const graph = new Graph();
    const { hidden, weight, bias } = splade.buildHeadGraph(graph, config, { buckets: 1, dropoutRate: 0 });
    graph.output('logits', Linear(hidden, weight, bias));
    const program = await engine.compile(graph);
    const parts = [];
    for (const ids of sequences) {
      const packed = layout.packTokens([Int32Array.from(ids)], { buckets: 1, ...family.shape(config) });
      parts.push((await program.run(packed.feeds)).logits.data);
    }
    await engine.dispose();

    const encoder = await SparseEncoder.load(folder, { threads: 1 });
    const vectors = [];
    for (const text of texts) {
      const { indices, values } = await encoder.encodeOne(text, { kind: 'document' });
      const dense = new Float64Array(encoder.dimensions);
      indices.forEach((term, i) => {
        dense[term] = values[i];
      });
      vectors.push(dense);
    }
    await encoder.dispose();
    return { logits: joined(parts), vectors: joined(vectors) };
  });
}

async function withTransformersJs(folder) {
  const require = createRequire(join(folder, 'package.json'));
  const entry = pathToFileURL(require.resolve('@huggingface/transformers')).href;
  const { AutoModel, AutoModelForMaskedLM, AutoTokenizer, Tensor, env } = await import(entry);
  env.allowRemoteModels = false;
  env.localModelPath = '';
  const session = { dtype: 'fp32', session_options: { intraOpNumThreads: 1, logSeverityLevel: 3 } };
  await measure(`Transformers.js ${env.version}`, async ({ key, sequences, texts }) => {
    const path = resolve(work, 'onnx', key);
    const model = await AutoModelForMaskedLM.from_pretrained(path, session).catch((error) => {
      if (/Unsupported model type/.test(error.message)) return undefined;
      throw error;
    });
    if (model === undefined) return undefined;
    const pooled = await AutoModel.from_pretrained(path, { ...session, model_file_name: 'splade' });
    const tokenizer = await AutoTokenizer.from_pretrained(path);
    const logits = [];
    for (const ids of sequences) {
      const tensor = (values) => new Tensor('int64', BigInt64Array.from(values, BigInt), [1, ids.length]);
      const output = await model({ input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)) });
      logits.push(output.logits.data);
    }
    // All texts at once: padded, by its tokenizer.
    const { weights } = await pooled(await tokenizer(texts, { padding: true, truncation: true }));
    await Promise.all([model.dispose(), pooled.dispose()]);
    return { logits: joined(logits), vectors: weights.data };
  });
}

/** Runs every model and writes the differences of logits and of vectors. */
async function measure(name, run) {
  const results = { logits: {}, vectors: {} };
  for (const row of rows) {
    const found = await run(row);
    for (const kind of ['logits', 'vectors']) {
      results[kind][row.key] = found ? relativeDifference(found[kind], expected(`${row.key}.${kind}`)) : 'refused';
    }
    process.stderr.write('.');
  }
  process.stderr.write('\n');
  const folder = join(work, 'results');
  if (!existsSync(folder)) mkdirSync(folder);
  for (const [kind, values] of Object.entries(results)) {
    writeFileSync(join(folder, `${name}, ${kind}.json`), JSON.stringify(values));
  }
}

function joined(parts) {
  return parts.flatMap((part) => Array.from(part));
}

function expected(name) {
  const { buffer, byteOffset, length } = readFileSync(join(work, 'expected', name));
  return new Float64Array(buffer.slice(byteOffset, byteOffset + length));
}

/** Largest difference in units of the largest number; a text where something is missing or NaN. */
function relativeDifference(found, wanted) {
  if (found.length !== wanted.length) return `${found.length} numbers, not ${wanted.length}`;
  let [difference, largest] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const apart = Math.abs(found[i] - wanted[i]);
    if (Number.isNaN(apart)) return 'NaN';
    difference = Math.max(difference, apart);
    largest = Math.max(largest, Math.abs(wanted[i]));
  }
  return difference / Math.max(largest, 1e-30);
}
