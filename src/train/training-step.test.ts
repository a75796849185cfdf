import { describe, expect, it } from 'vitest';
import { loadWeights, randomSequences, randomWeights, tinyBertConfig } from '../../test/fixtures/tiny-bert.ts';
import { regularizerWeights, type SpladeStepOptions, spladeStep } from '../../test/fixtures/training-step.ts';
import type { BertConfig } from '../checkpoint/families/bert-config.ts';
import type { Engine, Tensor } from '../compute/runtime/engine.ts';
import { openOrtEngine } from '../compute/runtime/ort-engine.ts';
import { openReferenceEngine } from '../compute/runtime/reference/reference-engine.ts';
import { headScaleName, modelVariables } from '../model/splade-graph.ts';
import type { StepResult, StepSettings, TrainingBatch } from './training-step.ts';

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
  readonly options?: SpladeStepOptions;
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
    const step = spladeStep(engine, model, changes.options);
    const settings = { regularizerWeights: regularizerWeights(0.3, 0.2), seed: 1, step: 1 };
    const result = await step.run(given, { ...settings, ...changes.settings });
    const gradients = new Map<string, Float32Array>();
    for (const name of Object.keys(weights)) gradients.set(name, await engine.readVariable(name, 'gradient'));
    return { result, gradients };
  } finally {
    await engine.dispose();
  }
}

/** Weighted regularizers of queries and documents. */
function penalties({ parts }: StepResult): [queries: number, documents: number] {
  return [parts.query_regularizer_loss!, parts.document_regularizer_loss!];
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
    const { loss, baseLoss, tokenCount } = result;
    const [queryRegularizerLoss, documentRegularizerLoss] = penalties(result);
    expect(loss).toBeCloseTo(baseLoss + queryRegularizerLoss + documentRegularizerLoss, 6);
    expect(Math.min(baseLoss, queryRegularizerLoss, documentRegularizerLoss)).toBeGreaterThan(0);
    expect(tokenCount).toBe(9 + 20);
    const without = await runStep(batch, { settings: { regularizerWeights: regularizerWeights(0, 0.4) } });
    expect(penalties(without.result)[0]).toBe(0);
    expect(penalties(without.result)[1]).toBeCloseTo(2 * documentRegularizerLoss, 6);
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
    const step = spladeStep(engine, config, { buckets: 4 });
    const settings = { regularizerWeights: regularizerWeights(0.3, 0.2), seed: 1, step: 1 };
    const small = { ...batch, queries: [queries[0]!], documents: [documents[0]!], otherPositives: [] };
    const first = await step.run(small, settings);
    const second = await step.run(batch, settings);
    expect(await step.run(small, settings)).toEqual(first);
    expect(second.loss).not.toBe(first.loss);
    expect((await runStep(batch)).result.loss).toBeCloseTo(second.loss, 6);
  });
});

describe('a split step', () => {
  it.each([1, 2, 3, 100])(
    'gives the loss and the gradients of the whole batch, in chunks of %i texts',
    async (chunkSize) => {
      const whole = await runStep(batch);
      const split = await runStep(batch, { options: { chunkSize } });
      expectEqual(split, whole);
      expect(split.result.tokenCount).toBe(whole.result.tokenCount);
      expect([...split.result.scores].map((x) => x.toFixed(5))).toEqual(
        [...whole.result.scores].map((x) => x.toFixed(5)),
      );
      expect(split.result.documentTerms).toEqual(whole.result.documentTerms);
    },
  );

  it('gives them in onnxruntime too', async () => {
    const open = (): Promise<Engine> => openOrtEngine({ threads: 2 });
    const whole = await runStep(batch);
    const split = await runStep(batch, { options: { chunkSize: 2 }, open });
    const all = ({ gradients }: Found): Float32Array =>
      Float32Array.from([...gradients.values()].flatMap((g) => [...g]));
    expect(relativeError(all(split), all(whole))).toBeLessThan(1e-5);
  });

  it('draws the same dropout masks in both passes: the gradient is the slope of the loss', async () => {
    const engine = await openReferenceEngine();
    await loadWeights(engine, config, weights);
    const step = spladeStep(engine, config, { chunkSize: 2, dropoutRate: 0.3 });
    const run = (): Promise<StepResult> =>
      step.run(batch, { regularizerWeights: regularizerWeights(0.3, 0.2), seed: 1, step: 1 });
    await run();
    const slope = new Map<string, Float32Array>();
    for (const name of Object.keys(weights)) slope.set(name, await engine.readVariable(name, 'gradient'));
    const squares = [...slope.values()].flatMap((g) => [...g]).reduce((sum, x) => sum + x * x, 0);
    const lossAt = async (distance: number): Promise<number> => {
      for (const [name, { data }] of Object.entries(weights)) {
        const gradient = slope.get(name)!;
        const moved = (data as Float32Array).map((x, i) => x + (distance / Math.sqrt(squares)) * gradient[i]!);
        await engine.writeVariable(name, 'value', moved);
      }
      return (await run()).loss;
    };
    const rise = ((await lossAt(1e-3)) - (await lossAt(-1e-3))) / 2e-3;
    expect(rise / Math.sqrt(squares)).toBeCloseTo(1, 2);
  });

  it('adds to the gradients that are there, when asked to', async () => {
    for (const options of [{}, { chunkSize: 2 }]) {
      const engine = await openReferenceEngine();
      await loadWeights(engine, config, weights);
      const step = spladeStep(engine, config, options);
      const settings = { regularizerWeights: regularizerWeights(0.3, 0.2), seed: 1, step: 1 };
      await step.run(batch, settings);
      const name = 'cls.predictions.transform.dense.weight';
      const once = await engine.readVariable(name, 'gradient');
      await step.run(batch, { ...settings, gradients: 'add', batchWeight: 0.5 });
      const sum = await engine.readVariable(name, 'gradient');
      expect(
        relativeError(
          sum,
          once.map((x) => 1.5 * x),
        ),
      ).toBeLessThan(1e-6);
    }
  });
});

describe('a learned scale of the head', () => {
  it('divides the logits by exp(g)', async () => {
    const engine = await openReferenceEngine();
    const variables = [...modelVariables(config, true), { name: headScaleName, dims: [1], trainable: true }];
    await engine.createVariables(variables);
    const write = async (factor: number): Promise<void> => {
      for (const [name, { data }] of Object.entries(weights))
        await engine.writeVariable(name, 'value', data as Float32Array);
      await engine.writeVariable(headScaleName, 'value', Float32Array.of(Math.log(factor)));
    };
    const step = spladeStep(engine, config, { learnedScale: true });
    const settings = { regularizerWeights: regularizerWeights(0.3, 0.2), seed: 1, step: 1 };
    await write(1);
    expect((await step.run(batch, settings)).loss).toBeCloseTo((await runStep(batch)).result.loss, 5);
    await write(4);
    const scaled = await step.run(batch, settings);
    const divided = { ...weights };
    for (const name of [
      'cls.predictions.transform.LayerNorm.weight',
      'cls.predictions.transform.LayerNorm.bias',
      'cls.predictions.bias',
    ]) {
      const { data, ...rest } = weights[name]!;
      divided[name] = { ...rest, data: (data as Float32Array).map((x) => x / 4) };
    }
    expect(scaled.loss).toBeCloseTo((await runStep(batch, { weights: divided })).result.loss, 5);
    expect((await engine.readVariable(headScaleName, 'gradient'))[0]).not.toBe(0);
  });
});

function relativeError(found: Float32Array, wanted: Float32Array): number {
  let [difference, norm] = [0, 0];
  wanted.forEach((x, i) => {
    difference += (x - found[i]!) ** 2;
    norm += x * x;
  });
  return norm === 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
}
