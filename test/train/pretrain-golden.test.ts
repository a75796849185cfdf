/**
 * One step of masked language modelling against PyTorch and transformers (`scripts/golden/mlm_step.py`, float64): the loss,
 * what is predicted, and every gradient; with a decoder of the tokenizer's pieces, and with one of unigrams.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import type { ModelConfig } from '../../src/checkpoint/families/model-family.ts';
import { openSafetensors } from '../../src/checkpoint/safetensors-reader.ts';
import type { Graph } from '../../src/compute/graph/graph.ts';
import type { Engine, VariableSpec } from '../../src/compute/runtime/engine.ts';
import { openOrtEngine } from '../../src/compute/runtime/ort-engine.ts';
import type { Decoder } from '../../src/model/masked-cross-entropy.ts';
import { modelVariables } from '../../src/model/splade-graph.ts';
import { type MaskedSequence, MaskedStep, type MaskedStepOptions } from '../../src/train/pretrain/masked-step.ts';

interface GoldenCase {
  readonly model: string;
  readonly batch: readonly { ids: number[]; positions: number[]; labels: number[] }[];
  readonly expected: { readonly loss: number; readonly correct: number };
  readonly gradients: Record<string, { readonly norm: number; readonly zero?: true }>;
}

const goldens = fileURLToPath(new URL('../fixtures/goldens', import.meta.url));
const folder = join(goldens, 'mlm-step');
const { cases } = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8')) as {
  cases: Record<string, GoldenCase>;
};

describe.each(Object.entries(cases))('mlm-step, %s', (name, golden) => {
  let engine: Engine;
  let config: ModelConfig;
  let variables: VariableSpec[];
  let expanded: VariableSpec[];

  beforeAll(async () => {
    const checkpoint = await openCheckpoint(join(goldens, golden.model));
    config = checkpoint.config;
    const decoder =
      name === 'expanded' ? await openSafetensors(join(folder, 'expanded-decoder.safetensors')) : undefined;
    const shape = {
      weight: await decoder?.readTensor('decoder.weight'),
      bias: await decoder?.readTensor('decoder.bias'),
    };
    const terms = shape.bias?.length ?? 0;
    expanded = terms
      ? [
          { name: 'decoder.weight', dims: [terms, shape.weight!.length / terms], trainable: true },
          { name: 'decoder.bias', dims: [terms], trainable: true },
        ]
      : [];
    variables = [...modelVariables(config, true), ...expanded];
    engine = await openOrtEngine({ threads: 2 });
    await engine.createVariables(variables);
    for await (const weight of checkpoint.loadWeights()) await engine.writeVariable(weight.name, 'value', weight.data);
    for (const [part, data] of Object.entries(shape))
      if (data) await engine.writeVariable(`decoder.${part}`, 'value', data);
    await decoder?.close();
    await checkpoint.close();
  });
  afterAll(() => engine.dispose());

  const batch = golden.batch.map(
    ({ ids, positions, labels }): MaskedSequence => ({
      ids: Int32Array.from(ids),
      positions: Int32Array.from(positions),
      labels: Int32Array.from(labels),
    }),
  );
  const options = (softmaxBytes: number): MaskedStepOptions => ({
    buckets: 3,
    dropoutRate: 0,
    softmaxBytes,
    ...(expanded.length > 0 && {
      decoder: (graph: Graph): Decoder => ({
        weight: graph.variable('decoder.weight', expanded[0]!.dims),
        bias: graph.variable('decoder.bias', expanded[1]!.dims),
      }),
    }),
  });

  it.each([
    ['in one part', 2 ** 20],
    ['in several parts', 2 ** 12],
  ])('gives the loss and every gradient, %s', async (_title, softmaxBytes) => {
    const step = new MaskedStep(engine, config, options(softmaxBytes));
    const found = await step.run(batch, { seed: 0, step: 1 });
    expect(found.loss).toBeCloseTo(golden.expected.loss, 5);
    expect(found.tokenCount).toBe(golden.batch.reduce((sum, { ids }) => sum + ids.length, 0));
    const file = await openSafetensors(join(folder, `${name}.safetensors`));
    for (const [parameter, { zero }] of Object.entries(golden.gradients)) {
      const [gradient, wanted] = [await engine.readVariable(parameter, 'gradient'), await file.readTensor(parameter)];
      expect(gradient.length, parameter).toBe(wanted.length);
      const difference = Math.hypot(...gradient.map((x, i) => x - wanted[i]!));
      expect(difference / (zero ? 1 : Math.hypot(...wanted)), parameter).toBeLessThan(1e-5);
    }
    await file.close();
    const trained = new Set(Object.keys(golden.gradients));
    const left = variables.filter((variable) => !trained.has(variable.name)).map((variable) => variable.name);
    expect(left).toEqual(name === 'expanded' ? ['cls.predictions.bias'] : []);
  });

  it('counts what is predicted', async () => {
    const found = await new MaskedStep(engine, config, options(2 ** 20)).evaluate(batch);
    expect(found.correct).toBe(golden.expected.correct);
    expect(found.correct).toBeGreaterThan(3);
    expect(found.loss / found.maskedCount).toBeCloseTo(golden.expected.loss, 5);
  });
});
