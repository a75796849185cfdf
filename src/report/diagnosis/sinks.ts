/** Terms that are active in nearly every text. */
import type { Diagnosis } from '../../head/diagnose.ts';
import { htmlTable, paragraph, type Section, section } from '../html.ts';
import { formatNumber } from '../table.ts';
import { compact } from './vectors.ts';

/** The section with the table of sinks. */
export function sinksSection({ observed, sinkTokens }: Diagnosis): Section {
  const { sinks, sinkCount, sinkScoreShare } = observed;
  if (sinkCount === 0) {
    return section('Sink terms', paragraph('No term is active in more than 90 % of the texts.'));
  }
  return section(
    'Sink terms',
    paragraph(
      `${formatNumber(sinkCount, 0)} terms are active in more than 90 % of the texts; together they have ${formatNumber(100 * sinkScoreShare, 1)} % of the scores of unrelated texts. They cost postings and tell no text from another.`,
    ),
    htmlTable({
      caption: sinkCount > sinks.length ? `The ${sinks.length} with most of the score mass` : 'All of them',
      columns: [
        { label: 'Token' },
        { label: 'Dimension', align: 'right' },
        { label: 'Document frequency', align: 'right' },
        { label: 'Share of the scores', align: 'right' },
        { label: 'Mean weight', align: 'right' },
      ],
      rows: sinks.map(({ term, documentFrequency, scoreShare, meanWeight }, i) => [
        sinkTokens[i] ?? '(no token)',
        String(term),
        formatNumber(documentFrequency, 3),
        `${formatNumber(100 * scoreShare, 2)} %`,
        compact(meanWeight),
      ]),
    }),
  );
}
