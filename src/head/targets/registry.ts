/** Every statistic by which a head can be calibrated. */
import { LexrayError } from '../../util/errors.ts';
import type { CorrectionArm } from '../correction.ts';
import { activationRate } from './activation-rate.ts';
import { bertNormMatch } from './bert-norm.ts';
import { closedForm } from './closed-form.ts';
import { entropy } from './entropy.ts';
import { exactDeviation } from './exact-deviation.ts';
import { infoNce } from './info-nce.ts';
import { normAbove2 } from './norm-above-2.ts';
import { scoreSpread } from './score-spread.ts';
import { statisticNames } from './statistic-names.ts';
import type { TargetStatistic } from './target-statistic.ts';

/** The statistics, the default first. */
export const targetStatistics: readonly TargetStatistic[] = [
  exactDeviation,
  scoreSpread,
  entropy,
  infoNce,
  activationRate,
  closedForm,
  normAbove2,
  bertNormMatch,
];

/** What a head is calibrated by unless something else is asked for: the first statistic that can serve the arm. */
export function defaultStatistic(arm: CorrectionArm): TargetStatistic {
  return targetStatistics.find(({ arms }) => arms.includes(arm)) ?? exactDeviation;
}

/**
 * A statistic by name.
 * @throws LexrayError USAGE naming those there are
 */
export function findStatistic(name: string): TargetStatistic {
  const statistic = targetStatistics.find((candidate) => candidate.name === name);
  if (statistic !== undefined) return statistic;
  throw new LexrayError('USAGE', `expected a statistic from ${statisticNames.join(', ')}, got ${JSON.stringify(name)}`);
}
