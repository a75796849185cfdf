/**
 * Distillation by the Kullback-Leibler divergence (Lin et al., arXiv 2010.11386): the student's distribution over the
 * documents that the teacher has scored for a query shall be the teacher's,
 *
 *     L = τ_s² · mean_i Σ_j p_ij · (log p_ij − log q_ij),   p_i = softmax(t_i/τ_t),  q_i = softmax(s_i/τ_s)
 *
 * as sentence-transformers' SparseDistillKLDivLoss computes it. The gradient is τ_s·(q − p)/Q: the factor τ_s² (Hinton et al.,
 * arXiv 1503.02531) keeps it of one size when both temperatures rise together, as q − p shrinks by 1/τ. It holds only there:
 * below 1, or with a temperature of the student alone, the factor changes the weight of this loss beside others and beside
 * the regularizers. `scaleByTemperature: false` leaves it out, as naver/splade and OpenSearch do; at τ_s = 1 both are the same.
 */
import type { Graph, Value } from '../../compute/graph/graph.ts';
import { Add, Exp, LogSoftmax, Mul, ReduceSum, Sub, sumAll } from '../../compute/graph/ops/index.ts';
import type { Tensor } from '../../compute/runtime/engine.ts';
import type { BatchRelevance, Loss } from './loss.ts';
import { excluded, ScoreMatrixFeed } from './score-matrix-feed.ts';
import { taughtQueries } from './taught-queries.ts';

/** Options of {@link KlDivergenceLoss}. */
export interface KlDivergenceOptions {
  /** Temperature τ of both, unless one has its own. 2 helps against dying out, says sentence-transformers. @default 2 */
  readonly temperature?: number | undefined;
  /** Temperature τ_s of the student. @default temperature */
  readonly studentTemperature?: number | undefined;
  /** Temperature τ_t of the teacher: far below the spread of its scores the best document takes all. @default temperature */
  readonly teacherTemperature?: number | undefined;
  /** Whether the loss is multiplied by τ_s². @default true */
  readonly scaleByTemperature?: boolean | undefined;
}

/** KL distillation. Where a teacher has scored several negatives of each query and its order matters more than its margins. */
export class KlDivergenceLoss implements Loss {
  readonly name = 'KL';
  readonly needsTeacher = true;
  readonly needsNegatives = true;
  readonly #student: number;
  readonly #teacher: number;
  readonly #factor: number;

  constructor(options: KlDivergenceOptions = {}) {
    const { temperature = 2 } = options;
    this.#student = options.studentTemperature ?? temperature;
    this.#teacher = options.teacherTemperature ?? temperature;
    this.#factor = (options.scaleByTemperature ?? true) ? this.#student ** 2 : 1;
  }

  build(graph: Graph, scores: Value): Value {
    const teacherScores = graph.feed('teacherScores', 'float32', scores.dims);
    const mask = graph.feed('teacherMask', 'float32', scores.dims);
    const shares = graph.feed('taughtShares', 'float32', [scores.dims[0]!]);
    const student = LogSoftmax(Add(Mul(scores, 1 / this.#student), mask));
    const teacher = LogSoftmax(Add(Mul(teacherScores, 1 / this.#teacher), mask));
    const divergence = ReduceSum(Mul(Exp(teacher), Sub(teacher, student)), [1], false);
    return Mul(sumAll(Mul(divergence, shares)), this.#factor);
  }

  feeds(relevance: BatchRelevance): Record<string, Tensor> {
    const taught = taughtQueries(relevance, this.name);
    const scores = new ScoreMatrixFeed(relevance);
    const mask = new ScoreMatrixFeed(relevance, excluded);
    const shares = new Float32Array(relevance.queryCount);
    for (const { query, documents } of taught) {
      shares[query] = 1 / taught.length;
      for (const { document, score } of documents) {
        scores.set(query, document, score);
        mask.set(query, document, 0);
      }
    }
    return {
      teacherScores: scores.tensor,
      teacherMask: mask.tensor,
      taughtShares: { dtype: 'float32', dims: [relevance.queryCount], data: shares },
    };
  }
}
