/**
 * Entropy: softmax over the scores of the 63 other texts of a batch must keep 80 % of its largest entropy.
 *
 * Fails when the model is dead: equal scores have the largest entropy there is, so the target is passed on the way to a
 * head that says nothing (k → ∞). It also sees only the largest scores: a few near-copies among the texts hold it down.
 */
import { onePassArms, type TargetStatistic } from './target-statistic.ts';

export const entropy: TargetStatistic = {
  name: 'entropy',
  title: 'entropy of softmax over the other texts of a batch of 64, divided by its maximum',
  goal: {
    kind: 'value',
    target: () => 0.8,
    direction: 'rises',
    measure: (cache, correction, seen) => seen.scores(cache, correction).entropy,
  },
  origin: 'provisional constant, not measured',
  failsWhen: 'the model is dead (all scores equal has the largest entropy); near-copies among the texts',
  needs: 'texts',
  arms: onePassArms,
};
