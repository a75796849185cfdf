/** Curves of training, and of a pre-training before: the mean over the seeds of each cell, where the results keep them. */
import { figure, figures, paragraph, type Section, section } from '../html.ts';
import { element, type Markup } from '../markup.ts';
import { type Mark, plot } from '../plot/plot.ts';
import { cellLabel, groupsOfCells } from './cell-groups.ts';
import type { ReportCell, ReportStudy } from './data.ts';

type Shown = readonly (readonly [figure: string, title: string, scale: 'linear' | 'log'])[];

const shown: Shown = [
  ['loss', 'Loss', 'log'],
  ['negative_score_std', 'Spread of the scores of unrelated texts', 'log'],
  ['dev', 'Score on dev', 'linear'],
  ['query_active_dims', 'Active dimensions of queries in training', 'log'],
  ['document_active_dims', 'Active dimensions of documents in training', 'log'],
  ['eval_corpus_active_dims', 'Active dimensions of dev documents', 'log'],
];
const shownOfPretraining: Shown = [
  ['loss', 'Loss in training', 'linear'],
  ['eval_loss', 'Loss on held-out texts', 'linear'],
  ['eval_accuracy', 'Accuracy on held-out texts', 'linear'],
  ['eval_logit_score_std', 'Spread of the logits over held-out texts', 'linear'],
];

/** The curves of training; nothing where no run kept any. */
export function dynamicsSection(study: ReportStudy): Section | undefined {
  return curvesSection('Dynamics', shown, study, ({ curves }) => curves);
}

/** The curves of pre-training; nothing where there was none. */
export function pretrainingSection(study: ReportStudy): Section | undefined {
  return curvesSection('Pre-training', shownOfPretraining, study, ({ pretrainingCurves }) => pretrainingCurves);
}

type Curves = ReportCell['curves'];

function curvesSection(
  heading: string,
  entries: Shown,
  study: ReportStudy,
  curvesOf: (cell: ReportCell) => Curves,
): Section | undefined {
  const groups = groupsOfCells(study).flatMap(({ label, cells }) => {
    const kept = cells.filter((cell) => curvesOf(cell).length > 0);
    return kept.length === 0 ? [] : [{ label, cells: kept }];
  });
  if (groups.length === 0) return undefined;
  return section(
    heading,
    paragraph('Means over the seeds of a cell at each step that was logged.'),
    ...groups.map(({ label, cells }) => {
      const named = cells.map((cell) => ({ label: cellLabel(cell, study, label), curves: curvesOf(cell) }));
      return element(
        'div',
        {},
        label === '' ? undefined : element('h3', {}, label),
        figures(...entries.flatMap((entry) => curvePlot(entry, named)).map((drawing) => figure(drawing))),
      );
    }),
  );
}

function curvePlot(
  [name, title, scale]: Shown[number],
  cells: readonly { readonly label: string; readonly curves: Curves }[],
): Markup[] {
  const marks: Mark[] = cells.flatMap(({ label, curves }, series): Mark[] => {
    const points = meanCurve(curves, name).filter(({ y }) => scale === 'linear' || y > 0);
    return points.length === 0 ? [] : [{ type: 'line', label, points, series }];
  });
  if (marks.length === 0) return [];
  return [plot({ title, x: { label: 'step' }, y: { label: title.toLowerCase(), scale }, marks, standalone: false })];
}

function meanCurve(curves: Curves, name: string): { x: number; y: number }[] {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const { step = [], [name]: values = [] } of curves) {
    for (const [i, value] of values.entries()) {
      const at = step[i];
      if (value === null || at === null || at === undefined) continue;
      const before = sums.get(at) ?? { sum: 0, count: 0 };
      sums.set(at, { sum: before.sum + value, count: before.count + 1 });
    }
  }
  return [...sums].sort(([a], [b]) => a - b).map(([x, { sum, count }]) => ({ x, y: sum / count }));
}
