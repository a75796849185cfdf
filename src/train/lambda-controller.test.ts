import { describe, expect, it } from 'vitest';
import { Random } from '../util/random.ts';
import {
  type LambdaControllerOptions,
  type LambdaControllerState,
  lambdaControllerStateSchema,
  startLambda,
  steerLambda,
} from './lambda-controller.ts';

/**
 * A model as a controller sees it: its active dimensions tend to dense/(1 + (λ/c)^b) with a lag, in logarithms, after a dead
 * time; what a batch shows of them is noisy. Below one active dimension it is dead for good.
 */
interface Plant {
  readonly elasticity: number;
  /** Steps. */
  readonly lag: number;
  /** Steps. @default 0 */
  readonly deadTime?: number;
  /** Largest relative deviation of a batch. @default 0.3 */
  readonly noise?: number;
  /** Active dimensions without a regularizer. @default 20000 */
  readonly dense?: number;
}

function simulate(
  { elasticity, lag, deadTime = 0, noise = 0.3, dense = 20_000 }: Plant,
  options: LambdaControllerOptions,
  steps: number,
): { readonly activeDims: readonly number[]; readonly weights: readonly number[] } {
  const random = new Random(5);
  const late = Array.from({ length: deadTime }, () => options.initialWeight);
  let state = startLambda(options);
  let logDims = Math.log(dense);
  const activeDims: number[] = [];
  const weights: number[] = [];
  for (let step = 0; step < steps; step++) {
    const isDead = logDims < 0;
    late.push(state.weight);
    const aim = Math.log(dense / (1 + (late.shift()! / 1e-4) ** elasticity));
    logDims = isDead ? Number.NEGATIVE_INFINITY : logDims + (aim - logDims) / lag;
    const dims = Math.exp(logDims);
    state = steerLambda(state, dims * (1 + noise * (2 * random.uniform() - 1)), options);
    activeDims.push(dims);
    weights.push(state.weight);
  }
  return { activeDims, weights };
}

const usual = { target: 100, initialWeight: 1e-4, rampSteps: 1700 };

describe('a controlled plant', () => {
  const plants = [0.6, 1.2, 2].flatMap((elasticity) =>
    [20, 100, 300].flatMap((lag) =>
      [0, 50].flatMap((deadTime) =>
        [1e-6, 1e-3].map((initialWeight) => ({ elasticity, lag, deadTime, initialWeight })),
      ),
    ),
  );

  it.each(plants)(
    'comes to its target and stays (elasticity $elasticity, lag $lag, dead time $deadTime, from λ $initialWeight)',
    ({ initialWeight, ...plant }) => {
      for (const target of [30, 150]) {
        const { activeDims } = simulate(plant, { ...usual, target, initialWeight }, 5000);
        const errors = activeDims.slice(4000).map((dims) => Math.abs(Math.log(dims / target)));
        expect(Math.max(...errors)).toBeLessThan(0.2);
        expect(Math.min(...activeDims)).toBeGreaterThan(0.35 * target);
      }
    },
  );

  it('is steered up as well as down', () => {
    const { activeDims } = simulate({ elasticity: 1, lag: 50, dense: 500 }, { ...usual, initialWeight: 1e-2 }, 4000);
    expect(activeDims[200]).toBeLessThan(60);
    expect(activeDims.at(-1)! / 100).toBeCloseTo(1, 1);
  });

  it('overshoots less with a ramp than without', () => {
    const lowest = (rampSteps: number): number =>
      Math.min(...simulate({ elasticity: 2, lag: 300 }, { ...usual, rampSteps, target: 5 }, 5000).activeDims) / 5;
    expect(lowest(0)).toBeLessThan(0.5);
    expect(lowest(1700)).toBeGreaterThan(0.6);
  });

  it('keeps λ at its limits where a target is out of reach, and comes back from there', () => {
    const options = { ...usual, rampSteps: 0, highestWeight: 1e-3, lowestWeight: 1e-5 };
    let state = startLambda(options);
    const steer = (dims: number, steps: number): void => {
      for (let i = 0; i < steps; i++) state = steerLambda(state, dims, options);
    };
    steer(5000, 5000);
    expect(state.weight).toBeCloseTo(1e-3, 12);
    // Without a limit on I it would take as long to come down as it went up.
    steer(20, 200);
    expect(state.weight).toBeLessThan(5e-4);
    steer(20, 5000);
    expect(state.weight).toBeCloseTo(1e-5, 12);
  });
});

describe('the condition of stability', () => {
  const calm = { noise: 0 };
  const swing = (options: Partial<LambdaControllerOptions>, plant: Plant): number => {
    const { activeDims } = simulate(plant, { ...usual, ...options }, 12_000);
    const late = activeDims.slice(10_000).map(Math.log);
    return Math.max(...late) - Math.min(...late);
  };

  it('holds for every elasticity and lag', () => {
    for (const elasticity of [0.6, 1, 3]) {
      for (const lag of [2, 10, 50, 200, 500]) {
        expect(swing({ horizon: 100, proportional: 0.5, smoothing: 50 }, { elasticity, lag, ...calm })).toBeLessThan(
          0.01,
        );
      }
    }
  });

  it('is what keeps it from swinging: H·(T + S)(1 + bP) > b·TS', () => {
    // T = S = 200, b = 1, P = 0.05: H > 95.
    const plant = { elasticity: 1, lag: 200, ...calm };
    const options = { proportional: 0.05, smoothing: 200 };
    const unchecked = (horizon: number): number => {
      const all = { ...usual, ...options, horizon };
      let state: LambdaControllerState = startLambda({ ...all, horizon: 4000 });
      let logDims = Math.log(200);
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (let step = 0; step < 40_000; step++) {
        const aim = Math.log(20_000 / (1 + state.weight / 1e-4));
        logDims += (aim - logDims) / plant.lag;
        state = steerLambda(state, Math.exp(logDims), all);
        if (step < 38_000) continue;
        low = Math.min(low, logDims);
        high = Math.max(high, logDims);
      }
      return high - low;
    };
    expect(unchecked(70)).toBeGreaterThan(0.5);
    expect(unchecked(130)).toBeLessThan(0.01);
    expect(() => startLambda({ ...usual, ...options, horizon: 130 })).toThrow('a smoothing of 1 to');
  });
});

describe('state and options', () => {
  it('goes on from a checkpoint as if it had not stopped', () => {
    const dims = Array.from({ length: 50 }, (_, i) => 900 / (1 + i) + (i % 7));
    const run = (state: LambdaControllerState, given: readonly number[]): LambdaControllerState =>
      given.reduce((before, active) => steerLambda(before, active, usual), state);
    const whole = run(startLambda(usual), dims);
    const saved = JSON.stringify(run(startLambda(usual), dims.slice(0, 23)));
    const restored = lambdaControllerStateSchema.parse(JSON.parse(saved));
    expect(run(restored, dims.slice(23))).toEqual(whole);
    expect(run(startLambda(usual), [])).toEqual(startLambda(usual));
  });

  it('starts with its first weight, and takes vectors without active dimensions', () => {
    expect(startLambda(usual).weight).toBe(1e-4);
    let state = startLambda({ ...usual, rampSteps: 0 });
    for (let i = 0; i < 500; i++) state = steerLambda(state, 0, { ...usual, rampSteps: 0 });
    expect(state.weight).toBeLessThan(1e-5);
    expect(Number.isFinite(state.integral)).toBe(true);
  });

  it.each([
    [{ target: 0 }, 'target must be a positive number, got 0'],
    [{ target: Number.NaN }, 'target must be a positive number'],
    [{ initialWeight: 0 }, 'initialWeight must be a positive number'],
    [{ initialWeight: 20 }, '20 is not in 1e-8 to 10'],
    [{ lowestWeight: 0 }, 'lowestWeight must be a positive number'],
    [{ rampSteps: -1 }, 'rampSteps must be at least 0'],
    [{ proportional: 0 }, 'proportional more'],
    [{ smoothing: 80 }, 'a smoothing of 1 to horizon·proportional expected, got 80'],
    [{ horizon: Number.POSITIVE_INFINITY }, 'horizon must be a positive number'],
  ] as const)('refuses %o', (options, message) => {
    expect(() => startLambda({ ...usual, ...options })).toThrow(message);
  });
});
