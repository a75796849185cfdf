/**
 * The graphs of an encoding pass. One takes tokens to bias-free pooled logits, with the head's inputs and their second
 * moments beside them; two small ones work on the decoder alone: logits of single tokens, and deviations of logits.
 */
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { Graph, type Value } from '../compute/graph/graph.ts';
import { Concat, MatMul, Mul, ReduceSum, Relu, Sqrt, sliceRows } from '../compute/graph/ops/index.ts';
import { buildHeadGraph, declareDecoder } from '../model/splade-graph.ts';
import { pooledLogits } from '../model/splade-pooling.ts';

/** Decoder rows that are worked on at a time. */
const tile = 4096;

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

/** `covariance` Σ [D, D] → `deviations` √(w_vᵀΣw_v), [V]. */
export function deviationGraph(config: ModelConfig): Graph {
  const graph = new Graph();
  const { weight } = declareDecoder(graph, config);
  const [terms, width] = weight.dims as [number, number];
  const covariance = graph.feed('covariance', 'float32', [width, width]);
  const parts: Value[] = [];
  for (let start = 0; start < terms; start += tile) {
    const rows = terms <= tile ? weight : sliceRows(weight, start, Math.min(terms, start + tile));
    // Rounding can make the variance of a row of zeros negative.
    parts.push(Sqrt(Relu(ReduceSum(Mul(MatMul(rows, covariance), rows), [1], false))));
  }
  graph.output('deviations', Concat(parts, 0, terms));
  return graph;
}
