import { describe, expect, it } from 'vitest';
import { Graph } from '../compute/graph/graph.ts';
import { openReferenceEngine } from '../compute/runtime/reference/reference-engine.ts';
import { InfoNceLoss } from './losses/info-nce.ts';
import { KlDivergenceLoss } from './losses/kl-divergence.ts';
import type { WeightedLoss } from './losses/loss.ts';
import { Objective } from './objective.ts';
import { FlopsRegularizer } from './regularizers/flops.ts';

describe('the parts of an objective', () => {
  const relevance = {
    queryCount: 2,
    documentCount: 2,
    otherPositives: [],
    ownNegatives: [
      [0, 1],
      [1, 0],
    ] as const,
    teacherScores: [0, 1].flatMap((query) => [0, 1].map((document) => ({ query, document, score: query + document }))),
  };

  async function partsOf(losses: readonly WeightedLoss[]): Promise<{ base: number; parts: Record<string, number> }> {
    const objective = new Objective({ losses, regularizers: [] });
    const graph = new Graph();
    const side = () => ({ dtype: 'float32' as const, dims: [3, 2], data: Float32Array.of(1, 0, 0.5, 2, 0, 1) });
    objective.build(graph, {
      queries: graph.feed('queries', 'float32', [3, 'Q']),
      documents: graph.feed('documents', 'float32', [3, 'D']),
    });
    const program = await (await openReferenceEngine()).compile(graph);
    const feeds = objective.feeds(relevance, { regularizerWeights: {} });
    const found = objective.read(await program.run({ ...feeds, queries: side(), documents: side() }));
    return { base: found.baseLoss, parts: { ...found.parts } };
  }

  it('have names of their own where losses are of one kind', async () => {
    const [sharp, flat] = [0.5, 5].map((temperature) => new InfoNceLoss({ temperature }));
    const one = await partsOf([{ loss: sharp!, weight: 1 }]);
    expect(one.parts).toEqual({});
    const three = await partsOf([
      { loss: sharp!, weight: 1 },
      { loss: new KlDivergenceLoss(), weight: 2 },
      { loss: flat!, weight: 3 },
    ]);
    expect(Object.keys(three.parts)).toEqual(['InfoNCE_loss', 'KL_loss', 'InfoNCE-2_loss']);
    expect(three.parts.InfoNCE_loss).toBeCloseTo(one.base, 6);
    expect(three.parts['InfoNCE-2_loss']).toBeCloseTo(3 * (await partsOf([{ loss: flat!, weight: 1 }])).base, 5);
    expect(Object.values(three.parts).reduce((sum, x) => sum + x)).toBeCloseTo(three.base, 5);
  });

  it('of regularizers are not shared: their weights come under these names', () => {
    const one = { part: 'query_regularizer_loss', regularizer: new FlopsRegularizer(), side: 'queries' as const };
    expect(() => new Objective({ losses: [], regularizers: [one, one] })).toThrow(/query_regularizer_loss/);
  });
});
