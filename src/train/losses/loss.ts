/** The interface of ranking losses over a batch of term weights. One file a loss. */
import type { Graph, Value } from '../../compute/graph/graph.ts';
import type { Tensor } from '../../compute/runtime/engine.ts';

/** Term weights of a batch, vocabulary first, as the head makes them. */
export interface BatchWeights {
  /** [V, Q] */
  readonly queries: Value;
  /** [V, D]: one positive for each query in the queries' order, then the hard negatives. */
  readonly documents: Value;
}

/** Which documents of a batch are relevant to which of its queries. */
export interface BatchRelevance {
  readonly queryCount: number;
  readonly documentCount: number;
  /** Pairs (query, document) known to be relevant besides the positive at the query's own place. */
  readonly otherPositives: readonly (readonly [query: number, document: number])[];
}

/** A ranking loss. */
export interface Loss {
  readonly name: string;
  /** Builds the loss: a scalar, the mean over queries. */
  build(graph: Graph, weights: BatchWeights): Value;
  /** What the loss needs to be told of each batch. */
  feeds(relevance: BatchRelevance): Readonly<Record<string, Tensor>>;
}
