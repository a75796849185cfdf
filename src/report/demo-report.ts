/**
 * The report of the demo: one HTML page that says what was done, what came out against BM25, how the training went, and
 * what it cost. It shows whatever is true, a failure too.
 */
import type { DemoEnvironment, DemoExpansion, DemoReportData, DemoTask } from './demo/data.ts';
import { differencesSection, examplesSection } from './demo/queries.ts';
import { comparisonSection, headline, systemsSection } from './demo/results.ts';
import { trainingSection } from './demo/training.ts';
import { definitions, figure, figures, htmlTable, paragraph, renderPage, type Section, section } from './html.ts';
import { element } from './markup.ts';
import { binValues } from './plot/marks/histogram.ts';
import { plot } from './plot/plot.ts';
import { formatNumber, formatSeconds, type Table } from './table.ts';

/** Makes the page. */
export function demoReport(data: DemoReportData): string {
  return renderPage({
    title: 'Lexray: learning to find an API by what it does',
    lead: headline(data),
    sections: [
      systemsSection(data),
      comparisonSection(data),
      taskSection(data.task),
      trainingSection(data.training),
      postingsSection(data.postings),
      examplesSection(data),
      differencesSection(data),
      expansionsSection(data.expansions),
      environmentSection(data.environment),
    ],
    footer: `Made by ${data.tool} at ${data.created}.`,
  });
}

function taskSection(task: DemoTask): Section {
  const count = (value: number): string => formatNumber(value, 0);
  return section(
    'The task',
    paragraph(
      'Find an API symbol by what it does. A query is the first sentence of a doc comment without the name of the symbol and its containers; ' +
        'the document is the name, split into words, with the signature. Queries of the same words are one query; ' +
        'which split a query is in follows from a hash of its words. All symbols are in the collection, those of held-out queries too. ' +
        'Sentences that differ in a few words, as similar symbols have them, can be on both sides of the split.',
    ),
    definitions([
      ['Source', task.source],
      ['Packages with documented symbols', count(task.packages)],
      ['Documents (symbols)', count(task.documents)],
      ['Training queries', count(task.trainQueries)],
      ['Dev queries', count(task.devQueries)],
      ['Held-out queries', count(task.testQueries)],
    ]),
  );
}

function postingsSection(postings: DemoReportData['postings']): Section {
  return section(
    'Postings lists',
    paragraph(
      'How many documents each term of the index occurs in. Long lists are what makes a query slow; terms in nearly every document say nothing.',
    ),
    figures(
      ...postings.map(({ system, lengths }) => {
        const sorted = lengths.filter((length) => length > 0).sort((a, b) => a - b);
        const largest = sorted.at(-1) ?? 0;
        const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
        return figure(
          plot({
            title: `Lengths of the postings lists: ${system}`,
            description: `${sorted.length} lists; the median length is ${middle}, the largest ${largest}.`,
            x: { label: 'documents in the list', scale: 'log' },
            y: { label: 'terms' },
            marks: [{ type: 'histogram', bins: binValues(sorted, { scale: 'log', count: 24, integers: true }) }],
            standalone: false,
            height: 280,
          }),
          `${formatNumber(sorted.length, 0)} terms are used; median ${formatNumber(middle, 0)}, largest ${formatNumber(largest, 0)} documents.`,
        );
      }),
    ),
  );
}

function expansionsSection(expansions: readonly DemoExpansion[]): Section {
  return section(
    'What the model adds to documents',
    paragraph(
      'The heaviest terms of some documents with their weights. Framed in colour are terms that the document does not contain: the model expects them in queries.',
    ),
    expansions.map(({ title, terms }) => [
      paragraph(element('strong', {}, title)),
      element(
        'p',
        { class: 'terms' },
        terms.map(({ token, weight, inText }) => [
          element('span', { class: inText ? 'term' : 'term new' }, `${token} ${formatNumber(weight, 2)}`),
          ' ',
        ]),
      ),
    ]),
  );
}

function environmentSection(environment: DemoEnvironment): Section {
  const { phases } = environment;
  const total = phases.reduce((sum, phase) => sum + phase.seconds, 0);
  const table: Table = {
    caption: 'Time by phase',
    columns: [{ label: 'Phase' }, { label: 'Time', align: 'right' }],
    rows: [
      ...phases.map(({ name, seconds }) => [name, formatSeconds(seconds)]),
      [
        { text: 'all', strong: true },
        { text: formatSeconds(total), strong: true },
      ],
    ],
  };
  return section(
    'Environment',
    definitions([
      ['Processor', `${environment.cpu}, ${environment.cores} cores`],
      ['Threads', String(environment.threads)],
      ['Node', environment.node],
      ['Platform', environment.platform],
      ['Seed', String(environment.seed)],
      ...Object.entries(environment.other ?? {}),
    ]),
    htmlTable(table),
  );
}
