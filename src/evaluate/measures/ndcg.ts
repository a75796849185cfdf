/**
 * Normalised discounted cumulative gain:
 *
 *     nDCG@k = DCG@k / ideal DCG@k,    DCG@k = Σ_{i=1..k} gain_i / log2(i + 1)
 *
 * The gain is the grade itself (not 2^grade − 1); grades below 0 gain 0, as in trec_eval's `ndcg_cut`. The ideal ranking
 * has all judged documents by grade. 0 when no judged document gains. Järvelin and Kekäläinen, TOIS 20(4), 2002.
 */
import type { MeasureFamily } from './measure.ts';

/** nDCG, optionally cut at k. */
export const nDcg: MeasureFamily = {
  names: ['nDCG'],
  description: 'graded relevance, discounted by the logarithm of the rank, against the ideal ranking',
  needsCutoff: false,
  takesRel: false,
  compute({ ranked, judged }, cutoff) {
    const ideal = discountedGain(
      judged.toSorted((a, b) => b - a),
      cutoff,
    );
    return ideal === 0 ? 0 : discountedGain(ranked, cutoff) / ideal;
  },
};

function discountedGain(grades: readonly (number | undefined)[], cutoff: number): number {
  const depth = Math.min(cutoff, grades.length);
  let sum = 0;
  for (let i = 0; i < depth; i++) {
    const gain = grades[i];
    if (gain !== undefined && gain > 0) sum += gain / Math.log2(i + 2);
  }
  return sum;
}
