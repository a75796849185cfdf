/** The interface of ranking losses over the scores of a batch. One file a loss. */
import type { Graph, Value } from '../../compute/graph/graph.ts';
import type { Tensor } from '../../compute/runtime/engine.ts';

/** A teacher's score of one document of the batch for one query. */
export interface TeacherScore {
  /** Row of the query. */
  readonly query: number;
  /** Column of the document. */
  readonly document: number;
  readonly score: number;
}

/** Which documents of a batch are relevant to which of its queries. */
export interface BatchRelevance {
  readonly queryCount: number;
  /** One positive for each query in the queries' order, then the hard negatives. */
  readonly documentCount: number;
  /** Pairs (query, document) known to be relevant besides the positive at the query's own place. */
  readonly otherPositives: readonly (readonly [query: number, document: number])[];
  /** Pairs (query, document) where the document was drawn as a hard negative of that query. */
  readonly ownNegatives: readonly (readonly [query: number, document: number])[];
  /** A teacher's scores of positives and own negatives, where the data have them. */
  readonly teacherScores: readonly TeacherScore[];
}

/** A ranking loss. */
export interface Loss {
  readonly name: string;
  /** Whether it needs a teacher's scores of each query's positive and of at least one negative. */
  readonly needsTeacher: boolean;
  /** Whether it needs hard negatives of each query. */
  readonly needsNegatives: boolean;
  /**
   * Builds the loss: a scalar, the mean over queries.
   * @param scores dot products of queries and documents, [Q, D]
   */
  build(graph: Graph, scores: Value): Value;
  /**
   * What the loss needs to be told of each batch. Feeds of one name have one content, whatever loss asks for them.
   * @throws LexrayError BAD_INPUT when the batch cannot teach what the loss learns from
   */
  feeds(relevance: BatchRelevance): Readonly<Record<string, Tensor>>;
}

/** A ranking loss and its share of a sum of several. */
export interface WeightedLoss {
  readonly loss: Loss;
  readonly weight: number;
}
