/** The training of the demo in curves: what the loss was made of, how sparse the vectors became, whether dev improved. */
import { definitions, figure, figures, paragraph, type Section, section } from '../html.ts';
import type { Markup } from '../markup.ts';
import { type Mark, type PlotOptions, plot } from '../plot/plot.ts';
import { linearTicks, type Tick } from '../plot/ticks.ts';
import type { DemoTraining, DemoTrainingStep } from './data.ts';

/** The section with the training curves and the recipe. */
export function trainingSection(training: DemoTraining): Section {
  const { steps, dev, devMeasure, keptStep, recipe } = training;
  const top = secondsAxis(steps);
  const curve = (label: string, value: (step: DemoTrainingStep) => number): Mark => ({
    type: 'line',
    label,
    points: steps.map((step) => ({ x: step.step, y: value(step) })),
  });
  const draw = (options: Pick<PlotOptions, 'title' | 'description' | 'marks' | 'y'>): Markup =>
    plot({ ...options, x: { label: 'step', zero: true }, height: 300, standalone: false, ...(top ? { top } : {}) });
  const kept: Mark[] = keptStep === undefined ? [] : [{ type: 'rule', axis: 'x', at: keptStep, text: 'kept' }];
  return section(
    'Training',
    figures(
      figure(
        draw({
          title: 'Loss and its parts',
          description: describe('loss', steps, (step) => step.loss),
          y: { label: 'loss', zero: true },
          marks: [
            curve('loss', (step) => step.loss),
            curve('ranking', (step) => step.baseLoss),
            curve('λq · queries', (step) => step.queryRegularizerLoss),
            curve('λd · documents', (step) => step.documentRegularizerLoss),
          ],
        }),
        'The regularizers grow while their weights ramp up; the ranking loss is over the batch.',
      ),
      figure(
        draw({
          title: 'Active dimensions',
          description: describe('active dimensions of documents', steps, (step) => step.documentActiveDims),
          y: { label: 'mean over the batch', scale: 'log' },
          marks: [curve('query', (step) => step.queryActiveDims), curve('document', (step) => step.documentActiveDims)],
        }),
        'Terms with a positive weight; a model in which this falls to zero has collapsed.',
      ),
      figure(
        draw({
          title: `${devMeasure} on the dev queries`,
          description: describe(devMeasure, dev, (point) => point.value),
          y: { label: devMeasure, zero: true },
          marks: [
            { type: 'line', points: dev.map(({ step, value }) => ({ x: step, y: value })) },
            { type: 'points', series: 0, points: dev.map(({ step, value }) => ({ x: step, y: value })) },
            ...kept,
          ],
        }),
        'The weights of the best step are kept; the held-out queries take no part in that choice.',
      ),
      figure(
        draw({
          title: 'Learning rate',
          y: { label: 'learning rate', zero: true },
          marks: [curve('learning rate', (step) => step.learningRate)],
        }),
      ),
    ),
    paragraph('Model and recipe:'),
    definitions(Object.entries(recipe).map(([name, value]) => [name, String(value)])),
  );
}

/** Round seconds at the steps where they were reached. */
function secondsAxis(steps: readonly DemoTrainingStep[]): { label: string; ticks: Tick[] } | undefined {
  const last = steps.at(-1);
  if (!last || last.seconds <= 0) return undefined;
  const ticks: Tick[] = [];
  for (const tick of linearTicks(0, last.seconds, 6)) {
    const after = steps.findIndex((step) => step.seconds >= tick.at);
    const right = steps[after];
    if (!right) continue;
    const left = steps[after - 1] ?? { step: 0, seconds: 0 };
    const share = right.seconds > left.seconds ? (tick.at - left.seconds) / (right.seconds - left.seconds) : 0;
    ticks.push({ at: left.step + share * (right.step - left.step), text: tick.text });
  }
  return { label: 'seconds', ticks };
}

function describe<T extends { readonly step: number }>(
  what: string,
  points: readonly T[],
  value: (point: T) => number,
): string {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last) return `No ${what} was recorded.`;
  const text = (point: T): string => {
    const number = value(point);
    return Number.isFinite(number) ? String(Number(number.toPrecision(3))) : 'no finite number';
  };
  return `The ${what} goes from ${text(first)} at step ${first.step} to ${text(last)} at step ${last.step}.`;
}
