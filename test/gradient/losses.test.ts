/**
 * Every loss and regularizer of the registries on a batch with gaps: gradients against finite differences in double
 * precision, and onnxruntime against the reference interpreter; also after top-k masking.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, Tensor } from '../../src/compute/runtime/engine.ts';
import { openOrtEngine } from '../../src/compute/runtime/ort-engine.ts';
import { findLoss, lossNames } from '../../src/train/losses/registry.ts';
import { findRegularizer, regularizerNames } from '../../src/train/regularizers/registry.ts';
import type { BatchWeights, RegularizedSide, Regularizer } from '../../src/train/regularizers/regularizer.ts';
import { keepTopWeights } from '../../src/train/top-k-mask.ts';
import { Random } from '../../src/util/random.ts';
import { type BatchFunction, batchProblem, type GivenBatch } from '../fixtures/batch-weights.ts';
import { checkGradients } from './check-gradients.ts';

const random = new Random(9);

/** Weights far from each other and from 0, some of them 0; never three or four of them active. */
function vector(active: number): number[] {
  const terms = random.shuffle(Array.from({ length: 7 }, (_, v) => v));
  return Array.from({ length: 7 }, (_, v) =>
    terms.indexOf(v) < active ? 0.3 + 0.25 * terms.indexOf(v) + 0.1 * random.uniform() : 0,
  );
}

const batch: GivenBatch = {
  queries: [5, 2, 6].map(vector),
  documents: [5, 2, 1, 6, 7, 5].map(vector),
  relevance: {
    otherPositives: [
      [0, 1],
      [2, 4],
    ],
    ownNegatives: [
      [0, 3],
      [0, 4],
      [1, 5],
    ],
    teacherScores: [
      { query: 0, document: 0, score: 3 },
      { query: 0, document: 3, score: 1.5 },
      { query: 0, document: 4, score: -2 },
      { query: 1, document: 1, score: 0.25 },
      { query: 1, document: 5, score: 4 },
      { query: 2, document: 2, score: 7 },
    ],
  },
};

type Named = readonly [name: string, options?: object];

const losses: readonly Named[] = [
  ['info-nce', { temperature: 0.6 }],
  ['pairwise-cross-entropy', { temperature: 1.7 }],
  ['pairwise-cross-entropy', { inBatchPositives: false }],
  ['margin-mse'],
  ['margin-mse', { margins: 'all' }],
  ['kl'],
  ['kl', { studentTemperature: 0.4, teacherTemperature: 3 }],
  ['kl', { scaleByTemperature: false }],
  ['splade-v3', { marginMseWeight: 0.3 }],
];

const regularizers: readonly Named[] = [
  ['flops'],
  ['threshold-flops', { threshold: 3 }],
  ['df-flops', { alpha: 0.4, beta: 2, refreshEvery: 1 }],
  ['l1'],
  ['joint-flops'],
  ['joint-flops', { pairs: 'positives' }],
  ['anti-zero'],
];

function sidesOf({ looksAt }: Regularizer): readonly RegularizedSide[] {
  return looksAt === 'both' ? ['both'] : ['queries', 'documents'];
}

function observed(regularizer: Regularizer): Regularizer {
  regularizer.observe?.({ counts: Float32Array.of(0, 1, 2, 3, 4, 5, 6), vectors: 6 });
  return regularizer;
}

/** A regularizer behind top-k masking. */
function masked(regularizer: Regularizer, k: number): Regularizer {
  return {
    name: regularizer.name,
    looksAt: regularizer.looksAt,
    build: (graph, weights: BatchWeights, side) =>
      regularizer.build(
        graph,
        { queries: keepTopWeights(weights.queries, k), documents: keepTopWeights(weights.documents, k) },
        side,
      ),
  };
}

const cases: readonly { readonly title: string; readonly what: BatchFunction }[] = [
  ...losses.map(([name, options]) => ({
    title: `${name} ${JSON.stringify(options ?? {})}`,
    what: findLoss(name, options),
  })),
  ...regularizers.flatMap(([name, options]) =>
    sidesOf(findRegularizer(name, options)).map((side) => ({
      title: `${name} ${JSON.stringify(options ?? {})} of ${side}`,
      what: { regularizer: observed(findRegularizer(name, options)), side },
    })),
  ),
  // Where a vector has fewer terms than are kept, one more would be kept: no place for differences.
  {
    title: 'joint-flops after masking all but one term',
    what: { regularizer: masked(findRegularizer('joint-flops'), 1), side: 'both' },
  },
];

it('leaves no loss and no regularizer out', () => {
  expect(new Set(losses.map(([name]) => name))).toEqual(new Set(lossNames));
  expect(new Set(regularizers.map(([name]) => name))).toEqual(new Set(regularizerNames));
});

describe('gradients by finite differences', () => {
  it.each(cases)('$title', ({ what }) => {
    const gradients = checkGradients(batchProblem(batch, what), { step: 2 ** -8 });
    expect(gradients.size).toBeGreaterThan(0);
    for (const gradient of gradients.values()) expect(gradient.some((g) => Math.abs(g) > 1e-4)).toBe(true);
  });
});

describe('onnxruntime agrees with the reference interpreter on', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await openOrtEngine({ threads: 2 });
    const { variables } = batchProblem(batch, findLoss('info-nce'));
    await engine.createVariables(
      Object.entries(variables).map(([name, { dims }]) => ({ name, dims, trainable: true })),
    );
    for (const [name, { data }] of Object.entries(variables)) {
      await engine.writeVariable(name, 'value', data as Float32Array);
    }
  });
  afterAll(() => engine.dispose());

  it.each(cases)('$title', async ({ what }) => {
    const problem = batchProblem(batch, what);
    const wanted = checkGradients(problem, { elements: 0 });
    const program = await engine.compile(problem.graph);
    await program.run(problem.feeds as Record<string, Tensor>);
    expect(wanted.size).toBeGreaterThan(0);
    for (const [name, gradient] of wanted) {
      const found = await engine.readVariable(name, 'gradient');
      const scale = gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
      const difference = gradient.reduce((most, g, i) => Math.max(most, Math.abs(g - found[i]!)), 0);
      expect(difference / scale, name).toBeLessThan(1e-5);
    }
  });
});
