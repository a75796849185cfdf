/**
 * Activation rate: the shift c for which a tenth of the logits of tokens are above 0. It chooses c, never k: a factor moves no
 * logit across 0 in arm D. arXiv 2607.00004, whose calibration this is, names 30 to 50 %; in the calibration study 40 % cost
 * every backbone most of its quality, since masked language models come with 5 to 7 % (docs/findings/calibration.md).
 *
 * Fails to see magnitudes: a head with the right rate can still have scores in the thousands, and one shifted by a constant
 * can die under a short ramp of the FLOPS weight. The rate is over tokens; after pooling more terms are active, and more
 * of them the longer the texts are.
 */
import type { TargetStatistic } from './target-statistic.ts';

export const activationRate: TargetStatistic = {
  name: 'activation-rate',
  title: 'P(z > 0) of a token and a term, by the shift c',
  goal: { kind: 'shift', target: 0.1 },
  origin:
    'docs/how-to/collapse.md: one model, one seed; the 30 to 50 % of arXiv 2607.00004 (its digest; the paper itself was not at hand) failed in the calibration study',
  failsWhen: 'scores are large: it does not see magnitudes; texts much longer than those it was measured on',
  needs: 'texts',
  arms: ['D'],
};
