/**
 * Score spread: the standard deviation of the scores of unrelated texts in a batch of 64 must be about 1, the scale on
 * which a softmax at temperature 1 neither has forgotten its inputs nor is decided by one of them.
 *
 * Fails when the spread comes from the lengths of the vectors and not from their directions (a head where every dimension
 * is active has scores of rank one); for a model that was only ever a language model, a third of whose vocabulary is active:
 * k came out so large that its vectors stayed dense in a short run (docs/how-to/collapse.md); for another batch size, temperature or loss (MarginMSE has its scale from the
 * teacher); and in arm B, where terms with u < 0 < b keep a spread of their own however large k is.
 */
import { onePassArms, type TargetStatistic } from './target-statistic.ts';

export const scoreSpread: TargetStatistic = {
  name: 'score-spread',
  title: 'standard deviation of the scores of unrelated texts, B = 64',
  goal: {
    kind: 'value',
    target: 1,
    direction: 'falls',
    measure: (cache, correction, seen) => seen.scores(cache, correction).std,
  },
  origin:
    'provisional constant: in a first look on one SPLADE-trained 2-layer model, one seed (InfoNCE, τ = 1, learning rate 1e-4, λ .05 and .003), runs that began with a spread of .29 to 1.55 kept their quality best; to be replaced by the calibration study',
  failsWhen:
    'the spread comes from vector lengths (much of the vocabulary active, as in models that were only language models); other batch sizes, temperatures or losses',
  needs: 'texts',
  arms: onePassArms,
};
