/**
 * Inference-free queries in a graph: term weights [V, Q] from a table of token weights, differentiable with respect to it.
 *
 *     q_tj = w_t · [t occurs in query j]          or max(0, w_t), as OpenSearch trains (arXiv 2411.04403)
 *
 * A batch tells the tokens that occur as P pairs of term and query, all different: each is one number gathered from the table
 * and put at a place of its own. So the gradient of the table is a short list of rows, added up by the engine, as that of word
 * embeddings is. The table is a column, [V, 1], since rows are what the engine adds.
 */
import type { Graph, Value } from '../compute/graph/graph.ts';
import { accumulate, ConstantOfShape, Gather, GatherND, Relu, Reshape, ScatterND } from '../compute/graph/ops/index.ts';
import type { Tensor, VariableSpec } from '../compute/runtime/engine.ts';

/** Name of the table, before the prefix of the queries' side. */
export const tokenWeightsName = 'token_weights';

/** Options of {@link staticQueryWeights}. */
export interface StaticQueryWeightsOptions {
  /** V, terms of the vocabulary. */
  readonly dimensions: number;
  /** Weights below 0 count as 0. @default false */
  readonly rectified?: boolean | undefined;
}

/** The variable that holds the table: [V, 1]. */
export function tokenWeightsVariable(dimensions: number, trainable: boolean, prefix = ''): VariableSpec {
  return { name: prefix + tokenWeightsName, dims: [dimensions, 1], trainable };
}

/** Adds the term weights of queries to a graph, [V, Q]; {@link staticQueryFeeds} makes what it has to be fed. */
export function staticQueryWeights(graph: Graph, { dimensions, rectified = false }: StaticQueryWeightsOptions): Value {
  const table = graph.variable(tokenWeightsName, [dimensions, 1]);
  const terms = graph.feed('queryTerms', 'int64', ['P']);
  const places = graph.feed('queryTermPlaces', 'int64', ['P', 2]);
  const shape = graph.feed('queryWeightsShape', 'int64', [2]);
  const gathered = Reshape(Gather(table, terms), [-1], ['P']);
  const values = rectified ? Relu(gathered) : gathered;
  const weights = graph.withoutDifferentiation(() =>
    ScatterND(ConstantOfShape(shape, [dimensions, 'Q'], 0), places, values, 'none'),
  );
  graph.differentiate({
    inputs: [values],
    outputs: [weights],
    backward: ([gradient]) => [accumulate(values, values.dims, () => GatherND(gradient!, places))],
  });
  return weights;
}

/**
 * The tokens that occur in the queries of a batch.
 * @param queries token ids, without special tokens; one may be empty
 */
export function staticQueryFeeds(queries: readonly Int32Array[], dimensions: number): Record<string, Tensor> {
  const terms: bigint[] = [];
  const places: bigint[] = [];
  queries.forEach((ids, query) => {
    for (const term of new Set(ids)) {
      terms.push(BigInt(term));
      places.push(BigInt(term), BigInt(query));
    }
  });
  return {
    queryTerms: { dtype: 'int64', dims: [terms.length], data: BigInt64Array.from(terms) },
    queryTermPlaces: { dtype: 'int64', dims: [terms.length, 2], data: BigInt64Array.from(places) },
    queryWeightsShape: {
      dtype: 'int64',
      dims: [2],
      data: BigInt64Array.of(BigInt(dimensions), BigInt(queries.length)),
    },
  };
}
