/**
 * The graphs of an encoding pass. One takes tokens to bias-free pooled logits, with the head's inputs and their second
 * moments beside them; two small ones work on the decoder alone: logits of single tokens, and deviations of logits.
 */
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { Graph } from '../compute/graph/graph.ts';
import { Gather, MatMul, Mul, ReduceSum, Relu, Sqrt } from '../compute/graph/ops/index.ts';
import { buildHeadGraph, declareDecoder } from '../model/splade-graph.ts';
import { pooledLogits } from '../model/splade-pooling.ts';

/**
 * Tokens → `pooled` u [V, S] (sequences in bucket order), `hidden` h [T, D], `moments` Σ hhᵀ [D, D].
 * @param buckets length buckets of a batch
 */
export function pooledGraph(config: ModelConfig, buckets: number): Graph {
  const graph = new Graph();
  const { hidden, weight, layout } = buildHeadGraph(graph, config, { buckets, dropoutRate: 0 });
  graph.output('pooled', pooledLogits(hidden, weight, undefined, layout, false));
  graph.output('hidden', hidden);
  graph.output('moments', MatMul(hidden, hidden, { transA: true }));
  return graph;
}

/** `rows` h [R, D] → `logits` w·h without bias, [V, R]. */
export function tokenLogitsGraph(config: ModelConfig): Graph {
  const graph = new Graph();
  const { weight } = declareDecoder(graph, config);
  const rows = graph.feed('rows', 'float32', ['R', weight.dims[1]!]);
  graph.output('logits', MatMul(weight, rows, { transB: true }));
  return graph;
}

/** `terms` [R] and `covariance` Σ [D, D] → `deviations` √(w_vᵀΣw_v) of these terms, [R]. */
export function deviationGraph(config: ModelConfig): Graph {
  const graph = new Graph();
  const { weight } = declareDecoder(graph, config);
  const width = weight.dims[1]!;
  const rows = Gather(weight, graph.feed('terms', 'int64', ['R']));
  const covariance = graph.feed('covariance', 'float32', [width, width]);
  // Rounding can make the variance of a row of zeros negative.
  graph.output('deviations', Sqrt(Relu(ReduceSum(Mul(MatMul(rows, covariance), rows), [1], false))));
  return graph;
}
