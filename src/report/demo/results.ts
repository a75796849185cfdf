/** The outcome of the demo: the headline, the table of the systems, and the paired comparisons. */
import { figure, htmlTable, paragraph, type Section, section } from '../html.ts';
import { plot } from '../plot/plot.ts';
import {
  type Cell,
  type Estimate,
  estimateCell,
  formatBytes,
  formatDifference,
  formatInterval,
  formatNumber,
  formatPValue,
  noValue,
  type Table,
} from '../table.ts';
import type { DemoComparison, DemoReportData, DemoSystem } from './data.ts';

/** The outcome in a sentence or two, whatever it is. */
export function headline({ systems, measures, comparisons, task }: DemoReportData): string {
  const [measure = ''] = measures;
  const [main] = systems;
  const comparison = comparisons[0];
  const value = main?.measures[measure];
  if (!main || !value) return 'Nothing was measured.';
  const scores = `${main.name} reaches ${measure} ${inWords(value)} on ${formatNumber(task.testQueries, 0)} held-out queries.`;
  const compared = comparison?.measures.find((one) => one.measure === measure);
  if (!comparison || !compared) return scores;
  const { difference, randomization } = compared;
  const certain = difference.low > 0 || difference.high < 0;
  const verdict = !certain
    ? `The difference to ${comparison.a} could be chance`
    : difference.mean > 0
      ? `That is better than ${comparison.a}`
      : `That is worse than ${comparison.a}`;
  return (
    `${scores} ${verdict}: ${formatNumber(compared.a.mean)} there, a difference of ` +
    `${formatDifference(difference.mean)} ${formatInterval(difference, formatDifference)}, ` +
    `p ${pInWords(randomization.pHolm)}.`
  );
}

/** The section with the table of the systems. */
export function systemsSection(data: DemoReportData): Section {
  const [measure = ''] = data.measures;
  return section(
    'Results on held-out symbols',
    paragraph(
      'Means over the held-out queries with 95 % bootstrap intervals. Active dimensions are terms of a query and of a document; ' +
        'FLOPS are the products of weights for one query and one document; the latency is that of one query, from its text to the ranking.',
    ),
    htmlTable(systemsTable(data)),
    figure(
      plot({
        title: `${measure} on held-out symbols`,
        description: data.systems
          .map(({ name, measures }) => `${name}: ${measures[measure] ? inWords(measures[measure]) : 'not measured'}`)
          .join('; '),
        y: { label: measure },
        marks: [{ type: 'bars', bars: data.systems.flatMap((system) => bar(system, measure)) }],
        standalone: false,
        height: 300,
      }),
      'Error bars are 95 % bootstrap intervals of the mean over queries. The systems answer the same queries, so that bars which overlap may still differ: see the paired comparison.',
    ),
  );
}

/** The table of the systems, for the page and the terminal. */
export function systemsTable({ systems, measures }: DemoReportData): Table {
  const best = new Map(
    measures.map((measure) => [measure, Math.max(...systems.map((system) => system.measures[measure]?.mean ?? 0))]),
  );
  return {
    caption: 'Effectiveness and cost',
    columns: [
      { label: 'System' },
      ...measures.map((label) => ({ label, align: 'right' as const })),
      { label: 'Active dims, query', align: 'right' },
      { label: 'Active dims, document', align: 'right' },
      { label: 'FLOPS', align: 'right' },
      { label: 'Index', align: 'right' },
      { label: 'Query latency', align: 'right' },
    ],
    rows: systems.map((system) => [
      system.name,
      ...measures.map((measure) => {
        const estimate = system.measures[measure];
        return estimateCell(estimate, { strong: estimate !== undefined && estimate.mean === best.get(measure) });
      }),
      formatNumber(system.queryActiveDims, 1),
      formatNumber(system.documentActiveDims, 1),
      formatNumber(system.flops, 2),
      formatBytes(system.indexBytes),
      latencyCell(system.queryMilliseconds),
    ]),
  };
}

/** The section with the paired comparisons. */
export function comparisonSection({ comparisons }: DemoReportData): Section {
  return section(
    'Paired comparison',
    paragraph(
      'The same queries under two systems: the mean difference with its 95 % bootstrap interval, two-sided p values of ' +
        "Fisher's randomisation test and of Student's t test, corrected by Holm over the measures of a comparison, and the queries won, tied and lost.",
    ),
    comparisons.map((comparison) => htmlTable(comparisonTable(comparison))),
  );
}

/** A paired comparison as a table. */
export function comparisonTable({ a, b, measures }: DemoComparison): Table {
  const labels = [a, b, 'Difference', 'p, randomisation', 'p, t test', 'Won', 'Tied', 'Lost'];
  return {
    caption: `${b} against ${a}`,
    columns: [{ label: 'Measure' }, ...labels.map((label) => ({ label, align: 'right' as const }))],
    rows: measures.map((one) => [
      one.measure,
      formatNumber(one.a.mean),
      formatNumber(one.b.mean),
      estimateCell(one.difference, {
        format: formatDifference,
        strong: one.difference.low > 0 || one.difference.high < 0,
      }),
      formatPValue(one.randomization.pHolm),
      formatPValue(one.tTest.pHolm),
      formatNumber(one.wins, 0),
      formatNumber(one.ties, 0),
      formatNumber(one.losses, 0),
    ]),
  };
}

function bar(
  { name, measures }: DemoSystem,
  measure: string,
): { category: string; value: number; text: string; low?: number; high?: number }[] {
  const estimate = measures[measure];
  if (!estimate) return [];
  const { mean, low, high } = estimate;
  const interval = low === undefined || high === undefined ? {} : { low, high };
  return [{ category: name, value: mean, text: formatNumber(mean), ...interval }];
}

function latencyCell(latency: DemoSystem['queryMilliseconds']): Cell {
  if (!latency) return noValue;
  const decimals = latency.median < 10 ? 2 : 1;
  return {
    text: `${formatNumber(latency.median, decimals)} ms`,
    note: `p95 ${formatNumber(latency.p95, decimals)} ms`,
  };
}

function inWords(estimate: Estimate): string {
  return `${formatNumber(estimate.mean)} ${formatInterval(estimate)}`.trim();
}

function pInWords(value: number): string {
  const text = formatPValue(value);
  return text.startsWith('<') ? text : `= ${text}`;
}
