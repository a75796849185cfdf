/**
 * MarginMSE: the student's margins between documents of a query shall be the teacher's (Hofstätter et al., arXiv 2010.02666).
 * With s the student's scores, t the teacher's, document 0 the positive and n documents of query i scored by the teacher,
 *
 *     positive   L = mean_i mean_{j>0} ( (s_0 − s_j) − (t_0 − t_j) )²
 *     all        L = mean_i mean_{a<b} ( (s_a − s_b) − (t_a − t_b) )²  =  mean_i 2/(n−1) · Σ_a (e_a − ē)²,  e = s − t
 *
 * The first is sentence-transformers' SparseMarginMSELoss, with one negative or several; the second, over every pair, is
 * twice the variance of the student's errors. With one negative they are the same. A constant added to all of a teacher's
 * scores of a query changes nothing; their scale is the scale that the student learns.
 */
import type { Graph, Value } from '../../compute/graph/graph.ts';
import { Mul, ReduceSum, Sub, sumAll } from '../../compute/graph/ops/index.ts';
import type { Tensor } from '../../compute/runtime/engine.ts';
import type { BatchRelevance, Loss } from './loss.ts';
import { positiveLabels, ScoreMatrixFeed } from './score-matrix-feed.ts';
import { taughtQueries } from './taught-queries.ts';

/** Options of {@link MarginMseLoss}. */
export interface MarginMseOptions {
  /** Margins between the positive and each other document, or between every two documents. @default 'positive' */
  readonly margins?: 'positive' | 'all' | undefined;
}

/**
 * MarginMSE. Where a cross-encoder has scored triplets: it fixes the scale of the scores as well, so a head that is badly
 * scaled starts with a loss of the square of its error.
 */
export class MarginMseLoss implements Loss {
  readonly name = 'MarginMSE';
  readonly needsTeacher = true;
  readonly needsNegatives = true;
  readonly #margins: 'positive' | 'all';

  constructor(options: MarginMseOptions = {}) {
    this.#margins = options.margins ?? 'positive';
  }

  build(graph: Graph, scores: Value): Value {
    const errors = Sub(scores, graph.feed('teacherScores', 'float32', scores.dims));
    const [centreName, weightName] = this.#feedNames;
    const centre = ReduceSum(Mul(errors, graph.feed(centreName, 'float32', scores.dims)), [1], true);
    const differences = Sub(errors, centre);
    const weights = graph.feed(weightName, 'float32', scores.dims);
    return sumAll(Mul(Mul(differences, differences), weights));
  }

  feeds(relevance: BatchRelevance): Record<string, Tensor> {
    const taught = taughtQueries(relevance, this.name);
    const scores = new ScoreMatrixFeed(relevance);
    const shares = new ScoreMatrixFeed(relevance);
    const weights = new ScoreMatrixFeed(relevance);
    for (const { query, documents } of taught) {
      const margins = documents.length - 1;
      documents.forEach(({ document, score }, i) => {
        scores.set(query, document, score);
        shares.set(query, document, 1 / documents.length);
        if (this.#margins === 'all') weights.set(query, document, 2 / margins / taught.length);
        else if (i > 0) weights.set(query, document, 1 / margins / taught.length);
      });
    }
    const [centreName, weightName] = this.#feedNames;
    return {
      teacherScores: scores.tensor,
      [centreName]: this.#margins === 'all' ? shares.tensor : positiveLabels(relevance),
      [weightName]: weights.tensor,
    };
  }

  /** Feeds that say from where margins count, and how much each does. */
  get #feedNames(): readonly [centre: string, weight: string] {
    return this.#margins === 'all' ? ['teacherShares', 'allMarginWeights'] : ['labels', 'marginWeights'];
  }
}
