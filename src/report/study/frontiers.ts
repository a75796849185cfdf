/** Effectiveness against cost over the prunings: a curve a cell, from none to the strictest. */
import { figure, figures, paragraph } from '../html.ts';
import { element, type Markup } from '../markup.ts';
import { type Mark, plot } from '../plot/plot.ts';
import { formatNumber } from '../table.ts';
import { cellLabel, groupsOfCells } from './cell-groups.ts';
import type { ReportCell, ReportStudy } from './data.ts';
import { shownScores } from './sweep.ts';

/** The plots, by panel and arm; nothing where models were measured at one pruning only. */
export function frontierFigures(study: ReportStudy): readonly Markup[] {
  const [shown] = shownScores(study);
  if (shown === undefined) return [];
  const [collection = '', , ...measure] = shown.split(' ');
  const places = Object.keys(study.queries).filter((place) => place.startsWith(`${collection} `));
  if (places.length < 2) return [];
  const what = measure.join(' ');
  return [
    paragraph(
      `Each curve is a cell on the queries of ${collection}: ${what} against FLOPS at the prunings ${places.map((place) => place.split(' ')[1]).join(', ')} (terms of a query / terms of a document, 0 for all), with 95 % intervals for new seeds and new queries. Up is better, left is cheaper. Cells without an active dimension have no place.`,
    ),
    figures(
      ...groupsOfCells(study).map(({ label, cells }) =>
        figure(
          plot({
            title: label === '' ? `${what} against FLOPS` : `${what} against FLOPS, ${label}`,
            description: cells
              .map((cell) => `${cellLabel(cell, study, label)}: ${inWords(pointsOf(cell, places, what))}`)
              .join('; '),
            x: { label: 'FLOPS', scale: 'log' },
            y: { label: what, zero: true },
            marks: cells.flatMap((cell, series): Mark[] => {
              const points = pointsOf(cell, places, what);
              if (points.length === 0) return [];
              return [
                {
                  type: 'line',
                  label: cellLabel(cell, study, label),
                  points: points.map(({ x, y }) => ({ x, y })),
                  series,
                },
                {
                  type: 'points',
                  points: series === 0 ? points : points.map(({ text: _, ...point }) => point),
                  series,
                },
              ];
            }),
            standalone: false,
          }),
        ),
      ),
    ),
    element('h3', {}, 'All figures'),
  ];
}

interface FrontierPoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
  readonly text: string;
}

function pointsOf({ metrics, scores }: ReportCell, places: readonly string[], measure: string): FrontierPoint[] {
  return places.flatMap((place): FrontierPoint[] => {
    const [x, score] = [metrics[`${place} flops`] ?? 0, scores[`${place} ${measure}`]];
    if (!(x > 0) || score === undefined) return [];
    const { mean: y, low, high } = score;
    const bounds = low === undefined || high === undefined ? {} : { low, high };
    return [{ x, y, ...bounds, text: place.split(' ')[1] ?? '' }];
  });
}

function inWords(points: readonly FrontierPoint[]): string {
  return points.map(({ x, y, text }) => `${text} ${formatNumber(y)} at ${formatNumber(x, 3)}`).join(', ') || 'no point';
}
