/**
 * The frontier of effectiveness and cost: one collection and its queries, pruned more and more, and what each state reaches
 * and costs. The figures are kept query by query, so that frontiers of the same queries can be compared later.
 */
import type { OperatingPoint } from './equal-cost.ts';
import type { RetrievalCost } from './retrieval-cost.ts';

/** One state of pruning. */
export interface FrontierPoint {
  /** How queries and documents were pruned: `top-k=7`, or `all`. */
  readonly query: string;
  readonly document: string;
  readonly cost: RetrievalCost;
  /** Bytes of the arrays of the index: 8 a posting, 8 a term and 8. Docids are not counted. */
  readonly indexBytes: number;
  /** Postings that an exhaustive search touches for each query, in the order of the qids. */
  readonly postingsTouched: readonly number[];
  /** Milliseconds of each query in the exact searcher, on the machine that measured. */
  readonly milliseconds: readonly number[];
  /** Values of each query by measure, in the order of the qids. */
  readonly measures: Readonly<Record<string, readonly number[]>>;
}

/** States of pruning of one collection. */
export interface Frontier {
  /** Names the system: a model. */
  readonly label: string;
  /** Number of documents. */
  readonly documents: number;
  /** Size of the vocabulary. */
  readonly dimensions: number;
  /** The queries that were measured. */
  readonly qids: readonly string[];
  /** Hits a query that were looked for. */
  readonly k: number;
  readonly points: readonly FrontierPoint[];
}

/** Points of one way of pruning, with those that are not pruned. */
export interface FrontierFamily {
  /** The strategies: `top-k`, or `all` when nothing is pruned. */
  readonly name: string;
  /** From the cheapest to the dearest by FLOPS. */
  readonly points: readonly FrontierPoint[];
}

/** What may be held equal. */
export type CostAxis = 'flops' | 'bytes';

/**
 * Groups points by their strategies, so that each group is one curve. A point that is not pruned is the end of every curve.
 */
export function frontierFamilies(points: readonly FrontierPoint[]): FrontierFamily[] {
  const families = new Map<string, FrontierPoint[]>();
  const whole = points.filter((point) => familyName(point) === 'all');
  for (const point of points) {
    const name = familyName(point);
    if (name !== 'all') families.set(name, [...(families.get(name) ?? []), point]);
  }
  if (families.size === 0) families.set('all', []);
  return [...families].map(([name, members]) => ({
    name,
    points: [...members, ...whole].sort((a, b) => a.cost.flops - b.cost.flops),
  }));
}

/** A point as `equal-cost.ts` takes it. FLOPS are a mean over queries of the postings touched, divided by the documents. */
export function operatingPoint(
  point: FrontierPoint,
  measure: string,
  axis: CostAxis,
  documents: number,
): OperatingPoint {
  return {
    effectiveness: point.measures[measure] ?? [],
    cost: axis === 'bytes' ? point.indexBytes : point.postingsTouched.map((postings) => postings / documents),
  };
}

/** `(7, 20)` where both sides keep a number of terms, with 0 for all; else the strategies: `all / mass=0.9`. */
export function pointName({ query, document }: Pick<FrontierPoint, 'query' | 'document'>): string {
  const [q, d] = [query, document].map((text) => (text === 'all' ? '0' : /^top-k=(\d+)$/.exec(text)?.[1]));
  return q !== undefined && d !== undefined ? `(${q}, ${d})` : `${query} / ${document}`;
}

/** The names of the strategies of both sides, each once. */
function familyName({ query, document }: FrontierPoint): string {
  const names = new Set([query, document].flatMap((side) => side.split('+').map((part) => part.replace(/=.*/, ''))));
  if (names.size > 1) names.delete('all');
  return [...names].join(' + ');
}
