/** What `diagnose` says today of the head that a run started from, by the figures that its line has. */
import { foreseenCollapse } from '../../head/foreseen-collapse.ts';
import { scoreBatch } from '../../head/observed.ts';
import { judgedRecipe } from '../../head/recipes.ts';
import type { ResultLine } from '../result-line.ts';

/** Texts that a cell is judged on. */
const texts = 256;

/** Whether a collapse is foreseen; undefined where the run does not have the figures. */
export function foreseenOf({ metrics, resolved }: ResultLine): boolean | undefined {
  const figure = (name: string): number => metrics[`head ${name}`] ?? Number.NaN;
  const [zeroTexts, activeShare, flops, dims] = ['zeroTexts', 'activeShare', 'flops', 'activeDims'].map(figure) as [
    number,
    number,
    number,
    number,
  ];
  const scores = { std: figure('scoreSpread'), cosine: figure('cosine') };
  const { vocabulary: vocabularySize = Number.NaN } = metrics;
  if (![vocabularySize, zeroTexts, activeShare, flops, dims, scores.std, scores.cosine].every(Number.isFinite)) {
    return undefined;
  }
  const observed = {
    ...{ texts, batch: scoreBatch, zeroTexts, activeShare, flops, scores, meanWeight: figure('meanWeight') },
    activeDims: { mean: dims, min: dims, max: dims },
    pairs: { infoNce: figure('infoNce'), chance: Math.log(scoreBatch) },
  };
  const recipe = judgedRecipe({
    ...{ name: 'this run', title: 'the settings of this run', source: 'the results', needs: [] },
    ...{ origins: [], expected: [], notes: [], settings: resolved, usualSteps: Number(resolved.maxSteps) },
  });
  return foreseenCollapse({ observed, vocabularySize, recipe }) !== undefined;
}
