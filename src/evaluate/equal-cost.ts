/**
 * Effectiveness at equal cost: what does system A reach at the cost that system B has? A is a curve of operating points (the
 * same vectors pruned more and more), B one point. A is interpolated through its points without overshoot
 * (`monotone-interpolation.ts`) over the logarithm of the cost, since costs span orders of magnitude, and never extrapolated.
 *
 * The interval is a paired bootstrap over queries: each resample of the queries gives every point of A and B a new mean
 * effectiveness and, where the cost is a mean over queries too (FLOPS), a new cost; A is interpolated anew, and B taken from
 * it. A resample in which B's cost falls beyond the end of A is given A's value at that end and counted.
 */
import { badInput } from '../util/errors.ts';
import { mean } from '../util/mean.ts';
import { Random } from '../util/random.ts';
import { interpolateMonotone } from './monotone-interpolation.ts';
import { type BootstrapOptions, type Interval, quantile } from './significance/bootstrap-interval.ts';

/** A way of running a system: how good and how dear it is, query by query. */
export interface OperatingPoint {
  /** Effectiveness of each query. The queries of all points are the same, in the same order. */
  readonly effectiveness: ArrayLike<number>;
  /** Cost: of each query, when the cost is their mean; or one number that queries do not change (bytes). Above 0. */
  readonly cost: ArrayLike<number> | number;
}

/** A against B at B's cost. */
export interface EqualCostComparison {
  /** The cost of B. */
  readonly cost: number;
  /** A at that cost, interpolated. */
  readonly a: Interval;
  readonly b: Interval;
  /** A − B. */
  readonly difference: Interval;
  /** Share of the resamples in which B's cost lay beyond the end of A. Above .05 the interval says little. */
  readonly outside: number;
}

/**
 * Compares curve A with each point of B at its cost.
 * @param curve points of A, in any order; points of the same cost are averaged
 * @param others points of B
 * @returns one comparison a point of B; `undefined` where its cost lies outside A's points: it is not extrapolated
 * @throws LexrayError BAD_INPUT when a cost is not above 0, or the points have different numbers of queries
 */
export function compareAtEqualCost(
  curve: readonly OperatingPoint[],
  others: readonly OperatingPoint[],
  options: BootstrapOptions = {},
): (EqualCostComparison | undefined)[] {
  const { samples = 10_000, seed = 0, confidence = 0.95 } = options;
  const queries = checkPoints([...curve, ...others]);
  const whole = curveMeans(
    curve,
    Uint32Array.from({ length: queries }, (_, i) => i),
  );
  const estimates = others.map((point) => estimateAt(whole, point));
  const draws = others.map(() => ({ a: new Float64Array(samples), b: new Float64Array(samples), outside: 0 }));
  const random = new Random(seed);
  const drawn = new Uint32Array(queries);
  for (let sample = 0; sample < samples; sample++) {
    for (let i = 0; i < queries; i++) drawn[i] = random.integer(queries);
    const means = curveMeans(curve, drawn);
    for (const [i, point] of others.entries()) {
      if (estimates[i]!.a === undefined) continue;
      const { a, b, cost } = estimateAt(means, point);
      const into = draws[i]!;
      if (a === undefined) into.outside++;
      into.a[sample] = a ?? valueAtEnd(means, cost);
      into.b[sample] = b;
    }
  }
  const tail = (1 - confidence) / 2;
  const interval = (middle: number, values: Float64Array): Interval => {
    const sorted = values.slice().sort();
    return { mean: middle, low: quantile(sorted, tail), high: quantile(sorted, 1 - tail), confidence };
  };
  return estimates.map(({ a, b, cost }, i) => {
    if (a === undefined) return undefined;
    const resampled = draws[i]!;
    return {
      cost,
      a: interval(a, resampled.a),
      b: interval(b, resampled.b),
      difference: interval(
        a - b,
        resampled.a.map((value, sample) => value - resampled.b[sample]!),
      ),
      outside: resampled.outside / samples,
    };
  });

  function estimateAt(means: CurveMeans, point: OperatingPoint): { a: number | undefined; b: number; cost: number } {
    const cost = meanCost(point, means.queries);
    const a = means.places.length === 0 ? undefined : interpolateMonotone(means.places, means.values, Math.log(cost));
    return { a, b: meanOf(point.effectiveness, means.queries), cost };
  }
}

/** The costs that a curve spans, from its cheapest point to its dearest. */
export function costRange(curve: readonly OperatingPoint[]): readonly [number, number] {
  const costs = curve.map((point) => (typeof point.cost === 'number' ? point.cost : mean(point.cost)));
  return [Math.min(...costs), Math.max(...costs)];
}

/** The points of a curve for a resample of the queries, by logarithm of cost, ascending. */
interface CurveMeans {
  readonly queries: Uint32Array;
  readonly places: readonly number[];
  readonly values: readonly number[];
}

function curveMeans(curve: readonly OperatingPoint[], queries: Uint32Array): CurveMeans {
  const points = curve
    .map((point) => ({
      place: Math.log(meanCost(point, queries)),
      value: meanOf(point.effectiveness, queries),
      count: 1,
    }))
    // A point that costs these queries nothing has no place.
    .filter(({ place }) => Number.isFinite(place))
    .sort((p, q) => p.place - q.place);
  const merged: typeof points = [];
  for (const point of points) {
    const last = merged.at(-1);
    if (last?.place === point.place) {
      last.value = (last.value * last.count + point.value) / (last.count + 1);
      last.count++;
    } else merged.push(point);
  }
  return { queries, places: merged.map(({ place }) => place), values: merged.map(({ value }) => value) };
}

/** The value at the end of a curve that is nearer to a cost beyond it. */
function valueAtEnd({ places, values }: CurveMeans, cost: number): number {
  return (Math.log(cost) <= (places[0] ?? 0) ? values[0] : values.at(-1)) ?? 0;
}

function meanCost({ cost }: OperatingPoint, queries: Uint32Array): number {
  return typeof cost === 'number' ? cost : meanOf(cost, queries);
}

function meanOf(values: ArrayLike<number>, queries: Uint32Array): number {
  let sum = 0;
  for (const query of queries) sum += values[query]!;
  return sum / queries.length;
}

/** Checks the points and returns the number of their queries. */
function checkPoints(points: readonly OperatingPoint[]): number {
  const queries = points[0]?.effectiveness.length ?? 0;
  if (queries === 0) throw badInput('an operating point needs at least one query');
  for (const { effectiveness, cost } of points) {
    const costs = typeof cost === 'number' ? queries : cost.length;
    if (effectiveness.length !== queries || costs !== queries) {
      throw badInput(`operating points must have the same queries, got ${effectiveness.length} and ${queries}`, {
        cure: 'measure both systems on the same queries',
      });
    }
    const value = typeof cost === 'number' ? cost : mean(cost);
    if (!(value > 0)) throw badInput(`a cost must be above 0, got ${value}`, { cure: 'leave out what finds nothing' });
  }
  return queries;
}
