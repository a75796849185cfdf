/**
 * Quantiles of Student's distribution, by bisection of the tail that `paired-t-test.ts` computes. Degrees of freedom need not
 * be whole: approximations of Satterthwaite's kind give fractions.
 */
import { badInput } from '../../util/errors.ts';
import { twoSidedP } from './paired-t-test.ts';

/**
 * The t that a share of the distribution lies below.
 * @param share between 0 and 1
 * @param degreesOfFreedom above 0
 * @throws LexrayError BAD_INPUT when either is out of range
 */
export function studentQuantile(share: number, degreesOfFreedom: number): number {
  if (!(share > 0 && share < 1)) throw badInput(`a quantile needs a share between 0 and 1, got ${share}`);
  if (!(degreesOfFreedom > 0)) throw badInput(`degrees of freedom must be above 0, got ${degreesOfFreedom}`);
  if (share < 0.5) return -studentQuantile(1 - share, degreesOfFreedom);
  const tails = 2 * (1 - share);
  let low = 0;
  let high = 1;
  while (twoSidedP(high, degreesOfFreedom) > tails && high < 1e300) high *= 2;
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (twoSidedP(middle, degreesOfFreedom) > tails) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
