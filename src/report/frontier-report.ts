/**
 * The page of a frontier: what pruning costs in effectiveness and saves in search, as plots and tables; beside another
 * system's frontier, if there is one, with both at equal cost.
 */
import { type Frontier, frontierFamilies } from '../evaluate/frontier.ts';
import { interpolateMonotone } from '../evaluate/monotone-interpolation.ts';
import { type EqualCostRow, type PointSummary, summariseFrontier } from '../evaluate/summarise-frontier.ts';
import { costTable, effectivenessTable, equalCostTable, postingsTable } from './frontier-tables.ts';
import { definitions, figure, figures, htmlTable, paragraph, renderPage, type Section, section } from './html.ts';
import { markdownTable } from './markdown-table.ts';
import type { Markup } from './markup.ts';
import { type Mark, plot } from './plot/plot.ts';
import { formatNumber, type Table } from './table.ts';

/** What the page is made of. */
export interface FrontierReportData {
  readonly frontier: Frontier;
  readonly summary: readonly PointSummary[];
  /** The other system, on the same queries. */
  readonly baseline?: Frontier | undefined;
  readonly equalCost: readonly EqualCostRow[];
  /** The processor whose latencies these are. */
  readonly machine: string;
  /** What made the page. */
  readonly tool: string;
  /** ISO 8601. */
  readonly created: string;
}

const latencyCaption =
  'Latency of the exact searcher for one query at a time on one thread, the median of several passes: a figure of this machine at that time, and a noisy one.';

/** Makes the page. */
export function frontierReport(data: FrontierReportData): string {
  const { frontier, summary, baseline, equalCost, machine, tool, created } = data;
  const measures = Object.keys(summary[0]?.measures ?? {});
  const systems: System[] = [{ frontier, summary }];
  if (baseline) systems.push({ frontier: baseline, summary: summariseFrontier(baseline) });
  return renderPage({
    title: `Effectiveness and cost of ${frontier.label}`,
    lead: leadOf(frontier, summary),
    sections: [
      section(
        'Frontier',
        paragraph(
          'Each point is one pruning of queries and documents, (terms of a query, terms of a document) with 0 for all; up is better, left is cheaper. ' +
            'Bars are 95 % bootstrap intervals over the queries. The queries are the same at every point, so that bars which overlap may still differ: the tables have paired differences. ' +
            'Lines are the interpolation between the points.',
        ),
        figures(...measures.map((name) => figure(frontierPlot(systems, name, 'FLOPS', ({ cost }) => cost.flops)))),
      ),
      section('Effectiveness', htmlTable(effectivenessTable(summary))),
      ...(equalCost.length > 0 ? [equalCostSection(equalCost)] : []),
      costSection(data, systems, measures[0] ?? ''),
      section(
        'Measured on',
        definitions([
          ['Documents', formatNumber(frontier.documents, 0)],
          ['Queries', formatNumber(frontier.qids.length, 0)],
          ['Vocabulary', formatNumber(frontier.dimensions, 0)],
          ['Hits a query', formatNumber(frontier.k, 0)],
          ['Latencies of', machine],
        ]),
      ),
    ],
    footer: `Made by ${tool} at ${created}.`,
  });
}

/** The tables of the page as Markdown. */
export function frontierMarkdown({ frontier, summary, equalCost, machine }: FrontierReportData): string {
  const tables: Table[] = [
    effectivenessTable(summary),
    ...(equalCost.length > 0 ? [equalCostTable(equalCost)] : []),
    costTable(summary),
    postingsTable(summary, frontier.documents),
  ];
  return [
    `# Effectiveness and cost of ${frontier.label}`,
    leadOf(frontier, summary),
    ...tables.map((table) => `## ${table.caption}\n\n${markdownTable(table).trimEnd()}`),
    `${latencyCaption} Measured on ${machine}.`,
  ]
    .join('\n\n')
    .concat('\n');
}

function leadOf(frontier: Frontier, summary: readonly PointSummary[]): string {
  const [first] = summary;
  const last = summary.reduce((a, b) => (b.cost.flops < a.cost.flops ? b : a), summary[0]!);
  const [measure = ''] = Object.keys(first?.measures ?? {});
  const figureOf = (point: PointSummary): string => `${measure} ${formatNumber(point.measures[measure]?.mean)}`;
  const on = `${formatNumber(frontier.qids.length, 0)} queries over ${formatNumber(frontier.documents, 0)} documents`;
  if (!first || first === last) return `${first ? figureOf(first) : 'Nothing was measured'} on ${on}.`;
  return (
    `On ${on}: ${figureOf(first)} at ${formatNumber(first.cost.flops, 2)} FLOPS with ${first.name}, ` +
    `${figureOf(last)} at ${formatNumber(last.cost.flops, 2)} with ${last.name}.`
  );
}

function equalCostSection(rows: readonly EqualCostRow[]): Section {
  return section(
    'At equal cost',
    paragraph(
      'Curve A is interpolated at the cost of point B, monotonically over the logarithm of the cost, and never beyond its ends. ' +
        'Intervals are paired bootstraps over the queries, which redraw costs and effectiveness together.',
    ),
    htmlTable(equalCostTable(rows)),
  );
}

function costSection({ frontier, summary }: FrontierReportData, systems: readonly System[], measure: string): Section {
  return section(
    'Cost',
    figures(
      figure(frontierPlot(systems, measure, 'bytes of the index', ({ indexBytes }) => indexBytes)),
      figure(
        frontierPlot(systems, measure, 'median milliseconds a query', ({ milliseconds }) => milliseconds.median),
        latencyCaption,
      ),
    ),
    htmlTable(costTable(summary)),
    paragraph(
      'CV² is the variance of the lengths of the postings lists over their squared mean: the larger, the more of the cost is with few terms. ' +
        'Vocabularies of different size are compared with and without empty lists.',
    ),
    htmlTable(postingsTable(summary, frontier.documents)),
  );
}

/** A frontier and its figures, point by point. */
interface System {
  readonly frontier: Frontier;
  readonly summary: readonly PointSummary[];
}

/** Effectiveness against a cost on a logarithmic axis; a curve for each way of pruning, dashed for the other system. */
function frontierPlot(
  systems: readonly System[],
  measure: string,
  axis: string,
  cost: (point: PointSummary) => number,
): Markup {
  const marks: Mark[] = [];
  const described: string[] = [];
  let series = 0;
  for (const [i, { frontier, summary }] of systems.entries()) {
    for (const { name, points: members } of frontierFamilies(frontier.points)) {
      const points = members.flatMap((member) => {
        const point = summary[frontier.points.indexOf(member)]!;
        const { mean: y, low, high } = point.measures[measure] ?? { mean: Number.NaN, low: 0, high: 0 };
        return cost(point) > 0 && Number.isFinite(y) ? [{ x: cost(point), y, low, high, name: point.name }] : [];
      });
      const label = systems.length === 1 ? name : name === 'all' ? frontier.label : `${frontier.label}, ${name}`;
      marks.push({ type: 'line', label, points: curvePoints(points), series, dashed: i > 0 });
      // The names of the first curve only: more would cover each other.
      const named = series === 0;
      marks.push({ type: 'points', points: points.map((at) => (named ? { ...at, text: at.name } : at)), series });
      described.push(...points.map((at) => `${label} ${at.name}: ${formatNumber(at.y)} at ${formatNumber(at.x, 3)}`));
      series++;
    }
  }
  return plot({
    title: `${measure} against ${axis}`,
    description: described.join('; '),
    x: { label: axis, scale: 'log' },
    y: { label: measure },
    marks,
    standalone: false,
  });
}

/** The interpolated curve, finely enough to look smooth. */
function curvePoints(points: readonly { readonly x: number; readonly y: number }[]): { x: number; y: number }[] {
  const byPlace = new Map(points.map(({ x, y }) => [Math.log(x), y]));
  const places = [...byPlace.keys()].sort((a, b) => a - b);
  const values = places.map((place) => byPlace.get(place)!);
  const [first = 0] = places;
  const span = (places.at(-1) ?? 0) - first;
  if (places.length < 2) return points.map(({ x, y }) => ({ x, y }));
  return Array.from({ length: 61 }, (_, i) => {
    const place = i === 60 ? places.at(-1)! : first + (span * i) / 60;
    return { x: Math.exp(place), y: interpolateMonotone(places, values, place)! };
  });
}
