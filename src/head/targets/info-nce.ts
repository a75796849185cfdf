/**
 * InfoNCE on pseudo-pairs: the k at which the two halves of a text find each other best, in batches of 64 at temperature 1.
 * Needs no constant: it is a minimum, and a dead model has ln 64.
 *
 * Fails when halves share no content (lists, titles of a few words), or share so many rare words that any scale separates
 * them: the minimum then lies at very small k, where the softmax is decided; and it says how well the untrained vectors
 * match, not how well they train.
 */
import { LexrayError } from '../../util/errors.ts';
import { observePairs } from '../observed.ts';
import { onePassArms, type TargetStatistic } from './target-statistic.ts';

export const infoNce: TargetStatistic = {
  name: 'info-nce',
  title: 'InfoNCE of the two halves of a text, B = 64, least over k',
  goal: {
    kind: 'least',
    measure(cache, correction) {
      const pairs = observePairs(cache, correction);
      if (pairs === undefined) {
        throw new LexrayError('BAD_INPUT', 'info-nce needs at least two texts of six words or more', {
          cure: 'give longer texts, or choose --statistic score-spread',
        });
      }
      return pairs.infoNce;
    },
  },
  origin: 'none needed: a minimum over k',
  failsWhen: 'the halves of a text have nothing in common, or separate at any scale',
  needs: 'pairs',
  arms: onePassArms,
};
