/**
 * Closed form: S = mean_v ‖w_v ⊙ γ‖₂ from the checkpoint alone, no text and no engine. The deviation of the logits if the
 * head's normalised input had unit variance and no correlations. k divides it to .5.
 *
 * Fails when the inputs are correlated or lie in a narrow cone, as those of trained encoders do: only a hint. Like the
 * exact deviation it does not see the mean of the logits.
 */
import { directArms, divide, type TargetStatistic } from './target-statistic.ts';

export const closedForm: TargetStatistic = {
  name: 'closed-form',
  title: 'mean over terms of ‖w ⊙ γ‖, from the checkpoint alone',
  goal: { kind: 'direct', target: 0.5, value: ({ head }) => head.closedFormDeviation, factor: divide },
  origin:
    'the calibration study: three backbones of 3 million parameters, InfoNCE, learning rate 1e-4, 200 steps (docs/findings/calibration.md)',
  failsWhen: 'the inputs of the head are correlated, as those of every trained encoder are',
  needs: 'checkpoint',
  arms: directArms,
};
