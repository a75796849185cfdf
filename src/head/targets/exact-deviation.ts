/**
 * Exact deviation: mean over terms of √(w_vᵀ Σ w_v), the standard deviation of a term's logit over tokens, with Σ the
 * covariance of the head's inputs over the tokens of the texts. k divides it to .5.
 *
 * Left to choose among .5, 1 and 2 on two backbones of the calibration study, it chose .5 in five of six cases, and its factors were
 * as good for the third as those of a sweep (docs/findings/calibration.md). Other statistics did as well; this one says nearly the same
 * of short texts and long ones, where a spread of scores grows with their length. For heads that are sparse already a first look
 * at one model agrees.
 *
 * Fails when the logits are far from 0 on average (the mean is not in it: a head that is active everywhere by its bias has
 * the same deviation); where a text's maximum is ruled by a few tokens that are far out ([CLS], attention sinks); on texts of
 * languages that the model does not know; and as far as other learning rates and lengths of training move the best scale.
 */
import { LexrayError } from '../../util/errors.ts';
import { directArms, divide, type TargetStatistic } from './target-statistic.ts';

export const exactDeviation: TargetStatistic = {
  name: 'exact-deviation',
  title: 'mean over terms of the standard deviation of the logits, from the covariance of head inputs',
  goal: {
    kind: 'direct',
    target: 0.5,
    value({ cache }) {
      if (cache === undefined) throw new LexrayError('FAILED', 'exact-deviation needs encoded texts');
      return cache.exactDeviation;
    },
    factor: divide,
  },
  origin:
    'the calibration study: three backbones of 3 million parameters, InfoNCE, learning rate 1e-4, 200 steps (docs/findings/calibration.md)',
  failsWhen:
    'logits have a mean far from 0, a few tokens are far out, the texts are of languages that the model does not know, or the run is much longer or its learning rate another',
  needs: 'texts',
  arms: directArms,
};
