import { describe, expect, it } from 'vitest';
import { loadWeights, randomSequences, randomWeights, tinyBertConfig } from '../../test/fixtures/tiny-bert.ts';
import type { BertConfig } from '../checkpoint/families/bert-config.ts';
import type { Engine, Tensor } from '../compute/runtime/engine.ts';
import { openOrtEngine } from '../compute/runtime/ort-engine.ts';
import { openReferenceEngine } from '../compute/runtime/reference/reference-engine.ts';
import { InfoNceLoss } from './losses/info-nce.ts';
import { FlopsRegularizer } from './regularizers/flops.ts';
import type { TrainingGraphOptions } from './training-graph.ts';
import { type StepResult, type StepSettings, type TrainingBatch, TrainingStep } from './training-step.ts';

const config = tinyBertConfig();
const weights = randomWeights(config);
const queries = randomSequences([2, 3, 1, 3], config.vocab_size, 2);
const documents = randomSequences([5, 2, 4, 5, 1, 3], config.vocab_size, 3);
const batch: TrainingBatch = { queries, documents, otherPositives: [[1, 4]], ownNegatives: [], teacherScores: [] };

interface Found {
  readonly result: StepResult;
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

interface Changes {
  readonly options?: Partial<TrainingGraphOptions>;
  readonly settings?: Partial<StepSettings>;
  readonly config?: BertConfig;
  readonly weights?: Readonly<Record<string, Tensor>>;
  readonly open?: () => Promise<Engine>;
}

async function runStep(given: TrainingBatch, changes: Changes = {}): Promise<Found> {
  const model = changes.config ?? config;
  const engine = await (changes.open ?? openReferenceEngine)();
  try {
    await loadWeights(engine, model, changes.weights ?? weights);
    const step = new TrainingStep(engine, model, {
      activation: 'relu',
      buckets: 3,
      dropoutRate: 0,
      loss: new InfoNceLoss(),
      queryRegularizer: new FlopsRegularizer(),
      documentRegularizer: new FlopsRegularizer(),
      ...changes.options,
    });
    const settings = { queryRegularizerWeight: 0.3, documentRegularizerWeight: 0.2, seed: 1, step: 1 };
    const result = await step.run(given, { ...settings, ...changes.settings });
    const gradients = new Map<string, Float32Array>();
    for (const name of Object.keys(weights)) gradients.set(name, await engine.readVariable(name, 'gradient'));
    return { result, gradients };
  } finally {
    await engine.dispose();
  }
}

function expectEqual(found: Found, wanted: Found): void {
  expect(found.result.loss).toBeCloseTo(wanted.result.loss, 6);
  for (const [name, gradient] of wanted.gradients) {
    const other = found.gradients.get(name)!;
    const difference = gradient.reduce((most, x, i) => Math.max(most, Math.abs(x - other[i]!)), 0);
    expect(difference, name).toBeLessThan(1e-6);
  }
}

describe('a training step', () => {
  it('gives the same loss and gradients in any number of buckets', async () => {
    const one = await runStep(batch, { options: { buckets: 1 } });
    expect([...one.gradients.values()].some((gradient) => gradient.some((x) => Math.abs(x) > 1e-3))).toBe(true);
    for (const buckets of [2, 3, 10]) expectEqual(await runStep(batch, { options: { buckets } }), one);
  });

  it('does not depend on the order within the batch', async () => {
    const order = [2, 0, 3, 1];
    const hard = [5, 4];
    const place = new Map([...order, ...hard].map((document, at) => [document, at]));
    const shuffled: TrainingBatch = {
      queries: order.map((i) => queries[i]!),
      documents: [...order, ...hard].map((i) => documents[i]!),
      otherPositives: [[order.indexOf(1), place.get(4)!]],
      ownNegatives: [],
      teacherScores: [],
    };
    const plain = await runStep(batch);
    const other = await runStep(shuffled);
    expectEqual(other, plain);
    expect([...other.result.queryActiveDims]).toEqual(order.map((i) => plain.result.queryActiveDims[i]));
    expect([...other.result.documentActiveDims]).toEqual(
      [...order, ...hard].map((i) => plain.result.documentActiveDims[i]),
    );
  });

  it('adds up its parts, and counts tokens', async () => {
    const { result } = await runStep(batch);
    const { loss, baseLoss, queryRegularizerLoss, documentRegularizerLoss, tokenCount } = result;
    expect(loss).toBeCloseTo(baseLoss + queryRegularizerLoss + documentRegularizerLoss, 6);
    expect(Math.min(baseLoss, queryRegularizerLoss, documentRegularizerLoss)).toBeGreaterThan(0);
    expect(tokenCount).toBe(9 + 20);
    const without = await runStep(batch, { settings: { queryRegularizerWeight: 0, documentRegularizerWeight: 0.4 } });
    expect(without.result.queryRegularizerLoss).toBe(0);
    expect(without.result.documentRegularizerLoss).toBeCloseTo(2 * documentRegularizerLoss, 6);
    expect(without.result.baseLoss).toBeCloseTo(baseLoss, 6);
  });

  it('leaves documents out that are relevant as well', async () => {
    const plain = await runStep({ ...batch, otherPositives: [] });
    expect((await runStep(batch)).result.baseLoss).toBeLessThan(plain.result.baseLoss);
  });

  it('drops out by seed and step', async () => {
    const options = { dropoutRate: 0.5 };
    const loss = async (settings: Partial<StepSettings>): Promise<number> =>
      (await runStep(batch, { options, settings })).result.loss;
    const first = await loss({ seed: 1, step: 1 });
    expect(await loss({ seed: 1, step: 1 })).toBe(first);
    expect(await loss({ seed: 1, step: 2 })).not.toBe(first);
    expect(await loss({ seed: 2, step: 1 })).not.toBe(first);
    expect((await runStep(batch)).result.loss).not.toBe(first);
  });

  it.each([
    ['reference', openReferenceEngine],
    ['onnxruntime', () => openOrtEngine({ threads: 1 })],
  ] as const)('has the loss log D and no gradient where no term is active (%s)', async (_name, open) => {
    const bias = weights['cls.predictions.bias']!;
    const dead = { ...weights, 'cls.predictions.bias': { ...bias, data: new Float32Array(bias.dims[0]!).fill(-1000) } };
    const { result, gradients } = await runStep({ ...batch, otherPositives: [] }, { open, weights: dead });
    expect(result.baseLoss).toBeCloseTo(Math.log(documents.length), 6);
    expect(result.loss).toBe(result.baseLoss);
    expect([...result.queryActiveDims, ...result.documentActiveDims].every((x) => x === 0)).toBe(true);
    for (const [name, gradient] of gradients) {
      expect(gradient.length, name).toBeGreaterThan(0);
      expect(
        gradient.every((x) => x === 0),
        name,
      ).toBe(true);
    }
  });

  it('takes a batch of one query and one document', async () => {
    const { result } = await runStep({
      ...batch,
      queries: [queries[0]!],
      documents: [documents[0]!],
      otherPositives: [],
    });
    expect(result.baseLoss).toBeCloseTo(0, 6);
    expect(result.loss).toBeGreaterThan(0);
  });

  it('takes a new number of buckets from batch to batch', async () => {
    const engine = await openReferenceEngine();
    await loadWeights(engine, config, weights);
    const step = new TrainingStep(engine, config, {
      activation: 'relu',
      buckets: 4,
      dropoutRate: 0,
      loss: new InfoNceLoss(),
      queryRegularizer: new FlopsRegularizer(),
      documentRegularizer: new FlopsRegularizer(),
    });
    const settings = { queryRegularizerWeight: 0.3, documentRegularizerWeight: 0.2, seed: 1, step: 1 };
    const small = { ...batch, queries: [queries[0]!], documents: [documents[0]!], otherPositives: [] };
    const first = await step.run(small, settings);
    const second = await step.run(batch, settings);
    expect(await step.run(small, settings)).toEqual(first);
    expect(second.loss).not.toBe(first.loss);
    expect((await runStep(batch)).result.loss).toBeCloseTo(second.loss, 6);
  });
});
