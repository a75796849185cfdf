/** Precision: relevant documents among the first k, divided by k, also when fewer were returned (trec_eval's `P`). */
import { countFound, type MeasureFamily } from './measure.ts';

/** Precision at k. */
export const precision: MeasureFamily = {
  names: ['P', 'Precision'],
  description: 'share of the first k that is relevant',
  needsCutoff: true,
  takesRel: true,
  compute({ ranked }, cutoff, rel) {
    return countFound(ranked, cutoff, rel) / cutoff;
  },
};
