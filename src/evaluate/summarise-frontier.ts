/** A frontier in figures: means with bootstrap intervals over the queries, and what each point costs. */
import { badInput } from '../util/errors.ts';
import { compareAtEqualCost, costRange, type EqualCostComparison } from './equal-cost.ts';
import {
  type CostAxis,
  type Frontier,
  type FrontierFamily,
  type FrontierPoint,
  frontierFamilies,
  operatingPoint,
  pointName,
} from './frontier.ts';
import type { RetrievalCost } from './retrieval-cost.ts';
import { type BootstrapOptions, bootstrapInterval, type Interval } from './significance/bootstrap-interval.ts';

/** A point in figures. */
export interface PointSummary {
  /** As `pointName` writes it. */
  readonly name: string;
  readonly query: string;
  readonly document: string;
  /** Means over the queries by measure. */
  readonly measures: Readonly<Record<string, Interval>>;
  /** Paired differences to the first point by measure; none at the first point itself. */
  readonly differences?: Readonly<Record<string, Interval>> | undefined;
  readonly cost: RetrievalCost;
  readonly indexBytes: number;
  /** Postings touched by a query. */
  readonly postingsTouched: { readonly mean: number; readonly median: number; readonly p99: number };
  /** Of a query. */
  readonly milliseconds: { readonly median: number; readonly p99: number };
}

/** A curve against a point of another at that point's cost. */
export interface EqualCostRow {
  readonly measure: string;
  readonly axis: CostAxis;
  /** Label and strategies of curve A. */
  readonly curve: string;
  /** Label and pruning of point B. */
  readonly point: string;
  /** The cost of B. */
  readonly cost: number;
  /** The costs that A spans. */
  readonly range: readonly [number, number];
  /** None where B's cost lies outside A's range. */
  readonly comparison?: EqualCostComparison | undefined;
}

/** Summarises the points, in their order. Percentiles are by nearest rank. */
export function summariseFrontier({ points }: Frontier, options: BootstrapOptions = {}): PointSummary[] {
  const [first] = points;
  return points.map((point) => {
    const names = Object.keys(point.measures);
    const intervals = (values: (name: string) => readonly number[]): Record<string, Interval> =>
      Object.fromEntries(names.map((name) => [name, bootstrapInterval(values(name), options)]));
    return {
      name: pointName(point),
      query: point.query,
      document: point.document,
      measures: intervals((name) => point.measures[name]!),
      ...(point !== first && {
        differences: intervals((name) => point.measures[name]!.map((value, i) => value - first!.measures[name]![i]!)),
      }),
      cost: point.cost,
      indexBytes: point.indexBytes,
      postingsTouched: {
        mean: point.postingsTouched.reduce((sum, value) => sum + value, 0) / point.postingsTouched.length,
        median: nearestRank(point.postingsTouched, 0.5),
        p99: nearestRank(point.postingsTouched, 0.99),
      },
      milliseconds: { median: nearestRank(point.milliseconds, 0.5), p99: nearestRank(point.milliseconds, 0.99) },
    };
  });
}

/** Compares the ways of pruning of one frontier: each curve but the first with the points of the first. */
export function compareFamilies(
  frontier: Frontier,
  options: BootstrapOptions & { readonly axis?: CostAxis } = {},
): EqualCostRow[] {
  const [first, ...others] = frontierFamilies(frontier.points);
  if (first === undefined) return [];
  const pruned = first.points.filter(({ query, document }) => query !== 'all' || document !== 'all');
  return others.flatMap((family) => compare(frontier, family, frontier, pruned, options));
}

/**
 * Compares the curves of frontier A with every point of frontier B at B's cost.
 * @throws LexrayError BAD_INPUT when they were not measured on the same queries and measures
 */
export function compareFrontiers(
  a: Frontier,
  b: Frontier,
  options: BootstrapOptions & { readonly axis?: CostAxis } = {},
): EqualCostRow[] {
  const other = reorder(b, a.qids);
  return frontierFamilies(a.points).flatMap((family) => compare(a, family, other, other.points, options));
}

function compare(
  a: Frontier,
  family: FrontierFamily,
  b: Frontier,
  points: readonly FrontierPoint[],
  { axis = 'flops', ...options }: BootstrapOptions & { readonly axis?: CostAxis },
): EqualCostRow[] {
  const measures = Object.keys(a.points[0]?.measures ?? {}).filter((name) => points[0]?.measures[name] !== undefined);
  // What finds nothing costs nothing, and has no place on a logarithmic scale.
  const curvePoints = family.points.filter((point) => point.cost.flops > 0);
  const others = points.filter((point) => point.cost.flops > 0);
  if (curvePoints.length === 0) return [];
  return measures.flatMap((measure) => {
    const curve = curvePoints.map((point) => operatingPoint(point, measure, axis, a.documents));
    const against = others.map((point) => operatingPoint(point, measure, axis, b.documents));
    const comparisons = compareAtEqualCost(curve, against, options);
    const name = family.name === 'all' ? a.label : `${a.label}, ${family.name}`;
    return others.map((point, i): EqualCostRow => {
      const comparison = comparisons[i];
      return {
        measure,
        axis,
        curve: name,
        point: `${b.label} ${pointName(point)}`,
        cost: axis === 'bytes' ? point.indexBytes : point.cost.flops,
        range: costRange(curve),
        ...(comparison && { comparison }),
      };
    });
  });
}

/** A frontier with its queries in another order. */
function reorder(frontier: Frontier, qids: readonly string[]): Frontier {
  const places = new Map(frontier.qids.map((qid, i) => [qid, i]));
  const order = qids.map((qid) => places.get(qid) ?? -1);
  if (qids.length !== places.size || order.includes(-1)) {
    throw badInput(
      `${frontier.label} was measured on other queries: ${places.size} there, ${qids.length} here, ${order.filter((i) => i !== -1).length} in both`,
      { cure: 'measure both on the same split' },
    );
  }
  const sorted = (values: readonly number[]): number[] => order.map((i) => values[i]!);
  return {
    ...frontier,
    qids,
    points: frontier.points.map((point) => ({
      ...point,
      postingsTouched: sorted(point.postingsTouched),
      milliseconds: sorted(point.milliseconds),
      measures: Object.fromEntries(Object.entries(point.measures).map(([name, values]) => [name, sorted(values)])),
    })),
  };
}

function nearestRank(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
