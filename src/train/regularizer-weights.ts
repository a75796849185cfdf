/**
 * λ of each regularizer at each step: the settings' value, multiplied by the quadratic ramp; or, where a number of active
 * dimensions is wanted, what a controller makes of it. The term against vectors of zeros has no ramp: it is needed most at
 * the start.
 */
import type { FinetuneConfig } from './finetune-config.ts';
import {
  type LambdaControllerOptions,
  type LambdaControllerState,
  startLambda,
  steerLambda,
} from './lambda-controller.ts';
import { regularizerParts } from './make-objective.ts';
import { quadraticRamp } from './schedules.ts';

/** The sides that can have a controller. */
type ControlledSide = 'queries' | 'documents';

/** Where the controllers of a run stand; plain data, for checkpoints. */
export type ControllerStates = Readonly<Partial<Record<ControlledSide, LambdaControllerState>>>;

/** The weights of one run. */
export class RegularizerWeights {
  readonly #config: FinetuneConfig;
  readonly #factor: number;
  readonly #controllers = new Map<ControlledSide, { options: LambdaControllerOptions; state: LambdaControllerState }>();
  /** Steps in which the weights rise. */
  readonly rampSteps: number;

  /**
   * @param steps steps of the run
   * @param factor by which λ_q and λ_d are multiplied, see `head-check.ts`
   * @throws LexrayError CONFIG when a target cannot be steered to
   */
  constructor(config: FinetuneConfig, steps: number, factor: number) {
    this.#config = config;
    this.#factor = factor;
    this.rampSteps = Math.round(config.regularizerRampRatio * steps);
    const control = (side: ControlledSide, target: number | undefined, weight: number): void => {
      if (target === undefined) return;
      const options = { target, initialWeight: weight * factor, rampSteps: this.rampSteps };
      this.#controllers.set(side, { options, state: startLambda(options) });
    };
    control('queries', config.targetQueryActiveDims, config.queryRegularizerWeight);
    control('documents', config.targetDocumentActiveDims, config.documentRegularizerWeight);
  }

  /** λ by part of the loss, at a step from 1. */
  at(step: number): Readonly<Record<string, number>> {
    const { queryRegularizerWeight, documentRegularizerWeight, jointRegularizerWeight, antiZeroWeight } = this.#config;
    const ramp = quadraticRamp(step, this.rampSteps);
    const sided = (side: ControlledSide, weight: number): number =>
      this.#controllers.get(side)?.state.weight ?? weight * this.#factor * ramp;
    return {
      [regularizerParts.queries]: sided('queries', queryRegularizerWeight),
      [regularizerParts.documents]: sided('documents', documentRegularizerWeight),
      [regularizerParts.joint]: jointRegularizerWeight * ramp,
      [regularizerParts.antiZero]: antiZeroWeight,
    };
  }

  /** Takes in the mean active dimensions of a step. */
  observe(activeDims: Readonly<Record<ControlledSide, number>>): void {
    for (const [side, controller] of this.#controllers) {
      controller.state = steerLambda(controller.state, activeDims[side], controller.options);
    }
  }

  get state(): ControllerStates {
    return Object.fromEntries([...this.#controllers].map(([side, { state }]) => [side, state]));
  }

  restore(states: ControllerStates): void {
    for (const [side, controller] of this.#controllers) controller.state = states[side] ?? controller.state;
  }
}
