/** How the learning rate and the regularizer weights change over a run. Steps count from 1. */

/**
 * Linear warm-up to 1 over the first `warmupSteps`, then linear decay that would reach `floor` one step after the last:
 * no step is without effect.
 */
export function learningRateFactor(step: number, steps: number, warmupSteps: number, floor = 0): number {
  if (step <= warmupSteps) return step / warmupSteps;
  const rest = (steps - step + 1) / (steps - warmupSteps + 1);
  return floor + (1 - floor) * rest;
}

/** The quadratic ramp of SPLADE's regularizers: min(1, t/T)² (Paria et al., arXiv 2004.05665; T a third of the run in sentence-transformers). */
export function quadraticRamp(step: number, rampSteps: number): number {
  return rampSteps === 0 ? 1 : Math.min(1, step / rampSteps) ** 2;
}
