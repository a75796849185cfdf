/**
 * Whether training from a head would collapse, from the vectors of some texts before the first step. The two kinds of heads have
 * rules of their own: those of masked language models come from the calibration study (docs/findings/calibration.md), those of
 * heads that are sparse already from a first look at one model and from threads, named beside each.
 */
import { headKind } from './head-kind.ts';
import { initialLoss } from './initial-loss.ts';
import type { ObservedFigures } from './observed.ts';
import type { JudgedRecipe } from './recipes.ts';
import { shortFigure as figure } from './short-figure.ts';

/** Which rules: those of the first look judged every head alike. Cells of studies keep the rules that they were run with. */
export type CollapseRules = 'first-look' | 'calibration-study';

/** The figures that the rules look at. */
export type JudgedFigures = Pick<
  ObservedFigures,
  'texts' | 'batch' | 'zeroTexts' | 'activeDims' | 'activeShare' | 'meanWeight' | 'pairs' | 'flops'
> & { readonly scores: Pick<ObservedFigures['scores'], 'std' | 'cosine'> };

/** A collapse that is foreseen. */
export interface ForeseenCollapse {
  readonly kind: 'overscaled' | 'dense' | 'dying';
  /** In a few words: "will go dense". */
  readonly title: string;
  readonly reason: string;
}

/** Share of texts without an active dimension from which on a head counts as dying. */
export const deadShare = 0.05;
/**
 * Share of the vocabulary that is active, and cosine of unrelated texts, above which all vectors are alike. The threads that
 * report it: all 31,999 dimensions active; a cosine of 1.0000 between unrelated sentences (sentence-transformers#3431).
 */
export const denseShare = 0.5;
const denseCosine = 0.9;
/**
 * FLOPS of the texts as one batch, Σ_v (mean weight of v)², above which heads of masked language models collapsed in the
 * calibration study (InfoNCE at temperature 1), divided by learning rate × steps, which is how far Adam can move a weight.
 */
const overscaledFlops = 150_000;
/**
 * Learning rate × steps of those runs and of three times as long ones: from 200 steps at a third of 1e-4 to 600 steps at 1e-4. Outside of
 * this range the limit stays what it is at its end. At the upper end it is careful: heads with 12,149 and 13,283 did not
 * collapse there (three seeds each).
 */
const studiedReach = { least: 0.02 / 3, most: 0.06 } as const;
/**
 * Score spread at or below which heads of masked language models stayed dense there: all nine runs at 1 collapsed; at 19 to 52 none
 * did at the same learning rate.
 */
const underscaledSpread = 1.4;
/**
 * Score spread of a sparse head, in units of the temperature, outside of which runs of a first look collapsed (InfoNCE; one
 * model, one seed): from 13 on they died, at .03 active dimensions rose from 18 to 506. One head of the calibration study with 10.2
 * trained well. A MarginMSE loss takes its scale from the teacher, whose margins are several units wide: the upper bound is a
 * guess there.
 */
const steepSpread = { 'info-nce': 11.5, 'margin-mse': 30 } as const;
const flatSpread = 0.1;
/** FLOPS penalty at full weight, in units of the ranking loss, above which zero vectors are the cheapest way down; a guess. */
const heavyPenalty = 10;

/** The collapse that is foreseen; undefined: none. */
export function foreseenCollapse(
  {
    observed,
    vocabularySize,
    recipe,
  }: { readonly observed: JudgedFigures; readonly vocabularySize: number; readonly recipe: JudgedRecipe },
  rules: CollapseRules = 'calibration-study',
): ForeseenCollapse | undefined {
  const { texts, zeroTexts, activeDims, activeShare, scores } = observed;
  if (zeroTexts > deadShare * texts) {
    return dying(`${zeroTexts} of ${texts} texts have no active dimension: no gradient comes back through ReLU.`);
  }
  if (activeShare > denseShare && scores.cosine > denseCosine) {
    return dense(
      `${figure(activeDims.mean)} of ${vocabularySize} dimensions are active in a text and unrelated texts have a cosine of ${scores.cosine.toFixed(4)}: the vectors say nothing about the texts.${lossWords(observed, recipe)}`,
    );
  }
  const studied = rules === 'calibration-study' && headKind(activeDims.mean) === 'language-model';
  return studied ? languageModelCollapse(observed, recipe) : sparseCollapse(observed, recipe);
}

/** The rules for heads of masked language models. */
function languageModelCollapse(
  { flops, activeDims, scores }: JudgedFigures,
  recipe: JudgedRecipe,
): ForeseenCollapse | undefined {
  const reach = reachOf(recipe);
  const most = overscaledFlops * reach.studied;
  if (flops > most) {
    return {
      kind: 'overscaled',
      title: reach.side === 'longer' ? 'may collapse' : 'is likely to collapse',
      reason: `${figure(activeDims.mean)} dimensions are active in a text and their FLOPS is ${figure(flops)}: too large a head for ${recipe.steps} steps at a learning rate of ${recipe.learningRate}, for which ${figure(most)} is about the limit.${unstudied(recipe)}`,
    };
  }
  if (scores.std > underscaledSpread) return undefined;
  return dense(
    `${figure(activeDims.mean)} dimensions are active in a text and scores of unrelated texts spread by ${figure(scores.std)} only: weights this small have next to no FLOPS, and nothing makes the vectors sparse.`,
  );
}

/** Learning rate × steps of a recipe, the nearest that was studied, and on which side of the studied range it lies, but for rounding. */
function reachOf({ learningRate, steps }: JudgedRecipe): {
  readonly own: number;
  readonly studied: number;
  readonly side: 'shorter' | 'within' | 'longer';
} {
  const { least, most } = studiedReach;
  const own = learningRate * steps;
  const side = own > most * 1.001 ? 'longer' : own < least / 1.001 ? 'shorter' : 'within';
  return { own, studied: Math.min(Math.max(own, least), most), side };
}

/** What of a recipe lies outside of the runs that the limit comes from. */
function unstudied(recipe: JudgedRecipe): string {
  const { own, side } = reachOf(recipe);
  const { least, most } = studiedReach;
  const parts = [
    ...(side === 'within'
      ? []
      : [`runs whose learning rate × steps is ${figure(least)} to ${figure(most)}, not ${figure(own)}`]),
    ...(recipe.loss !== 'info-nce' || recipe.temperature !== 1 ? ['InfoNCE at temperature 1'] : []),
  ];
  return parts.length === 0 ? '' : ` That limit was learned from ${parts.join(', with ')}.`;
}

/** The rules for heads that are sparse already. */
function sparseCollapse(observed: JudgedFigures, recipe: JudgedRecipe): ForeseenCollapse | undefined {
  const { scores } = observed;
  const spread = scores.std / recipe.temperature;
  const { ranking, penalty } = initialLoss(observed, recipe);
  const chance = Math.log(observed.batch);
  const pressure = penalty / Math.max(ranking ?? chance, chance);
  if (spread > steepSpread[recipe.loss]) {
    return dying(
      `scores of unrelated texts spread by ${figure(scores.std)}, ${figure(spread)} times the temperature: the softmax is decided before training, and large gradients push everything down.${lossWords(observed, recipe)}`,
    );
  }
  if (pressure > heavyPenalty) {
    return dying(
      `at full weight ${regularizers(recipe)} ${figure(penalty)}, ${figure(pressure)} times the ranking loss: zero vectors are the cheapest way down.`,
    );
  }
  if (recipe.loss === 'info-nce' && spread < flatSpread) {
    return dense(
      `scores of unrelated texts spread by ${figure(scores.std)} only: to tell texts apart, training makes more and more dimensions active, and ${regularizers(recipe)} too small (${figure(penalty)}) to stop it.`,
    );
  }
  return undefined;
}

function dying(reason: string): ForeseenCollapse {
  return { kind: 'dying', title: 'will die', reason };
}

function dense(reason: string): ForeseenCollapse {
  return { kind: 'dense', title: 'will go dense', reason };
}

/** What the first loss is made of, where it is known. */
function lossWords(observed: JudgedFigures, recipe: JudgedRecipe): string {
  const { ranking, penalty } = initialLoss(observed, recipe);
  const loss =
    ranking === undefined
      ? ''
      : ` The first loss is ${figure(ranking)} (a model without preference has ${figure(Math.log(observed.batch))}).`;
  return `${loss} At full weight ${regularizers(recipe)} ${figure(penalty)}.`;
}

function regularizers({ l1 }: JudgedRecipe): string {
  return l1?.length ? 'the weighted regularizers are' : 'λ·FLOPS is';
}
