/** What a run's loss is made of before its first step. */
import type { ObservedFigures } from './observed.ts';
import type { JudgedRecipe } from './recipes.ts';

/** Penalty of the regularizers at full weight, and the ranking loss it stands beside. */
export function initialLoss(
  { pairs, flops, activeDims, meanWeight }: Pick<ObservedFigures, 'pairs' | 'flops' | 'activeDims' | 'meanWeight'>,
  recipe: JudgedRecipe,
): { readonly ranking: number | undefined; readonly penalty: number } {
  const ranking = recipe.loss === 'info-nce' && recipe.temperature === 1 ? pairs?.infoNce : undefined;
  const l1 = activeDims.mean * meanWeight;
  const queries = recipe.l1?.includes('queries') ? l1 : flops;
  const documents = recipe.l1?.includes('documents') ? l1 : flops;
  const { queryRegularizerWeight, documentRegularizerWeight } = recipe;
  return { ranking, penalty: queryRegularizerWeight * queries + documentRegularizerWeight * documents };
}
