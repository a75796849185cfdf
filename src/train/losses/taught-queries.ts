/** The part of a batch from which a student can learn differences: queries of which a teacher has scored several documents. */
import { badInput } from '../../util/errors.ts';
import type { BatchRelevance } from './loss.ts';

/** A document of the batch with the teacher's score for one query. */
export interface TaughtDocument {
  /** Column of the document. */
  readonly document: number;
  readonly score: number;
}

/** A query with the documents that a teacher has scored for it. */
export interface TaughtQuery {
  /** Row of the query. */
  readonly query: number;
  /** At least two; the query's own positive first. */
  readonly documents: readonly [TaughtDocument, ...TaughtDocument[]];
}

/**
 * The queries of which a teacher has scored the positive and at least one other document; the others teach nothing.
 * @throws LexrayError BAD_INPUT when there is none, or when a score is not a finite number
 */
export function taughtQueries(relevance: BatchRelevance, lossName: string): readonly TaughtQuery[] {
  const scored = Array.from({ length: relevance.queryCount }, () => new Map<number, number>());
  for (const { query, document, score } of relevance.teacherScores) {
    if (!Number.isFinite(score)) {
      throw badInput(`${lossName}: a teacher's scores must be finite numbers, got ${score}`, {
        cure: 'take the pair out of the data, or score it again',
      });
    }
    scored[query]!.set(document, score);
  }
  const taught: TaughtQuery[] = [];
  scored.forEach((scores, query) => {
    const positive = scores.get(query);
    if (positive === undefined || scores.size < 2) return;
    scores.delete(query);
    const others = Array.from(scores, ([document, score]) => ({ document, score }));
    taught.push({ query, documents: [{ document: query, score: positive }, ...others] });
  });
  if (taught.length === 0) {
    throw badInput(`${lossName}: no query of the batch has a teacher's score of its positive and of a negative`, {
      cure: "give training data with a teacher's scores, or choose a loss that needs none, such as info-nce",
    });
  }
  return taught;
}
