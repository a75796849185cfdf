/**
 * Score spread: the standard deviation of the scores of unrelated texts in a batch of 64. For the head of a masked language
 * model it must be about 500, far above the scale at which a softmax at temperature 1 would still hear all texts: what counts
 * there is whether a run can make the vectors sparse, not what the first softmax looks like. For a head that is sparse
 * already it must be about 1.
 *
 * 500 was chosen on dev queries of one backbone before the calibration study and kept its worth on eval for all three
 * (docs/findings/calibration.md).
 *
 * Fails when texts are of another length than those to be trained on: the spread grows with it, and k from 3.6 on sentences of ten words to 6.9 on abstracts; for
 * other learning rates and lengths of training as far as they move the best scale; and in arm B, where terms with u < 0 < b keep a spread of
 * their own however large k is.
 */
import { onePassArms, type TargetStatistic } from './target-statistic.ts';

export const scoreSpread: TargetStatistic = {
  name: 'score-spread',
  title: 'standard deviation of the scores of unrelated texts, B = 64',
  goal: {
    kind: 'value',
    target: (kind) => (kind === 'language-model' ? 500 : 1),
    direction: 'falls',
    measure: (cache, correction, seen) => seen.scores(cache, correction).std,
  },
  origin:
    '500 for heads of masked language models: the calibration study, three backbones of 3 million parameters, InfoNCE, learning rate 1e-4, 200 steps (docs/findings/calibration.md); 1 for heads with at most 1,000 active dimensions, as those of trained sparse encoders: a first look at one 2-layer model, one seed',
  failsWhen:
    'texts are longer or shorter than those to be trained on; the run is much longer or its learning rate another; other batch sizes, temperatures or losses',
  needs: 'texts',
  arms: onePassArms,
};
