/**
 * One SPLADE training step of every model family against PyTorch and transformers (`scripts/golden/family_steps.py`,
 * float64): loss, its parts, and the gradient of every weight, in one graph and with cached gradients.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { openSafetensors } from '../../src/checkpoint/safetensors-reader.ts';
import { openOrtEngine } from '../../src/compute/runtime/ort-engine.ts';
import { modelVariables } from '../../src/model/splade-graph.ts';
import { modelOf, ownCases } from '../fixtures/family-goldens.ts';
import { regularizerWeights, spladeStep } from '../fixtures/training-step.ts';

interface StepGolden {
  readonly settings: { readonly queryRegularizerWeight: number; readonly documentRegularizerWeight: number };
  readonly batch: Readonly<Record<'queries' | 'positives' | 'negatives', readonly number[][]>>;
  readonly loss: number;
  readonly baseLoss: number;
  readonly queryFlops: number;
  readonly documentFlops: number;
}

describe('a training step of every family', () => {
  it.each(ownCases)('%s', async (name) => {
    const folder = modelOf(name);
    const golden = JSON.parse(readFileSync(join(folder, 'step.json'), 'utf8')) as StepGolden;
    const wanted = await readGradients(join(folder, 'step.safetensors'));
    const checkpoint = await openCheckpoint(folder);
    const { config, family } = checkpoint;
    const engine = await openOrtEngine({ threads: 2 });
    try {
      const variables = modelVariables(config, true);
      await engine.createVariables(variables);
      for await (const { name: weight, data } of checkpoint.loadWeights()) {
        await engine.writeVariable(weight, 'value', data);
      }
      const ids = (lists: readonly number[][]): Int32Array[] => lists.map((list) => Int32Array.from(list));
      const { queries, positives, negatives } = golden.batch;
      const batch = {
        queries: ids(queries),
        documents: ids([...positives, ...negatives]),
        otherPositives: [],
        ownNegatives: [],
        teacherScores: [],
      };
      const { queryRegularizerWeight: q, documentRegularizerWeight: d } = golden.settings;
      for (const options of [{ buckets: 3 }, { chunkSize: 2 }]) {
        const step = spladeStep(engine, config, options);
        const result = await step.run(batch, { regularizerWeights: regularizerWeights(q, d), seed: 0, step: 1 });
        expect(result.loss).toBeCloseTo(golden.loss, 4);
        expect(result.baseLoss).toBeCloseTo(golden.baseLoss, 4);
        expect(result.parts.query_regularizer_loss).toBeCloseTo(q * golden.queryFlops, 4);
        expect(result.parts.document_regularizer_loss).toBeCloseTo(d * golden.documentFlops, 4);

        const total = Math.sqrt([...wanted.values()].reduce((sum, gradient) => sum + squares(gradient), 0));
        for (const { name: variable } of variables) {
          const found = await engine.readVariable(variable, 'gradient');
          // transformers 5 computes with a copy of the output bias and leaves the bias itself alone.
          const names = variable === family.tied.bias ? [variable, family.tied.biasCopy] : [variable];
          const parts = names.flatMap((key) => (key !== undefined && wanted.has(key) ? [wanted.get(key)!] : []));
          expect(parts.length, variable).toBeGreaterThan(0);
          const expected = parts.reduce((sum, part) => sum.map((x, i) => x + part[i]!));
          expect(found.length, variable).toBe(expected.length);
          const error = Math.sqrt(squares(found.map((x, i) => x - expected[i]!)));
          const norm = Math.sqrt(squares(expected));
          // The bias of keys has the gradient 0 but for rounding: softmax ignores it.
          if (norm < 1e-12 * total) expect(error / total, `${variable}: zero`).toBeLessThan(1e-6);
          else expect(error / norm, `${variable}: relative L2 error`).toBeLessThan(1e-4);
        }
      }
    } finally {
      await engine.dispose();
      await checkpoint.close();
    }
  });
});

async function readGradients(path: string): Promise<Map<string, Float32Array>> {
  const file = await openSafetensors(path);
  const gradients = new Map<string, Float32Array>();
  for (const name of file.tensors.keys()) gradients.set(name, await file.readTensor(name));
  await file.close();
  return gradients;
}

function squares(values: Float32Array): number {
  return values.reduce((sum, x) => sum + x * x, 0);
}
