/** The names of the statistics, apart from what computes them: the command line lists them in its help. */

/** Statistics by name, the default first. */
export const statisticNames = [
  'exact-deviation',
  'score-spread',
  'entropy',
  'info-nce',
  'activation-rate',
  'closed-form',
  'norm-above-2',
  'bert-norm',
] as const;

/** A name of a statistic. */
export type StatisticName = (typeof statisticNames)[number];
