/** The demo query by query: examples with what each system finds, and where one system wins and loses. */
import { figure, htmlTable, paragraph, type Section, section, subheading } from '../html.ts';
import { type Child, element, type Markup } from '../markup.ts';
import { plot } from '../plot/plot.ts';
import { formatDifference, formatNumber, type Table } from '../table.ts';
import type { DemoExample, DemoReportData } from './data.ts';

/** Rows in the tables of the largest gains and losses. */
const listed = 8;

/** The section with example queries. */
export function examplesSection({ examples }: DemoReportData): Section {
  const systems = examples[0]?.rankings.map(({ system }) => system) ?? [];
  const heading = (label: string): Markup => element('th', { scope: 'col' }, label);
  return section(
    'Example queries',
    paragraph(
      'Held-out queries, chosen by a rule that does not look at the results. Relevant documents are in bold type; the rank is that of the first relevant one.',
    ),
    element(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Example queries' },
      element(
        'table',
        {},
        element('thead', {}, element('tr', {}, heading('Query'), systems.map(heading))),
        element('tbody', {}, examples.map(exampleRow)),
      ),
    ),
  );
}

function exampleRow({ query, relevant, rankings }: DemoExample): Markup {
  const cell = ({ hits, rank }: DemoExample['rankings'][number]): Markup => {
    const ranking: Child =
      hits.length === 0
        ? 'nothing found'
        : element(
            'ol',
            { class: 'ranking' },
            hits.map((hit) => element('li', { class: hit.relevant ? 'hit' : undefined }, shorten(hit.title))),
          );
    const note = rank === undefined ? 'relevant one not found' : `first relevant at rank ${rank}`;
    return element('td', {}, ranking, element('span', { class: 'note' }, note));
  };
  const wanted = relevant.slice(0, 2).map(shorten).join('; ');
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, query, element('span', { class: 'note' }, `wanted: ${wanted}`)),
    rankings.map(cell),
  );
}

/** The section with the differences of the first comparison. */
export function differencesSection({ comparisons, queryTexts }: DemoReportData): Section {
  const [comparison] = comparisons;
  const compared = comparison?.measures[0];
  if (!comparison || !compared) return section('Wins and losses', paragraph('No comparison was made.'));
  const { measure, perQuery, wins, ties, losses } = compared;
  const { a, b } = comparison;
  const falling = [...perQuery].reverse();
  const table = (caption: string, rows: typeof falling): Table => ({
    caption,
    columns: [
      { label: 'Query' },
      { label: a, align: 'right' },
      { label: b, align: 'right' },
      { label: 'Difference', align: 'right' },
    ],
    rows: rows.map((query) => [
      queryTexts.get(query.qid) ?? query.qid,
      formatNumber(query.a),
      formatNumber(query.b),
      formatDifference(query.difference),
    ]),
  });
  return section(
    'Wins and losses',
    paragraph(
      `${measure} of ${b} is above that of ${a} for ${wins} queries, equal for ${ties} and below for ${losses}.`,
    ),
    figure(
      plot({
        title: `Difference in ${measure} per query: ${b} − ${a}`,
        description: `${wins} queries won, ${ties} tied, ${losses} lost.`,
        x: { label: 'queries, from the largest gain to the largest loss' },
        y: { label: 'difference' },
        marks: [
          {
            type: 'steps',
            points: [
              ...falling.map(({ difference }, i) => ({ x: i, y: difference })),
              { x: falling.length, y: falling.at(-1)?.difference ?? 0 },
            ],
          },
          { type: 'rule', axis: 'y', at: 0 },
        ],
        standalone: false,
        height: 280,
      }),
    ),
    subheading('Largest gains'),
    htmlTable(table(`Queries where ${b} gains most`, falling.filter((query) => query.difference > 0).slice(0, listed))),
    subheading('Largest losses'),
    htmlTable(
      table(`Queries where ${b} loses most`, perQuery.filter((query) => query.difference < 0).slice(0, listed)),
    ),
  );
}

function shorten(title: string): string {
  return title.length > 72 ? `${title.slice(0, 71).trimEnd()}…` : title;
}
