/**
 * Steers the weight λ of a regularizer so that a side of the model comes to a wanted number of active dimensions: for whoever
 * knows what an index may cost, but not which λ gives it. Queries and documents have a controller each.
 *
 * It is a PI controller of log λ on the logarithm of the active dimensions, as both act as factors. With n̂ the running mean
 * of log(1 + active dimensions) over about S steps, and r the reference, which goes from where the run begins to
 * log(1 + target) in a straight line over the ramp,
 *
 *     e = n̂ − r, at most 1 up or down        I ← I + e/H        log λ = I + P·e
 *
 * The moving reference stands in for the ramp of λ: a target at once drives λ up while a slow model cannot follow yet, and it
 * falls far below the target before λ is down again. Limits of λ hold for I too, so it does not wind up at them.
 *
 * Stability. Let the model follow λ as log n ∝ −b·log λ with a lag of T steps. Then the loop's characteristic polynomial is
 * TS·s³ + (T + S)·s² + (1 + bP)·s + b/H, and it is stable if and only if H·(T + S)(1 + bP) > b·TS: for any b and T when H ≥ S/P,
 * which is required here. It does not swing when H > 4bT/(1 + bP)² (S small). Dead time of the model narrows this: with P·b < 1
 * it stays tame; the tests go up to b = 2 with 50 steps of dead time. At small λ a model hardly answers (b near 0), so a start
 * far below the right λ is slow, not harmful. Sides that share an encoder also move each other. A model that is dead answers
 * to no λ: that is for the guard to see. Bounded errors and ramped references are the usual means against overshoot (Åström
 * and Hägglund, PID Controllers, 1995).
 */
import { z } from 'zod';
import { LexrayError } from '../util/errors.ts';

/** Options of a controller; the same at each step of a run. */
export interface LambdaControllerOptions {
  /** Mean active dimensions of a vector that are wanted. */
  readonly target: number;
  /** λ of the first step. Rather too small: that costs time, too large a λ can kill the model. */
  readonly initialWeight: number;
  /** Steps in which the reference goes to the target. */
  readonly rampSteps: number;
  /** H, steps in which an error of 1 changes λ by a factor e: fewer in runs of a thousand steps. @default 100 */
  readonly horizon?: number | undefined;
  /** P, the share of an error that acts at once. @default 0.5 */
  readonly proportional?: number | undefined;
  /** S, steps over which active dimensions are averaged. @default 20 */
  readonly smoothing?: number | undefined;
  /** @default 1e-8 */
  readonly lowestWeight?: number | undefined;
  /** @default 10 */
  readonly highestWeight?: number | undefined;
}

/** Where a controller stands; plain data, for checkpoints. */
export interface LambdaControllerState {
  /** Steps observed. */
  readonly steps: number;
  /** λ of the next step. */
  readonly weight: number;
  /** I. */
  readonly integral: number;
  /** n̂; 0 before the first step. */
  readonly logActiveDims: number;
  /** log(1 + active dimensions) of the first step; 0 before it. */
  readonly start: number;
}

/** The schema of {@link LambdaControllerState}. */
export const lambdaControllerStateSchema: z.ZodType<LambdaControllerState> = z.strictObject({
  steps: z.int().min(0),
  weight: z.number().min(0),
  integral: z.number(),
  logActiveDims: z.number(),
  start: z.number(),
});

/**
 * A controller before the first step.
 * @throws LexrayError CONFIG when the options cannot be met, or are not stable
 */
export function startLambda(options: LambdaControllerOptions): LambdaControllerState {
  const { initialWeight, lowestWeight, highestWeight, horizon, proportional, smoothing } = withDefaults(options);
  const positive = { ...options, lowestWeight, highestWeight, horizon, smoothing };
  for (const name of ['target', 'initialWeight', 'lowestWeight', 'horizon', 'smoothing'] as const) {
    if (!(positive[name] > 0 && positive[name] < Number.POSITIVE_INFINITY)) {
      throw new LexrayError('CONFIG', `λ controller: ${name} must be a positive number, got ${positive[name]}`);
    }
  }
  if (!(lowestWeight <= initialWeight && initialWeight <= highestWeight)) {
    throw new LexrayError('CONFIG', `λ controller: ${initialWeight} is not in ${lowestWeight} to ${highestWeight}`, {
      cure: 'give an initialWeight between lowestWeight and highestWeight',
    });
  }
  if (!(options.rampSteps >= 0) || !(proportional > 0)) {
    throw new LexrayError('CONFIG', 'λ controller: rampSteps must be at least 0, proportional more');
  }
  if (!(smoothing >= 1 && horizon * proportional >= smoothing)) {
    throw new LexrayError(
      'CONFIG',
      `λ controller: a smoothing of 1 to horizon·proportional expected, got ${smoothing}`,
      {
        cure: `a horizon of at least ${smoothing / proportional} steps is stable`,
      },
    );
  }
  return { steps: 0, weight: initialWeight, integral: Math.log(initialWeight), logActiveDims: 0, start: 0 };
}

/**
 * The controller after a step.
 * @param activeDims mean active dimensions of the vectors of its side in the step
 */
export function steerLambda(
  state: LambdaControllerState,
  activeDims: number,
  options: LambdaControllerOptions,
): LambdaControllerState {
  const { target, rampSteps, horizon, proportional, smoothing, lowestWeight, highestWeight } = withDefaults(options);
  const steps = state.steps + 1;
  const observed = Math.log1p(activeDims);
  const logActiveDims = state.logActiveDims + (observed - state.logActiveDims) / Math.min(steps, smoothing);
  const start = state.steps === 0 ? observed : state.start;
  const progress = rampSteps === 0 ? 1 : Math.min(1, steps / rampSteps);
  const reference = start + (Math.log1p(target) - start) * progress;
  const error = clamp(logActiveDims - reference, -1, 1);
  const limit = (x: number): number => clamp(x, Math.log(lowestWeight), Math.log(highestWeight));
  const integral = limit(state.integral + error / horizon);
  return { steps, weight: Math.exp(limit(integral + proportional * error)), integral, logActiveDims, start };
}

function withDefaults(options: LambdaControllerOptions) {
  return {
    ...options,
    horizon: options.horizon ?? 100,
    proportional: options.proportional ?? 0.5,
    smoothing: options.smoothing ?? 20,
    lowestWeight: options.lowestWeight ?? 1e-8,
    highestWeight: options.highestWeight ?? 10,
  };
}

function clamp(x: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, x));
}
