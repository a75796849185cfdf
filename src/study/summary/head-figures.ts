/** Figures of the head of a run that are known before training, by the names under which tables show them. */
import type { ResultLine } from '../result-line.ts';

type Metrics = ResultLine['metrics'];

/** A figure of a head. */
export interface HeadFigure {
  readonly name: string;
  /** NaN where the run has none. */
  value(metrics: Metrics): number;
  /** Whether a scale changes it: only then can it say which scale is right. */
  readonly ofScale: boolean;
}

const figure = (name: string, ofScale: boolean, value: HeadFigure['value']): HeadFigure => ({ name, ofScale, value });

/** All of them, each in the direction in which it grows with the scale of the head. */
export const headFigures: readonly HeadFigure[] = [
  figure('norm of the head', true, ({ 'head rowNorm': norm = Number.NaN }) => norm),
  figure('anisotropy', false, ({ 'backbone anisotropy': anisotropy = Number.NaN }) => anisotropy),
  // Recorded of the head that comes into a cell: of a corrected one it is not the figure.
  figure('deviation of logits', true, ({ 'backbone exactDeviation': deviation = Number.NaN }) => deviation),
  figure('score spread', true, ({ 'head scoreSpread': spread = Number.NaN }) => spread),
  figure('1 − entropy of the scores', true, ({ 'head entropy': entropy = Number.NaN }) => 1 - entropy),
  figure('FLOPS', true, ({ 'head flops': flops = Number.NaN }) => flops),
  figure('InfoNCE of the halves of texts', true, ({ 'head infoNce': loss = Number.NaN }) => loss),
  figure('mean weight', true, ({ 'head meanWeight': weight = Number.NaN }) => weight),
  figure('share of active dimensions', false, ({ 'head activeShare': share = Number.NaN }) => share),
];
