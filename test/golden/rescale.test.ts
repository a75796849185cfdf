/**
 * Corrected models of every family, written and opened again: their logits are those of transformers for the source model
 * (`scripts/golden/families.py`, float64), put through the formula of the arm, for both ways of storing them, in Lexray and,
 * exported, in ONNX. Arm A has a golden of its own, `scripts/golden/rescale_check.py golden`. The whole table, with
 * transformers, sentence-transformers and Transformers.js, is printed by the same script, by hand.
 */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { openModelFolder } from '../../src/checkpoint/layouts/model-folder.ts';
import { openSafetensors } from '../../src/checkpoint/safetensors-reader.ts';
import { Graph } from '../../src/compute/graph/graph.ts';
import { openOrtEngine } from '../../src/compute/runtime/ort-engine.ts';
import { exportOnnx } from '../../src/export/onnx.ts';
import type { Correction } from '../../src/head/correction.ts';
import { locateHead } from '../../src/head/locate-head.ts';
import { rescale } from '../../src/head/rescale.ts';
import { buildSpladeGraph, modelVariables } from '../../src/model/splade-graph.ts';
import { packTokens } from '../../src/model/token-layout.ts';
import { type FamilyGolden, maxPooled, ownCases, readFamilyGolden } from '../fixtures/family-goldens.ts';
import { tinyModel } from '../fixtures/model-folders.ts';
import { runOnnx } from '../fixtures/run-onnx.ts';

const tolerance = 1e-5;
const goldenOfArmA = fileURLToPath(new URL('../fixtures/goldens/rescale-arm-a.safetensors', import.meta.url));
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-rescale-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const cases: readonly (Correction & { readonly route: 'norm' | 'untied' | undefined; readonly onnx?: true })[] = [
  { arm: 'A', factor: 4, shift: 0, route: undefined, onnx: true },
  { arm: 'B', factor: 4, shift: 0, route: 'untied' },
  { arm: 'C', factor: 16, shift: 0, route: 'norm' },
  { arm: 'D', factor: 3, shift: -0.2, route: 'norm', onnx: true },
  { arm: 'D', factor: 0.5, shift: 0.1, route: 'untied' },
  { arm: 'E', factor: 7, shift: 0, route: 'untied', onnx: true },
];

describe.each(ownCases)('logits of corrected models: %s', (name) => {
  it.each(cases)('arm $arm, k = $factor, c = $shift, route $route', async ({ route, onnx, ...correction }) => {
    const golden = await readFamilyGolden(name);
    const source = join(folder, name);
    await cp(golden.model, source, { recursive: true });
    // The writer wants a tokenizer; whose it is does not matter here.
    await cp(join(tinyModel, 'tokenizer.json'), join(source, 'tokenizer.json'));
    const model = await openModelFolder(source);
    const output = join(folder, `${name}-${correction.arm}-${route}`);
    const { history } = await rescale(model, output, correction, { route, force: true });
    expect(history.corrections).toHaveLength(1);
    const wanted = await corrected(golden, source, correction);
    await model.close();
    const largest = wanted.reduce((most, z) => Math.max(most, Math.abs(z)), 0);
    const expectNear = (found: Float64Array): void => {
      found.forEach((z, at) => {
        expect(Math.abs(z - wanted[at]!), `term and sequence ${at}: ${z}, expected ${wanted[at]}`).toBeLessThanOrEqual(
          tolerance * largest,
        );
      });
      expect(found).toHaveLength(wanted.length);
    };
    expectNear(await pooledLogits(output, golden.sequences));
    if (!onnx) return;
    await exportOnnx({ model: output, output: `${output}-onnx` });
    expectNear(await pooledOnnxLogits(`${output}-onnx`, golden));
  });
});

/** What the arm's formula makes of the pooled logits of the source model, [V, S]. */
async function corrected(
  golden: FamilyGolden,
  source: string,
  { arm, factor, shift }: Correction,
): Promise<Float64Array> {
  if (arm === 'A') {
    const file = await openSafetensors(goldenOfArmA);
    const logits = await file.readTensor(golden.name);
    await file.close();
    return maxPooled({ ...golden, logits });
  }
  const checkpoint = await openCheckpoint(source);
  const { decoder, bias, width } = locateHead(checkpoint);
  const weight = await checkpoint.readTensor(decoder);
  const biases = bias === undefined ? undefined : await checkpoint.readTensor(bias);
  await checkpoint.close();
  const norms = Array.from({ length: weight.length / width }, (_, v) =>
    Math.hypot(...weight.subarray(v * width, (v + 1) * width)),
  );
  const used = norms.filter((norm) => norm > 0);
  const mean = used.reduce((sum, norm) => sum + norm, 0) / used.length;
  const texts = golden.sequences.length;
  return maxPooled(golden).map((z, at) => {
    const v = Math.floor(at / texts);
    const b = biases?.[v] ?? 0;
    switch (arm) {
      case 'B':
        return (z - b) / factor + b;
      case 'E':
        return z / (norms[v] === 0 ? factor : (factor * norms[v]!) / mean);
      default:
        return (z - shift) / factor;
    }
  });
}

async function pooledLogits(model: string, sequences: readonly Int32Array[]): Promise<Float64Array> {
  const warnings: string[] = [];
  const checkpoint = await openCheckpoint(model, { onWarning: (warning) => warnings.push(warning) });
  const engine = await openOrtEngine({ threads: 2 });
  try {
    const { config, family } = checkpoint;
    await engine.createVariables(modelVariables(config, false));
    for await (const { name, data } of checkpoint.loadWeights()) await engine.writeVariable(name, 'value', data);
    expect(warnings).toEqual([]);
    const packed = packTokens(sequences, { buckets: 1, ...family.shape(config) });
    const graph = new Graph();
    const options = { activation: 'relu', buckets: 1, trained: false, dropoutRate: 0 } as const;
    graph.output('logits', buildSpladeGraph(graph, config, options).logits);
    const { logits } = await (await engine.compile(graph)).run(packed.feeds);
    const data = logits!.data as Float32Array;
    const texts = sequences.length;
    return Float64Array.from(data, (_, at) => data[at - (at % texts) + packed.columns[at % texts]!]!);
  } finally {
    await engine.dispose();
    await checkpoint.close();
  }
}

async function pooledOnnxLogits(folder: string, golden: FamilyGolden): Promise<Float64Array> {
  const { sequences } = golden;
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as { pad_token_id?: number | null };
  const path = join(folder, 'onnx/model.onnx');
  const { values, starts, dims } = await runOnnx(path, 'logits', { sequences, paddingId: config.pad_token_id ?? 0 });
  const terms = dims[2]!;
  const logits = sequences.flatMap(({ length }, s) => [
    ...values.subarray(starts[s]! * terms, (starts[s]! + length) * terms),
  ]);
  return maxPooled({ ...golden, logits: Float32Array.from(logits) });
}
