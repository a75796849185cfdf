/**
 * Holm's correction for several tests at once: with p values sorted ascending, p₍ᵢ₎ becomes
 *
 *     max_{j ≤ i} min(1, (m − j + 1) · p₍ⱼ₎)
 *
 * Rejecting what is at most α then keeps the chance of any false rejection at α, however the tests depend on each other.
 * Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6(2), 1979.
 */
import { badInput } from '../../util/errors.ts';

/**
 * Adjusted p values, in the order given.
 * @throws LexrayError BAD_INPUT for a value outside [0, 1]
 */
export function holm(pValues: readonly number[]): number[] {
  const misfit = pValues.find((p) => !(p >= 0 && p <= 1));
  if (misfit !== undefined) throw badInput(`a p value lies between 0 and 1, got ${misfit}`);
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let largest = 0;
  for (const [rank, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (pValues.length - rank) * pValues[i]!));
    adjusted[i] = largest;
  }
  return adjusted;
}
