/**
 * Exact deviation: mean over terms of √(w_vᵀ Σ w_v), the standard deviation of a term's logit over tokens, with Σ the
 * covariance of the head's inputs over the tokens of the texts. k divides it to 1, so that log1p sees logits of unit scale.
 *
 * Fails when the logits are far from 0 on average (the mean is not in it: a head that is active everywhere by its bias has
 * the same deviation), and where a text's maximum is ruled by a few tokens that are far out ([CLS], attention sinks).
 */
import { LexrayError } from '../../util/errors.ts';
import { onePassArms, type TargetStatistic } from './target-statistic.ts';

export const exactDeviation: TargetStatistic = {
  name: 'exact-deviation',
  title: 'mean over terms of the standard deviation of the logits, from the covariance of head inputs',
  goal: {
    kind: 'direct',
    target: 1,
    value({ cache }) {
      if (cache === undefined) throw new LexrayError('FAILED', 'exact-deviation needs encoded texts');
      return cache.exactDeviation;
    },
    factor: (value) => value,
  },
  origin:
    'provisional: logits of unit deviation, as LSUV initialisation has it (arXiv 1511.06422); one model and seed in docs/how-to/collapse.md',
  failsWhen: 'logits have a mean far from 0, or a few tokens are far out',
  needs: 'texts',
  arms: onePassArms,
};
