/**
 * What a factor would do: figures against k for the arms that one pass can tell, and a slider that shows the scores of
 * unrelated texts at one k. The slider needs a few lines of script; without them the panels of all factors are shown.
 */
import type { Curve, Diagnosis } from '../../head/diagnose.ts';
import type { ObservedFigures } from '../../head/observed.ts';
import { figure, figures, htmlTable, paragraph, type Section, section, subheading } from '../html.ts';
import { element, type Markup } from '../markup.ts';
import { type Mark, plot } from '../plot/plot.ts';
import { formatNumber } from '../table.ts';
import { compact } from './vectors.ts';

/** Style of the slider. */
export const sliderStyle: string = [
  '.factors .control{display:none;align-items:center;gap:1rem;max-width:40rem}',
  '.factors.live .control{display:flex}',
  '.factors .control input{flex:1}',
  '.factors.live .panel{display:none}',
  '.factors.live .panel.shown{display:block}',
  'h1{overflow-wrap:anywhere}',
].join('\n');

/** The slider's script. */
export const sliderScript: string = `
const box = document.querySelector('.factors');
if (box) {
  const panels = [...box.querySelectorAll('.panel')];
  const input = box.querySelector('input');
  const output = box.querySelector('output');
  const show = () => {
    panels.forEach((panel, i) => panel.classList.toggle('shown', i === Number(input.value)));
    output.textContent = panels[input.value].dataset.k;
  };
  box.classList.add('live');
  input.addEventListener('input', show);
  show();
}
`.trim();

const armNames: Readonly<Record<Curve['arm'], string>> = {
  B: 'B: (W/k)h + b',
  C: 'C: (Wh + b)/k',
  D: 'D: (Wh + b − c)/k',
};

/** The section with plots over k and the slider. */
export function factorsSection({ curves, proposal, vocabularySize }: Diagnosis): Section {
  const [first] = curves;
  const factors = first?.points.map(({ factor }) => factor) ?? [];
  const { shift = 0, activationRate = 0 } = curves.find(({ arm }) => arm === 'D') ?? {};
  const texts = first?.points[0]?.observed.texts ?? 0;
  const chosen = proposal?.calibration.correction.factor;
  const rules: Mark[] = chosen === undefined ? [] : [{ type: 'rule', axis: 'x', at: chosen, text: 'proposed' }];
  const curve = (title: string, label: string, value: (observed: ObservedFigures) => number, log: boolean): Markup =>
    plot({
      title,
      x: { label: 'k', scale: 'log' },
      y: { label, ...(log ? { scale: 'log' as const } : { zero: true }) },
      marks: [
        ...curves.map(
          ({ arm, points }): Mark => ({
            type: 'line',
            label: armNames[arm],
            points: points.map(({ factor, observed }) => ({ x: factor, y: value(observed) })),
          }),
        ),
        ...rules,
      ],
      standalone: false,
      height: 300,
    });
  const start = factors.reduce(
    (best, factor, i) =>
      Math.abs(Math.log(factor / (chosen ?? 1))) < Math.abs(Math.log(factors[best]! / (chosen ?? 1))) ? i : best,
    0,
  );
  return section(
    'What a factor would do',
    paragraph(
      `From the same encodings, for the first ${formatNumber(texts, 0)} texts. Arm C leaves the active set alone; arm B keeps the bias, so that terms come and go with k; arm D first takes ${compact(shift)} from every logit, after which ${formatNumber(100 * activationRate, 0)} % of the logits of tokens are above 0.`,
    ),
    figures(
      figure(
        curve(
          'Active dimensions of a text',
          `of ${formatNumber(vocabularySize, 0)}`,
          ({ activeDims }) => activeDims.mean,
          false,
        ),
      ),
      figure(curve('Score spread', 'standard deviation, B = 64', ({ scores }) => scores.std, true)),
      figure(curve('Cosine of unrelated texts', 'mean', ({ scores }) => scores.cosine, false)),
      figure(curve('FLOPS', 'Σ(mean weight)²', ({ flops }) => flops, true)),
    ),
    subheading('Scores of unrelated texts at one k'),
    element(
      'div',
      { class: 'factors' },
      element(
        'p',
        { class: 'control' },
        element('label', { for: 'factor' }, 'k'),
        element('input', {
          id: 'factor',
          type: 'range',
          min: 0,
          max: Math.max(0, factors.length - 1),
          step: 1,
          value: start,
        }),
        element('output', { for: 'factor' }, ''),
      ),
      factors.map((factor, i) => panel(factor, curves, i)),
    ),
  );
}

function panel(factor: number, curves: readonly Curve[], at: number): Markup {
  const k = factorText(factor);
  const states = curves.map(({ arm, points }) => ({ arm, observed: points[at]!.observed }));
  return element(
    'div',
    { class: 'panel', 'data-k': k },
    figures(
      figure(
        plot({
          title: `Scores of unrelated texts, k = ${k}`,
          x: { label: 'score', scale: states.every(({ observed }) => middles(observed)[0]! > 0) ? 'log' : 'linear' },
          y: { label: 'share of the pairs', zero: true },
          marks: states.map(({ arm, observed }): Mark => {
            const total = observed.scores.bins.reduce((sum, { count }) => sum + count, 0);
            return {
              type: 'line',
              label: armNames[arm],
              points: observed.scores.bins.map(({ count }, i) => ({ x: middles(observed)[i]!, y: count / total })),
            };
          }),
          standalone: false,
          height: 260,
        }),
      ),
      htmlTable({
        caption: `k = ${k}`,
        columns: [{ label: '' }, ...states.map(({ arm }) => ({ label: arm, align: 'right' as const }))],
        rows: [
          ['Active dimensions', ...states.map(({ observed }) => formatNumber(observed.activeDims.mean, 1))],
          ['Texts without any', ...states.map(({ observed }) => formatNumber(observed.zeroTexts, 0))],
          ['P(z > 0)', ...states.map(({ observed }) => compact(observed.tokenActivation))],
          ['Mean weight', ...states.map(({ observed }) => compact(observed.meanWeight))],
          ['Score spread', ...states.map(({ observed }) => compact(observed.scores.std))],
          ['Softmax entropy / maximum', ...states.map(({ observed }) => formatNumber(observed.scores.entropy, 4))],
          ['Cosine', ...states.map(({ observed }) => formatNumber(observed.scores.cosine, 4))],
          ['FLOPS', ...states.map(({ observed }) => compact(observed.flops))],
        ],
      }),
    ),
  );
}

/** Middles of the bins of scores. */
function middles({ scores }: ObservedFigures): number[] {
  return scores.bins.map(({ from, to }) => (from + to) / 2);
}

function factorText(factor: number): string {
  return String(Number(factor.toPrecision(3)));
}
