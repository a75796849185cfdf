/** What `diagnose` says today of the head that a run started from, by the figures that its line has. */
import { foreseenCollapse } from '../../head/foreseen-collapse.ts';
import { scoreBatch } from '../../head/observed.ts';
import { judgedSettings, mostTexts } from '../../train/head-sample.ts';
import type { ResultLine } from '../result-line.ts';

/** Whether a collapse is foreseen; undefined where the run does not have the figures, or was as long as its data. */
export function foreseenOf({ metrics, resolved }: ResultLine): boolean | undefined {
  const figure = (name: string): number => metrics[`head ${name}`] ?? Number.NaN;
  const [zeroTexts, activeShare, flops, dims, meanWeight] = [
    'zeroTexts',
    'activeShare',
    'flops',
    'activeDims',
    'meanWeight',
  ].map(figure) as [number, number, number, number, number];
  const scores = { std: figure('scoreSpread'), cosine: figure('cosine') };
  const { vocabulary: vocabularySize = Number.NaN, 'head infoNce': infoNce } = metrics;
  const steps = Number(resolved.maxSteps);
  const needed = [vocabularySize, zeroTexts, activeShare, flops, dims, meanWeight, scores.std, scores.cosine, steps];
  if (!needed.every(Number.isFinite)) return undefined;
  const observed = {
    ...{ texts: mostTexts, batch: scoreBatch, zeroTexts, activeShare, flops, scores, meanWeight },
    activeDims: { mean: dims, min: dims, max: dims },
    pairs: infoNce === undefined ? undefined : { infoNce, chance: Math.log(scoreBatch) },
  };
  const recipe = judgedSettings(resolved, steps, 'this run');
  return foreseenCollapse({ observed, vocabularySize, recipe }) !== undefined;
}
