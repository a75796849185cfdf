/**
 * λ of each regularizer at each step: the settings' value, multiplied by the quadratic ramp. The term against vectors of
 * zeros has no ramp: it is needed most at the start.
 */
import type { FinetuneConfig } from './finetune-config.ts';
import { regularizerParts } from './make-objective.ts';
import { quadraticRamp } from './schedules.ts';

/** The weights of one run. */
export class RegularizerWeights {
  readonly #config: FinetuneConfig;
  readonly #factor: number;
  /** Steps in which the weights rise. */
  readonly rampSteps: number;

  /**
   * @param steps steps of the run
   * @param factor by which λ_q and λ_d are multiplied, see `head-check.ts`
   */
  constructor(config: FinetuneConfig, steps: number, factor: number) {
    this.#config = config;
    this.#factor = factor;
    this.rampSteps = Math.round(config.regularizerRampRatio * steps);
  }

  /** λ by part of the loss, at a step from 1. */
  at(step: number): Readonly<Record<string, number>> {
    const { queryRegularizerWeight, documentRegularizerWeight, jointRegularizerWeight, antiZeroWeight } = this.#config;
    const ramp = quadraticRamp(step, this.rampSteps);
    return {
      [regularizerParts.queries]: queryRegularizerWeight * this.#factor * ramp,
      [regularizerParts.documents]: documentRegularizerWeight * this.#factor * ramp,
      [regularizerParts.joint]: jointRegularizerWeight * ramp,
      [regularizerParts.antiZero]: antiZeroWeight,
    };
  }
}
