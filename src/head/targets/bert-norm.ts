/**
 * The trivial rule of matching BERT: k = mean row norm / 1.401, the norm of BERT-base in arXiv 2606.18811.
 *
 * Fails for the paper's own backbones: it gives 1.8 for ModernBERT and 1.9 for Ettin, whose best factors there are 8 to 16
 * and at least 16; it is right for RoBERTa (2.6, best 2). A base line that other rules must beat.
 */
import { directArms, divide, type TargetStatistic } from './target-statistic.ts';

/** Mean row norm of BERT-base, arXiv 2606.18811 table 1. */
const bertNorm = 1.401;

export const bertNormMatch: TargetStatistic = {
  name: 'bert-norm',
  title: 'mean row norm of the decoder as that of BERT-base',
  goal: { kind: 'direct', target: bertNorm, value: ({ head }) => head.norm.mean, factor: divide },
  origin: 'arXiv 2606.18811, table 1, in its digest',
  failsWhen: 'the backbone is not RoBERTa: for ModernBERT and Ettin it is far from the factors that worked',
  needs: 'checkpoint',
  arms: directArms,
};
