/**
 * λ matched to the scale of a head: by how much the weights of the regularizers must be multiplied so that they weigh beside the
 * ranking loss after a correction what they weighed before,
 *
 *     (P₀/L₀) / (P₁/L₁),   P = λ_q·FLOPS + λ_d·FLOPS (or L1), L = InfoNCE of the halves of texts
 *
 * before (0) and after (1). Both fall as 1/k² for small logits, but not for large ones: log1p is not linear there.
 */
import { LexrayError } from '../util/errors.ts';
import { initialLoss } from './initial-loss.ts';
import type { ObservedFigures } from './observed.ts';
import type { JudgedRecipe } from './recipes.ts';

/**
 * The factor for λ_q and λ_d; 1 where there is no penalty to be matched.
 * @param before figures of the head as it was
 * @param after figures of the head that is trained, from `observe(cache, correction)`
 * @throws LexrayError CONFIG without a ranking loss that the figures know: InfoNCE at temperature 1, of texts that can be halved
 */
export function matchedRegularizerFactor(
  before: ObservedFigures,
  after: ObservedFigures,
  recipe: JudgedRecipe,
): number {
  const [first, last] = [initialLoss(before, recipe), initialLoss(after, recipe)];
  if (first.ranking === undefined || last.ranking === undefined) {
    const why =
      recipe.loss !== 'info-nce' || recipe.temperature !== 1
        ? 'for InfoNCE at temperature 1 only'
        : 'only where texts have halves to be compared: six words or more';
    throw new LexrayError('CONFIG', `λ can be matched to the scale of a head ${why}`, {
      cure: 'leave out --match-lambda',
    });
  }
  if (!(first.penalty > 0 && last.penalty > 0)) return 1;
  return (first.penalty / first.ranking / last.penalty) * last.ranking;
}
