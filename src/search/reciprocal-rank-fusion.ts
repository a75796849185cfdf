/**
 * Reciprocal-rank fusion of runs: score(d) = Σ over runs of weight / (constant + rank of d in the run), ranks from 1.
 * A document that a run lacks gets nothing from it.
 *
 * Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion Outperforms Condorcet and Individual Rank Learning Methods",
 * SIGIR 2009, with their constant of 60.
 *
 * The terms of a sum are added in descending order and the score is rounded to float32, as trec_eval reads it: documents
 * with the same ranks in different runs tie exactly, and the order here is the order that is evaluated.
 */
import { compareScoredDocuments, type Run, type ScoredDocument } from '../data/run.ts';
import { badInput, LexrayError } from '../util/errors.ts';

/** Options of {@link reciprocalRankFusion}. */
export interface FusionOptions {
  /** How little the first ranks stand out: at least 0. @default 60 */
  readonly rankConstant?: number | undefined;
  /** One a run, at least 0. @default all 1 */
  readonly weights?: readonly number[] | undefined;
  /** The most documents a query in the result. @default all */
  readonly k?: number | undefined;
}

/**
 * Fuses runs. Every query of any run is in the result, in order of first occurrence.
 * @throws LexrayError USAGE for options out of range; BAD_INPUT when a run names a document twice for a query
 */
export function reciprocalRankFusion(runs: readonly Run[], options: FusionOptions = {}): Run {
  const { rankConstant = 60, weights = runs.map(() => 1), k = Number.POSITIVE_INFINITY } = options;
  checkOptions(runs.length, rankConstant, weights, k);
  const fused: Run = new Map();
  for (const qid of new Set(runs.flatMap((run) => [...run.keys()]))) {
    const shares = new Map<string, number[]>();
    for (const [i, run] of runs.entries()) {
      const ranked = [...(run.get(qid) ?? [])].sort(compareScoredDocuments);
      const seen = new Set<string>();
      for (const [position, { docid }] of ranked.entries()) {
        if (seen.has(docid)) {
          throw badInput(`document ${docid} occurs twice for query ${qid}`, { where: `run ${i + 1} of the fusion` });
        }
        seen.add(docid);
        const share = weights[i]! / (rankConstant + position + 1);
        const others = shares.get(docid);
        if (others === undefined) shares.set(docid, [share]);
        else others.push(share);
      }
    }
    const documents = Array.from(shares, ([docid, terms]): ScoredDocument => {
      const score = terms.sort((a, b) => b - a).reduce((sum, term) => sum + term, 0);
      return { docid, score: Math.fround(score) };
    });
    fused.set(qid, documents.sort(compareScoredDocuments).slice(0, k));
  }
  return fused;
}

function checkOptions(runs: number, rankConstant: number, weights: readonly number[], k: number): void {
  if (!(rankConstant >= 0 && rankConstant < Number.POSITIVE_INFINITY)) {
    throw new LexrayError('USAGE', `rankConstant must be at least 0, got ${rankConstant}`);
  }
  if (weights.length !== runs || !weights.every((weight) => weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
    throw new LexrayError('USAGE', `${runs} weights of at least 0 are needed, one a run, got [${weights.join(', ')}]`);
  }
  if (k !== Number.POSITIVE_INFINITY && (!Number.isInteger(k) || k < 1)) {
    throw new LexrayError('USAGE', `k must be an integer of at least 1, got ${k}`);
  }
}
