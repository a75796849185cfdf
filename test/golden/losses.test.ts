/**
 * Losses and regularizers, with their gradients, against sentence-transformers and PyTorch (`scripts/golden/losses.py`): in
 * double precision on the reference interpreter, and in onnxruntime.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addGradients } from '../../src/compute/graph/autodiff.ts';
import { Graph } from '../../src/compute/graph/graph.ts';
import type { Engine, Tensor } from '../../src/compute/runtime/engine.ts';
import { openOrtEngine } from '../../src/compute/runtime/ort-engine.ts';
import type { BatchRelevance } from '../../src/train/losses/loss.ts';
import { findLoss } from '../../src/train/losses/registry.ts';
import { Objective, type ObjectiveOptions } from '../../src/train/objective.ts';
import { findRegularizer } from '../../src/train/regularizers/registry.ts';
import type { RegularizedSide } from '../../src/train/regularizers/regularizer.ts';
import { type BatchFunction, batchProblem, evaluateBatch } from '../fixtures/batch-weights.ts';

interface Case {
  readonly value: number;
  readonly queries: number[][];
  readonly documents: number[][];
}

interface Golden {
  readonly queries: number[][];
  readonly documents: number[][];
  readonly teacher: number[][];
  readonly documentFrequencies: number[];
  readonly losses: Readonly<Record<string, Case>>;
  readonly regularizers: Readonly<Record<string, Case>>;
  readonly spladeLoss: Readonly<Record<string, Omit<Case, 'value'> & { readonly parts: Record<string, number> }>>;
}

const path = fileURLToPath(new URL('../fixtures/goldens', import.meta.url));
const golden = JSON.parse(readFileSync(join(path, 'losses.json'), 'utf8')) as Golden;
const { queries, documents, teacher, documentFrequencies } = golden;
const queryCount = queries.length;

function relevanceOf(negatives: number): BatchRelevance {
  const ownNegatives: [number, number][] = [];
  const teacherScores = teacher.flatMap((scores, query) =>
    scores.slice(0, 1 + negatives).map((score, i) => ({ query, document: i * queryCount + query, score })),
  );
  for (let i = 1; i <= negatives; i++) {
    for (let query = 0; query < queryCount; query++) ownNegatives.push([query, i * queryCount + query]);
  }
  return { queryCount, documentCount: documents.length, otherPositives: [], ownNegatives, teacherScores };
}

const losses: Readonly<Record<string, readonly [name: string, options: object, negatives?: number]>> = {
  'info-nce': ['info-nce', {}],
  'info-nce, temperature 0.5': ['info-nce', { temperature: 0.5 }],
  'margin-mse, one negative': ['margin-mse', {}, 1],
  'margin-mse': ['margin-mse', {}],
  'margin-mse, all margins': ['margin-mse', { margins: 'all' }],
  kl: ['kl', {}],
  'kl, one negative': ['kl', {}, 1],
  'kl, student 3 and teacher 0.7': ['kl', { studentTemperature: 3, teacherTemperature: 0.7 }],
  'kl, temperature 4 without its factor': ['kl', { temperature: 4, scaleByTemperature: false }],
  'pairwise-cross-entropy': ['pairwise-cross-entropy', {}],
  'pairwise-cross-entropy, own documents': ['pairwise-cross-entropy', { inBatchPositives: false }],
};

const regularizers: Readonly<Record<string, readonly [name: string, options: object, side: RegularizedSide]>> = {
  'flops of queries': ['flops', {}, 'queries'],
  'flops of documents': ['flops', {}, 'documents'],
  'threshold-flops of queries': ['threshold-flops', { threshold: 5 }, 'queries'],
  'threshold-flops of documents': ['threshold-flops', { threshold: 5 }, 'documents'],
  'l1 of queries': ['l1', {}, 'queries'],
  'l1 of documents': ['l1', {}, 'documents'],
  'joint-flops': ['joint-flops', {}, 'both'],
  'joint-flops of positives': ['joint-flops', { pairs: 'positives' }, 'both'],
  'df-flops of documents': ['df-flops', { refreshEvery: 1 }, 'documents'],
  'anti-zero': ['anti-zero', { epsilon: 1e-12 }, 'both'],
};

interface Check {
  readonly title: string;
  readonly wanted: Case;
  readonly what: BatchFunction;
  readonly relevance: BatchRelevance;
}

function checks(): Check[] {
  return [
    ...Object.entries(golden.losses).map(([title, wanted]) => {
      const [name, options, negatives = 3] = losses[title]!;
      return { title, wanted, what: findLoss(name, options), relevance: relevanceOf(negatives) };
    }),
    ...Object.entries(golden.regularizers).map(([title, wanted]) => {
      const [name, options, side] = regularizers[title]!;
      const regularizer = findRegularizer(name, options);
      const vectors = 1e6;
      regularizer.observe?.({ counts: Float32Array.from(documentFrequencies, (df) => df * vectors), vectors });
      return { title, wanted, what: { regularizer, side }, relevance: relevanceOf(3) };
    }),
  ];
}

/** Relative to the largest figure. */
function expectClose(found: ArrayLike<number>, wanted: readonly number[], tolerance: number, title: string): void {
  expect(found.length, title).toBe(wanted.length);
  const scale = Math.max(...wanted.map(Math.abs));
  wanted.forEach((x, i) => {
    expect(Math.abs(found[i]! - x), `${title} at ${i}: ${found[i]}, expected ${x}`).toBeLessThanOrEqual(
      tolerance * scale,
    );
  });
}

/** Rows of vectors as the head has them, vocabulary first. */
function transposed(rows: readonly (readonly number[])[]): number[] {
  return rows[0]!.flatMap((_, v) => rows.map((row) => row[v]!));
}

describe('losses and regularizers equal those of sentence-transformers and PyTorch', () => {
  it.each(checks())('$title', ({ wanted, what, relevance }) => {
    const found = evaluateBatch({ queries, documents, relevance }, what);
    expectClose([found.value], [wanted.value], 1e-6, 'value');
    expectClose(found.queries.flat(), wanted.queries.flat(), 1e-6, 'queries');
    expectClose(found.documents.flat(), wanted.documents.flat(), 1e-6, 'documents');
  });
});

describe('in onnxruntime', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await openOrtEngine({ threads: 1 });
    const { variables } = batchProblem({ queries, documents }, findLoss('info-nce'));
    await engine.createVariables(
      Object.entries(variables).map(([name, { dims }]) => ({ name, dims, trainable: true })),
    );
    for (const [name, { data }] of Object.entries(variables)) {
      await engine.writeVariable(name, 'value', data as Float32Array);
    }
  });
  afterAll(() => engine.dispose());

  it.each(checks())('$title', async ({ wanted, what, relevance }) => {
    const { graph, loss, feeds } = batchProblem({ queries, documents, relevance }, what);
    graph.output('loss', loss);
    const program = await engine.compile(graph);
    for (const side of ['queries', 'documents'] as const) {
      await engine.writeVariable(side, 'gradient', new Float32Array(wanted[side].flat().length));
    }
    const outputs = await program.run(feeds as Record<string, Tensor>);
    expectClose(outputs.loss!.data as Float32Array, [wanted.value], 1e-5, 'value');
    for (const side of ['queries', 'documents'] as const) {
      expectClose(await engine.readVariable(side, 'gradient'), transposed(wanted[side]), 1e-5, side);
    }
  });

  const compositions: Readonly<
    Record<
      string,
      readonly [ObjectiveOptions['losses'], regularizer: readonly [string, object, object], number, number]
    >
  > = {
    'MarginMSE and FLOPS': [findLoss('margin-mse'), ['flops', {}, {}], 0.1, 0.08],
    'KL and FLOPS above thresholds': [
      findLoss('kl'),
      ['threshold-flops', { threshold: 3 }, { threshold: 5 }],
      0.02,
      0.05,
    ],
  };

  it.each(Object.entries(golden.spladeLoss))('SpladeLoss: %s', async (title, wanted) => {
    const [ranking, [name, ofQueries, ofDocuments], queryWeight, documentWeight] = compositions[title]!;
    const objective = new Objective({
      losses: ranking,
      regularizers: [
        { part: 'query_regularizer_loss', regularizer: findRegularizer(name, ofQueries), side: 'queries' },
        { part: 'document_regularizer_loss', regularizer: findRegularizer(name, ofDocuments), side: 'documents' },
      ],
    });
    const { variables } = batchProblem({ queries, documents, relevance: relevanceOf(3) }, ranking);
    const graph = new Graph();
    const [q, d] = (['queries', 'documents'] as const).map((side) => graph.variable(side, variables[side]!.dims));
    addGradients(graph, objective.build(graph, { queries: q!, documents: d! }));
    const program = await engine.compile(graph);
    const regularizerWeights = { query_regularizer_loss: queryWeight, document_regularizer_loss: documentWeight };
    const found = objective.read(await program.run(objective.feeds(relevanceOf(3), { regularizerWeights })));
    expect({ base_loss: found.baseLoss, ...found.parts }).toEqual(
      Object.fromEntries(Object.entries(wanted.parts).map(([part, value]) => [part, expect.closeTo(value, 4)])),
    );
    for (const side of ['queries', 'documents'] as const) {
      expectClose(await engine.readVariable(side, 'gradient'), transposed(wanted[side]), 1e-5, side);
    }
  });
});
