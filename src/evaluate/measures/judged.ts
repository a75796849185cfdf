/**
 * Judgement rate: the share of the first k returned documents that are judged, whatever their grade. Where fewer than k
 * were returned their number is the divisor, as in ir_measures' `Judged`; 0 when none were. A low rate says that the
 * other measures are lower bounds: what is not judged counts as not relevant.
 */
import type { MeasureFamily } from './measure.ts';

/** Judgement rate, optionally cut at k. */
export const judged: MeasureFamily = {
  names: ['Judged'],
  description: 'share of the first k that is judged',
  needsCutoff: false,
  takesRel: false,
  compute({ ranked }, cutoff) {
    const depth = Math.min(cutoff, ranked.length);
    if (depth === 0) return 0;
    let count = 0;
    for (let i = 0; i < depth; i++) if (ranked[i] !== undefined) count++;
    return count / depth;
  },
};
