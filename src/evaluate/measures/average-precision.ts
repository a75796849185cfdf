/**
 * Average precision: the precision at the rank of each relevant document found, summed and divided by the number of all
 * relevant documents; 0 when there are none. With a cutoff only the first k count as found, and the divisor stays
 * (trec_eval's `map` and `map_cut`).
 */
import { countRelevant, type MeasureFamily } from './measure.ts';

/** Average precision, optionally cut at k; its mean over queries is MAP. */
export const averagePrecision: MeasureFamily = {
  names: ['AP', 'MAP'],
  description: 'mean precision at the ranks of the relevant documents',
  needsCutoff: false,
  takesRel: true,
  compute({ ranked, judged }, cutoff, rel) {
    const relevant = countRelevant(judged, rel);
    if (relevant === 0) return 0;
    const depth = Math.min(cutoff, ranked.length);
    let found = 0;
    let sum = 0;
    for (let i = 0; i < depth; i++) {
      const grade = ranked[i];
      if (grade !== undefined && grade >= rel) sum += ++found / (i + 1);
    }
    return sum / relevant;
  },
};
