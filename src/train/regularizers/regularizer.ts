/** The interface of sparsity regularizers over the term weights of a batch. One file a regularizer. */
import type { Graph, Value } from '../../compute/graph/graph.ts';
import type { Tensor } from '../../compute/runtime/engine.ts';

/** Term weights of a batch, vocabulary first, as the head makes them, after top-k masking. */
export interface BatchWeights {
  /** [V, Q] */
  readonly queries: Value;
  /** [V, D]: one positive for each query in the queries' order, then the hard negatives. */
  readonly documents: Value;
}

/** What a regularizer looks at: one side of the batch, or both. */
export type RegularizedSide = 'queries' | 'documents' | 'both';

/** In how many vectors of one side of a batch each term was active. */
export interface TermCounts {
  /** [V] */
  readonly counts: Float32Array;
  /** Vectors of that side. */
  readonly vectors: number;
}

/** A sparsity regularizer. One instance serves one side. */
export interface Regularizer {
  readonly name: string;
  /** Whether it looks at one side, given by its user, or at both. */
  readonly looksAt: 'one side' | 'both';
  /** Builds the regularizer: a scalar, before its weight λ. */
  build(graph: Graph, weights: BatchWeights, side: RegularizedSide): Value;
  /** What it needs to be told at each step; names carry the side. */
  feeds?(side: RegularizedSide): Readonly<Record<string, Tensor>>;
  /** Takes in what a step found on its side. */
  observe?(found: TermCounts): void;
  /** What it has learned from the steps, for checkpoints, as numbers [n]; {@link restore} takes it back. */
  readonly state?: Float32Array | undefined;
  restore?(state: Float32Array): void;
}

/** The weights of one side. */
export function weightsOf(weights: BatchWeights, side: RegularizedSide): Value {
  if (side === 'both') throw new Error('a regularizer of one side was asked to look at both');
  return weights[side];
}
