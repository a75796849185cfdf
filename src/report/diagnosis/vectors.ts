/** What the vectors of the texts look like, now and after the proposed correction. */
import type { Diagnosis } from '../../head/diagnose.ts';
import type { ObservedFigures } from '../../head/observed.ts';
import { htmlTable, paragraph, type Section, section } from '../html.ts';
import { formatNumber, noValue, type Table } from '../table.ts';

/** The section with the figures. */
export function vectorsSection({ observed, proposal, vocabularySize }: Diagnosis): Section {
  const states = [observed, ...(proposal ? [proposal.after] : [])];
  const labels = ['now', 'corrected'];
  const row = (title: string, value: (figures: ObservedFigures) => string): string[] => [title, ...states.map(value)];
  const table: Table = {
    columns: [{ label: '' }, ...states.map((_, i) => ({ label: labels[i]!, align: 'right' as const }))],
    rows: [
      row('P(z > 0) of a token and a term', ({ tokenActivation }) => compact(tokenActivation)),
      row(`Active dimensions of a text, of ${formatNumber(vocabularySize, 0)}`, ({ activeDims }) =>
        formatNumber(activeDims.mean, 1),
      ),
      row('Fewest, most', ({ activeDims }) => `${formatNumber(activeDims.min, 0)}, ${formatNumber(activeDims.max, 0)}`),
      row('Texts without any', ({ zeroTexts }) => formatNumber(zeroTexts, 0)),
      row('Mean weight', ({ meanWeight }) => compact(meanWeight)),
      row('Cosine of unrelated texts', ({ scores }) => formatNumber(scores.cosine, 4)),
      row(`Mean score of unrelated texts`, ({ scores }) => compact(scores.mean)),
      row(`Score spread, B = ${observed.batch}`, ({ scores }) => compact(scores.std)),
      row('Softmax entropy / maximum', ({ scores }) => formatNumber(scores.entropy, 4)),
      row(
        `InfoNCE of halves (chance ${observed.pairs === undefined ? noValue : formatNumber(observed.pairs.chance, 3)})`,
        ({ pairs }) => (pairs === undefined ? noValue : compact(pairs.infoNce)),
      ),
      row('FLOPS, Σ(mean weight)²', ({ flops }) => compact(flops)),
      row('Terms that two texts share', ({ retrievalFlops }) => compact(retrievalFlops)),
      row('Largest document frequency', ({ largestDocumentFrequency }) => formatNumber(largestDocumentFrequency, 3)),
    ],
  };
  return section(
    'Vectors',
    paragraph(
      'A start is healthy when vectors differ from text to text: a cosine near 1 between unrelated texts means that they say the same of every text. ' +
        'A score spread far above the temperature decides the softmax before training. A head that is sparse already dies of it; ' +
        'one of a masked language model, with thousands of active dimensions, trains best at a spread of some hundreds.',
    ),
    htmlTable(table),
  );
}

/** A figure of any size in a few digits. */
export function compact(value: number): string {
  if (!Number.isFinite(value)) return noValue;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(2).replace('-', '−');
  return formatNumber(value, size >= 1000 ? 0 : size >= 10 ? 2 : 4);
}
