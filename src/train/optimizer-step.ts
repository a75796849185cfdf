/** What makes batches into one update: the share of each batch in the gradients, and AdamW's settings. */
import type { AdamWStep } from '../compute/runtime/engine.ts';
import type { OptimizerGroups } from './optimizer-groups.ts';

/** Settings of an update, of fine-tuning and of pre-training. */
export interface UpdateConfig {
  readonly seed: number;
  readonly accumulationSteps: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly maxGradientNorm: number;
}

/** How one batch of a step is run. */
export interface BatchShare {
  /** Weight of its loss. */
  readonly batchWeight: number;
  /** Whether its gradients replace those that are there or are added to them. */
  readonly gradients: 'replace' | 'add';
  /** Of its dropout masks, other ones for each batch. */
  readonly seed: number;
  readonly step: number;
}

/** The batches of a step, in turn: their mean is what the update sees. */
export function* batchShares({ seed, accumulationSteps }: UpdateConfig, step: number): Generator<BatchShare> {
  for (let i = 0; i < accumulationSteps; i++) {
    yield {
      batchWeight: 1 / accumulationSteps,
      gradients: i === 0 ? 'replace' : 'add',
      seed: (seed + Math.imul(i, 0x85ebca6b)) >>> 0,
      step,
    };
  }
}

/** AdamW's settings for one update. */
export function adamWStep(
  { beta1, beta2, epsilon, weightDecay, maxGradientNorm }: UpdateConfig,
  groups: OptimizerGroups,
  { step, learningRate }: { readonly step: number; readonly learningRate: number },
): AdamWStep {
  return { step, learningRate, beta1, beta2, epsilon, weightDecay, maxGradientNorm, ...groups };
}
