/** How many steps a run has. */
import type { FinetuneConfig } from './finetune-config.ts';

/** Full batches of an epoch; a rest smaller than a batch is dropped, another one in each epoch. */
export function batchesPerEpoch(queries: number, batchSize: number): number {
  return Math.max(1, Math.floor(queries / batchSize));
}

/**
 * Steps of a run.
 * @param queries different queries of the training data
 */
export function runSteps(
  { epochs, maxSteps, batchSize, accumulationSteps }: Omit<FinetuneConfig, 'seed'>,
  queries: number,
): number {
  return maxSteps ?? Math.max(1, Math.round((epochs * batchesPerEpoch(queries, batchSize)) / accumulationSteps));
}
