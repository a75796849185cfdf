/**
 * The health of a step that is made of several batches (`--accumulate`): vectors of all batches together, so that a term counts as
 * shared only where every vector of the step has it; scores batch by batch, since only a batch's documents were compared with its
 * queries, and the mean of that.
 */
import {
  type ScoreHealth,
  type StepFigures,
  type StepHealth,
  type StepHealthOptions,
  sideHealth,
} from './step-health.ts';

/**
 * Pools the batches of a step; one batch is as it is.
 * @param batches what each of them found, at least one
 * @param health of each of them
 */
export function pooledHealth(
  batches: readonly StepFigures[],
  health: readonly StepHealth[],
  { queryTopTerms, documentTopTerms }: StepHealthOptions = {},
): StepHealth {
  if (health.length === 1) return health[0]!;
  const mean = (pick: (scores: ScoreHealth) => number): number =>
    health.reduce((sum, { scores }) => sum + pick(scores), 0) / health.length;
  const spread = (side: 'positive' | 'negative'): ScoreHealth['positive'] => ({
    mean: mean((scores) => scores[side].mean),
    std: mean((scores) => scores[side].std),
  });
  return {
    queries: sideHealth(
      joined(batches.map(({ queryActiveDims }) => queryActiveDims)),
      added(batches.map(({ queryTerms }) => queryTerms.counts)),
      queryTopTerms,
    ),
    documents: sideHealth(
      joined(batches.map(({ documentActiveDims }) => documentActiveDims)),
      added(batches.map(({ documentTerms }) => documentTerms.counts)),
      documentTopTerms,
    ),
    scores: {
      positive: spread('positive'),
      negative: spread('negative'),
      entropy: mean(({ entropy }) => entropy),
      ranking: mean(({ ranking }) => ranking),
      rightAtOne: mean(({ rightAtOne }) => rightAtOne),
      documentSpread: mean(({ documentSpread }) => documentSpread),
      querySpread: mean(({ querySpread }) => querySpread),
    },
    flops: health.reduce((sum, { flops }) => sum + flops, 0) / health.length,
    notFinite: [...new Set(health.flatMap(({ notFinite }) => notFinite))],
  };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function added(parts: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(parts[0]!.length);
  for (const part of parts) for (let v = 0; v < sum.length; v++) sum[v]! += part[v]!;
  return sum;
}
