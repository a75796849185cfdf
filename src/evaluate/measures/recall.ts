/** Recall: relevant documents among the first k, divided by all relevant documents; 0 when there are none (trec_eval's `recall`). */
import { countFound, countRelevant, type MeasureFamily } from './measure.ts';

/** Recall at k. */
export const recall: MeasureFamily = {
  names: ['R', 'Recall'],
  description: 'share of the relevant documents that are among the first k',
  needsCutoff: true,
  takesRel: true,
  compute({ ranked, judged }, cutoff, rel) {
    const relevant = countRelevant(judged, rel);
    return relevant === 0 ? 0 : countFound(ranked, cutoff, rel) / relevant;
  },
};
