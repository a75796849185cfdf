/**
 * Reciprocal rank: 1 / rank of the first relevant document, 0 when there is none among the first k.
 *
 * Ties are ranked as in all other measures here: trec_eval's `recip_rank -M k`. The `RR@k` of ir_measures takes MS MARCO's
 * script instead, which ranks ties by docid ascending and compares in double precision: on runs with ties it can differ.
 */
import type { MeasureFamily } from './measure.ts';

/** Reciprocal rank, optionally cut at k; its mean over queries is MRR. */
export const reciprocalRank: MeasureFamily = {
  names: ['RR', 'MRR'],
  description: '1 / rank of the first relevant document',
  needsCutoff: false,
  takesRel: true,
  compute({ ranked }, cutoff, rel) {
    const position = ranked.findIndex((grade) => grade !== undefined && grade >= rel);
    return position === -1 || position >= cutoff ? 0 : 1 / (position + 1);
  },
};
