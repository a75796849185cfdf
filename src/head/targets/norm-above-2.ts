/**
 * The trivial rule of arXiv 2606.18811: its backbones whose decoder rows have a mean norm above 2 failed at k = 1 and those
 * below worked; 8 is the factor that was best for ModernBERT there. So: k = 8 above 2, else 1.
 *
 * Fails where the factor is not 8: in the same table RoBERTa (3.65) is best at 2 and dead at 16. The norm says nothing of γ,
 * of the bias, or of what the encoder puts in. A base line that other rules must beat.
 */
import { directArms, type TargetStatistic } from './target-statistic.ts';

export const normAbove2: TargetStatistic = {
  name: 'norm-above-2',
  title: 'mean row norm of the decoder above 2: divide by 8',
  goal: {
    kind: 'direct',
    target: 2,
    value: ({ head }) => head.norm.mean,
    factor: (norm, limit) => (norm > limit ? 8 : 1),
  },
  origin: 'arXiv 2606.18811, table 1 (the split at 2) and table 2 (k = 8 for ModernBERT), in its digest',
  failsWhen: 'the right factor is not 8 (RoBERTa in the same table); γ, bias and inputs differ',
  needs: 'checkpoint',
  arms: directArms,
};
