/** Memory stays bounded over many batches and steps. What leaked here would be several times the bounds. */
import { expect, it } from 'vitest';
import { openOrtEngine } from '../../src/compute/runtime/ort-engine.ts';
import { SparseEncoder } from '../../src/model/sparse-encoder.ts';
import { tinyModel } from '../fixtures/model-folders.ts';
import { loadWeights, randomSequences, randomWeights, tinyBertConfig } from '../fixtures/tiny-bert.ts';
import { regularizerWeights, spladeStep } from '../fixtures/training-step.ts';

const megabyte = 1 << 20;
const resident = (): number => process.memoryUsage.rss() / megabyte;

it('of an encoder: 3,000 texts, again and again', async () => {
  await using encoder = await SparseEncoder.load(tinyModel, { threads: 1 });
  const words = ['rain', 'snow', 'city', 'river', 'stone'];
  const texts = Array.from({ length: 3000 }, (_, i) => `${words[i % 5]} `.repeat(1 + (i % 30)));
  const encodeAll = async (): Promise<void> => {
    let count = 0;
    for await (const { indices } of encoder.encode(texts, { kind: 'document' })) count += indices.length > 0 ? 1 : 0;
    expect(count).toBe(3000);
  };
  await encodeAll();
  const before = resident();
  for (let pass = 0; pass < 4; pass++) await encodeAll();
  // The activations of four passes are about a gigabyte.
  expect(resident() - before).toBeLessThan(200);
});

it('of training: 200 steps', async () => {
  const config = tinyBertConfig({ vocab_size: 500, hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2 });
  const engine = await openOrtEngine({ threads: 1 });
  try {
    await loadWeights(engine, config, randomWeights(config));
    const training = spladeStep(engine, config, { buckets: 4, dropoutRate: 0.1 });
    const settings = { regularizerWeights: regularizerWeights(1e-3, 1e-3), seed: 1 };
    const update = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 };
    let loss = 0;
    const run = async (from: number, to: number): Promise<void> => {
      for (let step = from; step <= to; step++) {
        // Another shape each time, as real batches have.
        const lengths = (count: number): number[] => Array.from({ length: count }, (_, i) => 2 + ((i * 5 + step) % 13));
        const batch = {
          queries: randomSequences(lengths(16), config.vocab_size, step),
          documents: randomSequences(lengths(32), config.vocab_size, step + 1),
          otherPositives: [],
          ownNegatives: [],
          teacherScores: [],
        };
        ({ loss } = await training.run(batch, { ...settings, step }));
        await engine.adamW({ ...update, step, learningRate: 1e-4, withoutDecay: new Set() });
      }
    };
    await run(1, 40);
    const before = resident();
    await run(41, 240);
    expect(Number.isFinite(loss)).toBe(true);
    // The activations and gradients of 200 steps are more than a gigabyte.
    expect(resident() - before).toBeLessThan(250);
  } finally {
    await engine.dispose();
  }
});
