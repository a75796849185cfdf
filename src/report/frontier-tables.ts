/** The tables of a frontier, for the page, Markdown and the terminal. */
import type { EqualCostRow, PointSummary } from '../evaluate/summarise-frontier.ts';
import {
  type Cell,
  type Column,
  estimateCell,
  formatBytes,
  formatDifference,
  formatInterval,
  formatNumber,
  noValue,
  type Table,
} from './table.ts';

const right = (label: string): Column => ({ label, align: 'right' });

/** What each point reaches, and its paired difference to the first. */
export function effectivenessTable(points: readonly PointSummary[]): Table {
  const measures = Object.keys(points[0]?.measures ?? {});
  const compared = points.length > 1;
  return {
    caption: 'Effectiveness: means over the queries with 95 % bootstrap intervals',
    columns: [
      { label: 'Pruning' },
      right('FLOPS'),
      ...measures.flatMap((name) => [right(name), ...(compared ? [right(`Δ ${points[0]!.name}`)] : [])]),
    ],
    rows: points.map((point) => [
      point.name,
      formatNumber(point.cost.flops, 3),
      ...measures.flatMap((name): Cell[] => [
        estimateCell(point.measures[name]),
        ...(compared ? [differenceCell(point.differences?.[name])] : []),
      ]),
    ]),
  };
}

/** What each point costs. */
export function costTable(points: readonly PointSummary[]): Table {
  return {
    caption: 'Cost',
    columns: [
      { label: 'Pruning' },
      ...[
        'FLOPS',
        'Active dims, query',
        'Active dims, document',
        'Index',
        'Postings touched, mean',
        'Postings touched, p99',
        'Latency, median',
        'Latency, p99',
      ].map(right),
    ],
    rows: points.map(({ name, cost, indexBytes, postingsTouched, milliseconds }) => [
      name,
      formatNumber(cost.flops, 3),
      formatNumber(cost.queryActiveDims, 1),
      formatNumber(cost.documentActiveDims, 1),
      formatBytes(indexBytes),
      formatNumber(postingsTouched.mean, 0),
      formatNumber(postingsTouched.p99, 0),
      `${formatNumber(milliseconds.median, 3)} ms`,
      `${formatNumber(milliseconds.p99, 3)} ms`,
    ]),
  };
}

/** How the postings of each point are spread over the lists. */
export function postingsTable(points: readonly PointSummary[], documents: number): Table {
  return {
    caption: 'Postings lists',
    columns: [
      { label: 'Pruning' },
      ...[
        'Lists',
        'Mean length',
        'CV²',
        'CV², empty lists counted',
        'p99 length',
        'Largest',
        'Largest, share of documents',
        'Empty documents',
        'Empty queries',
      ].map(right),
    ],
    rows: points.map(({ name, cost }) => [
      name,
      formatNumber(cost.postings.lists, 0),
      formatNumber(cost.postings.mean, 1),
      formatNumber(cost.postings.cv2, 2),
      formatNumber(cost.postingsWithEmpty.cv2, 2),
      formatNumber(cost.postings.p99, 0),
      formatNumber(cost.postings.largest, 0),
      formatNumber(cost.postings.largest / documents, 3),
      formatNumber(cost.emptyDocuments, 0),
      formatNumber(cost.emptyQueries, 0),
    ]),
  };
}

/** Curves against points at the points' cost. */
export function equalCostTable(rows: readonly EqualCostRow[]): Table {
  const bytes = rows[0]?.axis === 'bytes';
  const cost = (value: number): string => (bytes ? formatBytes(value) : formatNumber(value, 3));
  return {
    caption: `A interpolated at the ${bytes ? 'index size' : 'FLOPS'} of B`,
    columns: [
      { label: 'Curve A' },
      { label: 'Point B' },
      { label: 'Measure' },
      right('Cost of B'),
      right('A there'),
      right('B'),
      right('A − B'),
    ],
    rows: shownRows(rows).map(({ curve, point, measure, cost: at, range, comparison }) => [
      curve,
      point,
      comparison ? measure : noValue,
      cost(at),
      comparison
        ? estimateCell(comparison.a)
        : { text: noValue, note: `outside A: ${cost(range[0])} to ${cost(range[1])}` },
      estimateCell(comparison?.b),
      comparison ? unsure(differenceCell(comparison.difference), comparison.outside) : noValue,
    ]),
  };
}

/** Comparisons of every measure; what lies outside a curve does so for all measures, and is said once. */
function shownRows(rows: readonly EqualCostRow[]): readonly EqualCostRow[] {
  const refused = new Set<string>();
  return rows.filter(({ curve, point, comparison }) => {
    const pair = JSON.stringify([curve, point]);
    if (comparison !== undefined) return true;
    const first = !refused.has(pair);
    refused.add(pair);
    return first;
  });
}

function differenceCell(
  estimate: { readonly mean: number; readonly low: number; readonly high: number } | undefined,
): Cell {
  if (estimate === undefined) return noValue;
  return {
    text: formatDifference(estimate.mean),
    note: formatInterval(estimate, formatDifference),
    strong: estimate.low > 0 || estimate.high < 0,
  };
}

/** Says where an interval leans on the end of the curve. */
function unsure(cell: Cell, outside: number): Cell {
  if (outside <= 0.05 || typeof cell === 'string') return cell;
  return {
    ...cell,
    strong: false,
    note: `${cell.note ?? ''} at A's end in ${formatNumber(100 * outside, 0)} % of the draws`,
  };
}
