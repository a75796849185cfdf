/** What could be known before training: collapse from figures of the head, quality from figures of the pre-trained model. */
import { figure, figures, htmlTable, paragraph, type Section, section } from '../html.ts';
import { type Mark, plot } from '../plot/plot.ts';
import { type Cell, estimateCell, formatNumber, noValue, type Table } from '../table.ts';
import type { ReportCorrelation, ReportPredictor, ReportStudy } from './data.ts';
import { shownScores } from './sweep.ts';

const right = (label: string): { label: string; align: 'right' } => ({ label, align: 'right' });

/** Figures and rules by their balanced accuracy. */
export function predictorTable(predictors: readonly ReportPredictor[]): readonly Table[] {
  if (predictors.length === 0) return [];
  const backbones = predictors.find(({ windows }) => windows.length > 0)?.windows.map(({ backbone }) => backbone) ?? [];
  const sorted = [...predictors].sort((a, b) => (b.accuracy?.mean ?? 0) - (a.accuracy?.mean ?? 0));
  const best = sorted.find(({ inSample }) => inSample !== true);
  return [
    {
      caption: 'What predicts collapse before training: balanced accuracy, areas under ROC curves, healthy ranges',
      columns: [
        { label: 'Figure or rule' },
        ...['Balanced accuracy', 'Other backbone and arm', 'Area, heads made larger', 'Area, made smaller'].map(right),
        ...backbones.map((name) => right(`Range for ${name}`)),
      ],
      rows: sorted.map((one): readonly Cell[] => [
        one.inSample ? `${one.name} (in sample)` : one.name,
        estimateCell(one.accuracy, { format: twoDigits, strong: one === best }),
        estimateCell(one.otherArm, { format: twoDigits }),
        estimateCell(one.areaLarger, { format: twoDigits }),
        estimateCell(one.areaSmaller, { format: twoDigits }),
        ...backbones.map((backbone): Cell => {
          const { window, figure: chosen } = one.windows.find((other) => other.backbone === backbone) ?? {};
          if (window === undefined) return noValue;
          return `${chosen === undefined ? '' : `${chosen}: `}${bound(window.low)} to ${bound(window.high)}`;
        }),
      ]),
    },
  ];
}

/** Rank correlations of figures of the pre-trained model with scores. */
export function correlationTable(correlations: readonly ReportCorrelation[]): readonly Table[] {
  if (correlations.length === 0) return [];
  const scores = [...new Set(correlations.map(({ score }) => score))];
  const statistics = [...new Set(correlations.map(({ statistic }) => statistic))];
  const cells = Math.max(...correlations.map((one) => one.cells));
  return [
    {
      caption: `Figures of the pre-trained model against scores after fine-tuning: Spearman’s ρ over ${cells} cells, with 95 % bootstrap intervals over cells`,
      columns: [{ label: 'Held-out texts and figure' }, ...scores.map(right)],
      rows: statistics.map((statistic): readonly Cell[] => [
        statistic,
        ...scores.map((score): Cell => {
          const found = correlations.find((one) => one.statistic === statistic && one.score === score);
          return estimateCell(found?.rho, { format: twoDigits });
        }),
      ]),
    },
  ];
}

/** Figures of which the cells are drawn. */
const drawn = ['accuracy', 'logit_score_std', 'non_neg_terms_avg'];

/** Correlations with the cells behind them; nothing where nothing was pre-trained. */
export function correlationSection(study: ReportStudy): Section | undefined {
  const { correlations, cells } = study;
  const [score] = shownScores(study);
  if (correlations.length === 0 || score === undefined) return undefined;
  const [[factor, levels] = ['', [undefined]]] = Object.entries(study.factors);
  const names = [...new Set(correlations.map(({ statistic }) => statistic))].filter((name) =>
    drawn.includes(name.split(' ').at(-1)!),
  );
  return section(
    'Pre-trained model and quality',
    paragraph(
      'Every point is a cell, with the interval of its score for new seeds and new queries. Cells are not drawn from a population: what goes together over these need not be cause and effect.',
    ),
    figures(
      ...names.map((name) =>
        figure(
          plot({
            title: `${score} against ${name}`,
            x: { label: name },
            y: { label: score },
            marks: levels.map((level, series): Mark => {
              const points = cells.flatMap((cell) => {
                const [x, estimate] = [cell.metrics[`mlm ${name}`], cell.scores[score]];
                if (x === undefined || estimate === undefined || cell.levels[factor] !== level) return [];
                const { mean: y, low, high } = estimate;
                return [{ x, y, ...(low === undefined || high === undefined ? {} : { low, high }) }];
              });
              return { type: 'points', ...(level && { label: `${factor} ${level}` }), points, series };
            }),
            standalone: false,
          }),
        ),
      ),
    ),
    ...correlationTable(correlations).map(htmlTable),
  );
}

function bound(value: number): string {
  if (value === Number.NEGATIVE_INFINITY) return '−∞';
  return value === Number.POSITIVE_INFINITY ? '∞' : formatNumber(value, Math.abs(value) < 10 ? 2 : 0);
}

function twoDigits(value: number): string {
  return formatNumber(value, 2);
}
