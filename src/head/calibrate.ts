/**
 * Finds the correction of a head that gives its vectors the scale a statistic asks for. Everything comes from the cache of
 * one encoding pass (or from the checkpoint alone), nothing is random, and the search runs in units of the logits' own
 * size: a head that is m times as large gets m times the factor.
 *
 * In arm D the shift c comes first, from the activation rate, and k is then sought for that c. Arm A has another encoder at
 * every k, so it cannot be sought here; `sweep.ts` tries a few.
 */
import { LexrayError } from '../util/errors.ts';
import { type Correction, type CorrectionArm, checkCorrection, correctLogits } from './correction.ts';
import type { EncodingCache } from './encoding-cache.ts';
import { correctedKind } from './head-kind.ts';
import { SeenScores } from './seen-scores.ts';
import { activationRate } from './targets/activation-rate.ts';
import { defaultStatistic, findStatistic } from './targets/registry.ts';
import type { StatisticName } from './targets/statistic-names.ts';
import type { CalibrationInputs, StatisticGoal, TargetStatistic } from './targets/target-statistic.ts';

/** Options of {@link calibrate}. */
export interface CalibrateOptions {
  /** @default 'C' */
  readonly arm?: CorrectionArm | undefined;
  /** @default 'exact-deviation'; for arm E, which divides each term by another number, 'score-spread' */
  readonly statistic?: StatisticName | undefined;
  /** Another target than the statistic's own. */
  readonly target?: number | undefined;
  /** P(z > 0) of a token and a term that the shift of arm D aims at. @default 0.1 */
  readonly activationRate?: number | undefined;
}

/** A correction and how it was found. */
export interface Calibration {
  readonly correction: Correction;
  readonly statistic: StatisticName;
  /** The value aimed at; undefined where the statistic is a minimum. */
  readonly target: number | undefined;
  readonly origin: string;
  /** The statistic before and after. */
  readonly before: number;
  readonly after: number;
}

/** Deviation of logits, in units of their size, up to which they are the same for every token but for rounding. */
const constantRatio = 1e-6;
/** Steps of doubling by which a root is bracketed, from the logits' own size in both directions. */
const widestBracket = 40;
/** Where the search ends: width of the bracket of k, in octaves. */
const tolerance = 1e-5;

/**
 * Finds a correction.
 * @param seen what other calibrations of the same cache saw
 * @throws LexrayError USAGE for arm A or an arm that the statistic cannot serve; BAD_INPUT when no factor reaches the target
 */
export function calibrate(
  inputs: CalibrationInputs,
  options: CalibrateOptions = {},
  seen: SeenScores = new SeenScores(),
): Calibration {
  const arm = options.arm ?? 'C';
  const statistic = options.statistic === undefined ? defaultStatistic(arm) : findStatistic(options.statistic);
  if (arm === 'A') {
    throw new LexrayError('USAGE', 'arm A cannot be calibrated from one pass: it changes the encoder at every factor', {
      cure: 'use arm C or D, or --sweep, which encodes the texts once for each factor',
    });
  }
  if (!statistic.arms.includes(arm)) {
    throw new LexrayError('USAGE', `${statistic.name} finds no factor for arm ${arm}`, {
      cure: `use arm ${statistic.arms.join(' or ')}`,
    });
  }
  const { cache } = inputs;
  const own = ownTarget(statistic, options.target);
  const needsCache = statistic.needs !== 'checkpoint' || arm === 'D';
  if (cache === undefined && needsCache) throw new LexrayError('FAILED', `${statistic.name} needs encoded texts`);
  const rate = statistic.goal.kind === 'shift' ? (own ?? statistic.goal.target) : options.activationRate;
  const shift = arm === 'D' ? shiftFor(cache!, rate) : 0;
  const at = (factor: number): Correction => ({ arm, factor, shift });
  const { goal } = statistic;
  const target = own ?? targetOf(statistic, cache, at(1));
  const common = { statistic: statistic.name, target, origin: originOf(statistic, options) };

  if (goal.kind === 'shift') {
    const [before, after] = [0, shift].map((c) => cache!.tokenLogits.logits.shareAbove(c)) as [number, number];
    return { ...common, correction: at(1), before, after };
  }
  const scale = statistic.needs === 'checkpoint' ? undefined : logitScale(cache!, at(1));
  if (scale === 0) {
    throw new LexrayError('BAD_INPUT', 'no dimension of any text is active, which no factor changes', {
      cure:
        arm === 'D'
          ? 'give a larger activation rate, which shifts further'
          : 'use arm D, whose shift can make dimensions active again',
    });
  }
  if (goal.kind === 'direct') {
    const before = goal.value(inputs);
    // Next to logits of this size the rest is rounding.
    if (!(before > constantRatio * (scale ?? 0))) {
      throw new LexrayError('BAD_INPUT', `${statistic.name} of this head is ${before}, which no factor changes`, {
        cure: 'look at the head with diagnose: weights that are zero, or the same input for every token',
      });
    }
    const scaled = goal.factor(before, target!);
    const correction = at(scaled);
    checkCorrection(correction);
    return { ...common, correction, before, after: before / scaled };
  }
  const smaller = seen.activeTerms(cache!, at(1));
  const measured = new Map<number, number>();
  const measure = (factor: number): number => {
    const known = measured.get(factor);
    if (known !== undefined) return known;
    const value = goal.measure(smaller, at(factor), seen);
    measured.set(factor, value);
    return value;
  };
  const factor = goal.kind === 'least' ? seekLeast(measure, scale!) : seekValue(measure, scale!, goal, target!, arm);
  return {
    ...common,
    correction: at(factor),
    before: goal.measure(cache!, { arm: 'C', factor: 1, shift: 0 }, seen),
    after: measure(factor),
  };
}

/**
 * The shift c after which a share of the logits of tokens is above 0. It is an edge of the histogram, so that the share is
 * exact for the sampled tokens.
 * @param rate @default 0.1
 */
export function shiftFor(cache: EncodingCache, rate?: number): number {
  const wanted = rate ?? (activationRate.goal as { readonly target: number }).target;
  if (!(wanted > 0 && wanted < 1)) {
    throw new LexrayError('USAGE', `expected an activation rate between 0 and 1, got ${wanted}`);
  }
  return cache.tokenLogits.logits.thresholdFor(wanted);
}

/**
 * The target that the user gave.
 * @throws LexrayError USAGE for a statistic without one, or a number that is none
 */
export function ownTarget({ goal, name }: TargetStatistic, own: number | undefined): number | undefined {
  if (own === undefined) return undefined;
  if (goal.kind === 'least') throw new LexrayError('USAGE', `${name} is a minimum and takes no target`);
  if (!(own > 0 && own < Number.POSITIVE_INFINITY)) {
    throw new LexrayError('USAGE', `expected a target above 0, got ${own}`);
  }
  return own;
}

/** The statistic's own target, for a head as it is but for the shift. */
function targetOf(
  { goal }: TargetStatistic,
  cache: EncodingCache | undefined,
  shifted: Correction,
): number | undefined {
  if (goal.kind === 'least') return undefined;
  return goal.kind === 'value' ? goal.target(correctedKind(cache!, shifted)) : goal.target;
}

function originOf({ origin }: TargetStatistic, { target }: CalibrateOptions): string {
  return target === undefined ? origin : 'given by the user';
}

/**
 * Root mean square of what a factor divides, where it is positive: what the search measures factors in. In arm B that is u,
 * elsewhere the logits.
 */
function logitScale(cache: EncodingCache, correction: Correction): number {
  const logits = new Float32Array(cache.vocabularySize);
  const head = correction.arm === 'B' ? { ...cache, bias: new Float32Array(cache.vocabularySize) } : cache;
  let squares = 0;
  let count = 0;
  for (const pooled of cache.pooled) {
    correctLogits(pooled, head, correction, logits);
    for (const z of logits) {
      if (!(z > 0)) continue;
      squares += z * z;
      count++;
    }
  }
  return count === 0 ? 0 : Math.sqrt(squares / count);
}

/**
 * The k at which the statistic has its target. k is doubled or halved until the target lies between two of them; then false
 * position in log k and log value (the Illinois variant, which halves the weight of an end that stays), with a bisection
 * wherever that gains little.
 */
function seekValue(
  measure: (factor: number) => number,
  scale: number,
  goal: Extract<StatisticGoal, { kind: 'value' }>,
  target: number,
  arm: CorrectionArm,
): number {
  const sign = goal.direction === 'falls' ? 1 : -1;
  /** Above 0 where k must grow. */
  const excess = (step: number): number => sign * Math.log(Math.max(measure(scale * 2 ** step), 1e-300) / target);
  let low = 0;
  let high = 0;
  let lowExcess = excess(0);
  let highExcess = lowExcess;
  while (lowExcess <= 0 && low > -widestBracket) {
    [high, highExcess] = [low, lowExcess];
    lowExcess = excess(--low);
  }
  while (highExcess > 0 && high < widestBracket) {
    [low, lowExcess] = [high, highExcess];
    highExcess = excess(++high);
  }
  if (lowExcess <= 0 || highExcess > 0) {
    const end = measure(scale * 2 ** (lowExcess <= 0 ? low : high));
    throw new LexrayError(
      'BAD_INPUT',
      `no factor of arm ${arm} brings the statistic to ${target}; it stays at ${end}`,
      {
        cure: arm === 'B' ? 'use arm C, which divides the bias too' : 'use another statistic or target',
      },
    );
  }
  let stayed = 0;
  while (high - low > tolerance) {
    const width = high - low;
    const share = lowExcess / (lowExcess - highExcess);
    // Not at an end, where the bracket would not shrink.
    const step = stayed > 2 ? (low + high) / 2 : low + width * Math.min(0.99, Math.max(0.01, share));
    const value = excess(step);
    if (Math.abs(value) < 1e-7) return scale * 2 ** step;
    if (value > 0) {
      if (stayed > 0) highExcess /= 2;
      [low, lowExcess] = [step, value];
    } else {
      if (stayed > 0) lowExcess /= 2;
      [high, highExcess] = [step, value];
    }
    stayed = high - low > width / 2 ? stayed + 1 : 0;
  }
  return scale * 2 ** ((low + high) / 2);
}

/** Golden section in log k around the best of a grid of octaves. */
function seekLeast(measure: (factor: number) => number, scale: number): number {
  let best = -10;
  for (let step = -10; step <= 10; step++) {
    if (measure(scale * 2 ** step) < measure(scale * 2 ** best)) best = step;
  }
  const ratio = (Math.sqrt(5) - 1) / 2;
  const value = (step: number): number => measure(scale * 2 ** step);
  let [low, high] = [best - 1, best + 1];
  let [left, right] = [high - ratio * (high - low), low + ratio * (high - low)];
  while (high - low > 1e-3) {
    if (value(left) <= value(right)) {
      high = right;
      right = left;
      left = high - ratio * (high - low);
    } else {
      low = left;
      left = right;
      right = low + ratio * (high - low);
    }
  }
  return scale * 2 ** ((low + high) / 2);
}
