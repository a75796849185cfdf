/**
 * One SPLADE training step and five AdamW steps against PyTorch (`scripts/golden/splade_step.py`, float64):
 * loss, its parts, pooled vectors, every gradient, and the weights after training.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import type { ModelConfig } from '../../src/checkpoint/families/model-family.ts';
import { openSafetensors } from '../../src/checkpoint/safetensors-reader.ts';
import type { Engine } from '../../src/compute/runtime/engine.ts';
import { openOrtEngine } from '../../src/compute/runtime/ort-engine.ts';
import { modelVariables } from '../../src/model/splade-graph.ts';
import type { StepResult, TrainingStep } from '../../src/train/training-step.ts';
import { regularizerWeights, spladeStep } from '../fixtures/training-step.ts';

interface Batch {
  readonly queries: readonly number[][];
  readonly positives: readonly number[][];
  readonly negatives: readonly number[][];
}

interface Golden {
  readonly model?: unknown;
  readonly settings: { temperature: number; queryRegularizerWeight: number; documentRegularizerWeight: number };
  readonly batch: Batch;
  readonly expected: { loss: number; baseLoss: number; queryFlops: number; documentFlops: number };
  readonly gradients: Record<string, { norm: number; zero?: true; rows?: number[]; projections?: number[] }>;
  readonly training?: {
    readonly optimizer: { beta1: number; beta2: number; epsilon: number; weightDecay: number; maxGradNorm: number };
    readonly steps: { batch: Batch; learningRate: number; loss: number; gradNorm: number }[];
    readonly parameters: Record<string, { zero?: true }>;
  };
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const goldens = join(root, 'test/fixtures/goldens');
const shared = join(root, '../shared');
const cases = [
  { name: 'splade-step-tied', model: join(goldens, 'splade-step-tied/model') },
  { name: 'splade-step-untied', model: join(goldens, 'splade-step-untied/model') },
  { name: 'splade-step-tiny', model: join(shared, 'goldens/hf_tiny') },
  { name: 'splade-step-checkpoint', model: join(shared, 'data/ckpt-splade-tiny') },
];

for (const { name, model } of cases) {
  describe.skipIf(!existsSync(model))(`${name}${existsSync(model) ? '' : ' (skipped: ../shared is not there)'}`, () => {
    const golden = JSON.parse(readFileSync(join(goldens, name, 'golden.json'), 'utf8')) as Golden;
    let engine: Engine;
    let config: ModelConfig;
    let training: TrainingStep;

    beforeAll(async () => {
      const checkpoint = await openCheckpoint(model);
      config = checkpoint.config;
      engine = await openOrtEngine({ threads: 2 });
      await engine.createVariables(modelVariables(config, true));
      for await (const { name: weight, data } of checkpoint.loadWeights())
        await engine.writeVariable(weight, 'value', data);
      await checkpoint.close();
      training = spladeStep(engine, config, { temperature: golden.settings.temperature });
    });
    afterAll(() => engine.dispose());

    const run = (batch: Batch, step: number): Promise<StepResult> => {
      const ids = (lists: readonly number[][]): Int32Array[] => lists.map((list) => Int32Array.from(list));
      const { queryRegularizerWeight, documentRegularizerWeight } = golden.settings;
      return training.run(
        {
          queries: ids(batch.queries),
          documents: ids([...batch.positives, ...batch.negatives]),
          otherPositives: [],
          ownNegatives: [],
          teacherScores: [],
        },
        { regularizerWeights: regularizerWeights(queryRegularizerWeight, documentRegularizerWeight), seed: 0, step },
      );
    };

    it('gives the loss and every gradient', async () => {
      const { expected, settings } = golden;
      const result = await run(golden.batch, 1);
      expect(result.loss).toBeCloseTo(expected.loss, 4);
      expect(result.baseLoss).toBeCloseTo(expected.baseLoss, 4);
      expect(result.parts.query_regularizer_loss).toBeCloseTo(expected.queryFlops * settings.queryRegularizerWeight, 4);
      expect(result.parts.document_regularizer_loss).toBeCloseTo(
        expected.documentFlops * settings.documentRegularizerWeight,
        4,
      );

      const file = await openSafetensors(join(goldens, name, 'gradients.safetensors'));
      const names = Object.keys(golden.gradients);
      expect(new Set(names)).toEqual(new Set(modelVariables(config, true).map((variable) => variable.name)));
      for (const parameter of names) {
        const found = await engine.readVariable(parameter, 'gradient');
        const { norm, zero, rows, projections } = golden.gradients[parameter]!;
        if (projections) {
          const error = projectionError(found, projections) / norm;
          expect(error, `${parameter}: projected error`).toBeLessThan(1e-4);
        }
        if (rows) {
          const stored = await file.readTensor(`${parameter}.rows`);
          const width = stored.length / rows.length;
          const picked = Float32Array.from(
            stored,
            (_, i) => found[rows[Math.floor(i / width)]! * width + (i % width)]!,
          );
          expect(relativeError(picked, stored), `${parameter}: rows`).toBeLessThan(1e-4);
        }
        if (projections) continue;
        const wanted = await file.readTensor(parameter);
        if (zero) expect(largest(found), `${parameter}: zero`).toBeLessThan(1e-5);
        else expect(relativeError(found, wanted), parameter).toBeLessThan(1e-4);
      }
      await file.close();
    });

    it.runIf(golden.training)('gives the weights after five AdamW steps', async () => {
      const { optimizer, steps, parameters } = golden.training!;
      const initial = new Map<string, Float32Array>();
      for (const variable of Object.keys(parameters))
        initial.set(variable, await engine.readVariable(variable, 'value'));
      const withoutDecay = new Set(
        modelVariables(config, true)
          .filter((v) => v.dims.length < 2)
          .map((v) => v.name),
      );
      for (const [i, expected] of steps.entries()) {
        const result = await run(expected.batch, i + 1);
        expect(result.loss, `loss of step ${i + 1}`).toBeCloseTo(expected.loss, 3);
        const { gradientNorm } = await engine.adamW({
          step: i + 1,
          learningRate: expected.learningRate,
          beta1: optimizer.beta1,
          beta2: optimizer.beta2,
          epsilon: optimizer.epsilon,
          weightDecay: optimizer.weightDecay,
          withoutDecay,
          maxGradientNorm: optimizer.maxGradNorm,
        });
        expect(gradientNorm / expected.gradNorm, `gradient norm of step ${i + 1}`).toBeCloseTo(1, 3);
      }
      const trained = await openSafetensors(join(goldens, name, 'trained.safetensors'));
      for (const [variable, start] of initial) {
        if (parameters[variable]!.zero) continue;
        const moved = (values: Float32Array): Float32Array => values.map((value, i) => value - start[i]!);
        const found = moved(await engine.readVariable(variable, 'value'));
        const wanted = moved(await trained.readTensor(variable));
        expect(relativeError(found, wanted), variable).toBeLessThan(1e-2);
      }
      await trained.close();
    });
  });
}

function relativeError(found: Float32Array, wanted: Float32Array): number {
  let difference = 0;
  let total = 0;
  for (let i = 0; i < wanted.length; i++) {
    difference += (found[i]! - wanted[i]!) ** 2;
    total += wanted[i]! ** 2;
  }
  return found.length === wanted.length ? Math.sqrt(difference / total) : Number.NaN;
}

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** √ of the mean squared difference of seeded ±1 projections: an estimate of the L2 error; see `splade_step.py`. */
function projectionError(values: Float32Array, projections: readonly number[]): number {
  const sums = new Float64Array(projections.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === 0) continue;
    for (let word = 0; word < 2; word++) {
      const bits = mix(2 * i + word);
      for (let bit = 0; bit < 32; bit++) sums[32 * word + bit]! += (bits >>> bit) & 1 ? -value : value;
    }
  }
  const mean = projections.reduce((sum, wanted, j) => sum + (sums[j]! - wanted) ** 2, 0) / projections.length;
  return Math.sqrt(mean);
}

/** The finalizer of MurmurHash3, 32 bits. */
function mix(x: number): number {
  let h = x ^ (x >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
