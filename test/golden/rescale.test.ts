/**
 * Corrected models of every family, written and opened again: their logits are those of transformers for the source model
 * (`scripts/golden/families.py`, float64), put through the formula of the arm, for both ways of storing them. The same
 * models are checked in transformers and sentence-transformers by `scripts/golden/rescale_check.py`, by hand.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { openModelFolder } from '../../src/checkpoint/layouts/model-folder.ts';
import { Graph } from '../../src/compute/graph/graph.ts';
import { openOrtEngine } from '../../src/compute/runtime/ort-engine.ts';
import type { Correction } from '../../src/head/correction.ts';
import { locateHead } from '../../src/head/locate-head.ts';
import { rescale } from '../../src/head/rescale.ts';
import { buildSpladeGraph, modelVariables } from '../../src/model/splade-graph.ts';
import { packTokens } from '../../src/model/token-layout.ts';
import { type FamilyGolden, maxPooled, ownCases, readFamilyGolden } from '../fixtures/family-goldens.ts';
import { tinyModel } from '../fixtures/model-folders.ts';

const tolerance = 1e-5;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-rescale-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const cases: readonly (Correction & { readonly route: 'norm' | 'untied' })[] = [
  { arm: 'B', factor: 4, shift: 0, route: 'untied' },
  { arm: 'C', factor: 16, shift: 0, route: 'norm' },
  { arm: 'D', factor: 3, shift: -0.2, route: 'norm' },
  { arm: 'D', factor: 0.5, shift: 0.1, route: 'untied' },
  { arm: 'E', factor: 7, shift: 0, route: 'untied' },
];

describe.each(ownCases)('logits of corrected models: %s', (name) => {
  it.each(cases)('arm $arm, k = $factor, c = $shift, route $route', async ({ route, ...correction }) => {
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
    const found = await pooledLogits(output, golden.sequences);
    found.forEach((z, at) => {
      expect(Math.abs(z - wanted[at]!), `term and sequence ${at}: ${z}, expected ${wanted[at]}`).toBeLessThanOrEqual(
        tolerance * largest,
      );
    });
    expect(found).toHaveLength(wanted.length);
  });
});

/** What the arm's formula makes of the pooled logits of the source model, [V, S]. */
async function corrected(
  golden: FamilyGolden,
  source: string,
  { arm, factor, shift }: Correction,
): Promise<Float64Array> {
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
