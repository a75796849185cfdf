/**
 * Joint FLOPS (Dudek et al., CIKM 2023, doi 10.1145/3583780.3615207): the products of queries with documents themselves,
 *
 *     all pairs    Σ_v mean_i q_iv · mean_j d_jv  =  the mean of QᵀD over all queries and documents of the batch
 *     positives    mean_i Σ_v q_iv · d_iv         =  the mean score of a query and its positive
 *
 * Which pairs the paper means is not known to us. It differs from FLOPS in what it leaves free: a term of a document that
 * no query of the batch has costs nothing, and a side that is all zero is a minimum, whatever the other one holds. It needs
 * top-k masking, a ramp of its weight, and an eye on each side.
 */
import type { Graph, Value } from '../../compute/graph/graph.ts';
import {
  Add,
  Cast,
  Gather,
  Greater,
  MatMul,
  Mul,
  Neg,
  Range,
  ReduceMean,
  ReduceSum,
  Shape,
  sumAll,
  Unsqueeze,
} from '../../compute/graph/ops/index.ts';
import type { BatchWeights, Regularizer } from './regularizer.ts';

/** Options of {@link JointFlopsRegularizer}. */
export interface JointFlopsOptions {
  /** Pairs of queries and documents whose scores are pressed down. @default 'all' */
  readonly pairs?: 'all' | 'positives' | undefined;
}

/** The mean score of a batch. For an index whose cost is what queries and documents have in common. */
export class JointFlopsRegularizer implements Regularizer {
  readonly name = 'joint FLOPS';
  readonly looksAt = 'both';
  readonly #pairs: 'all' | 'positives';

  constructor(options: JointFlopsOptions = {}) {
    this.#pairs = options.pairs ?? 'all';
  }

  build(_graph: Graph, { queries, documents }: BatchWeights): Value {
    if (this.#pairs === 'all') {
      return sumAll(Mul(ReduceMean(queries, [1], false), ReduceMean(documents, [1], false)));
    }
    const own = Mul(MatMul(queries, documents, { transA: true }), diagonal(queries, documents));
    return ReduceMean(ReduceSum(own, [1], false), [0], false);
  }
}

/** 1 where the row is the column, else 0, [Q, D]. */
function diagonal(queries: Value, documents: Value): Value {
  const [rows, columns] = [queries, documents].map((side) => {
    const second = side.graph.constant('int64', [], BigInt64Array.of(1n));
    return Cast(Range(Gather(Shape(side), second), side.dims[1]!), 'float32');
  }) as [Value, Value];
  const row = Unsqueeze(rows, [1]);
  const below = Cast(Greater(row, columns), 'float32');
  const above = Cast(Greater(columns, row), 'float32');
  return Add(Neg(Add(below, above)), 1);
}
