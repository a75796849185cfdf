/**
 * One training step as one graph: encoder, pooled head, ranking loss, regularizers, and all gradients.
 * Queries and documents pass through the same encoder in the same buckets; their columns are picked afterwards.
 */
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { addGradients } from '../compute/graph/autodiff.ts';
import { Graph, type Value } from '../compute/graph/graph.ts';
import { Add, Cast, Gather, Greater, MatMul, Mul, ReduceSum } from '../compute/graph/ops/index.ts';
import type { Dropout } from '../model/dropout.ts';
import { buildSpladeGraph } from '../model/splade-graph.ts';
import type { SpladeActivation } from '../model/splade-pooling.ts';
import type { Loss } from './losses/loss.ts';
import type { Regularizer } from './regularizers/regularizer.ts';

/** Options of {@link buildTrainingGraph}. */
export interface TrainingGraphOptions {
  readonly activation: SpladeActivation;
  readonly buckets: number;
  readonly dropoutRate: number;
  readonly loss: Loss;
  readonly queryRegularizer: Regularizer;
  readonly documentRegularizer: Regularizer;
}

/** A training step. */
export interface TrainingGraph {
  readonly graph: Graph;
  readonly dropout: Dropout;
}

/** Outputs of a training graph. */
export const trainingOutputs = {
  /** Ranking loss plus weighted regularizers. */
  loss: 'loss',
  baseLoss: 'base_loss',
  /** λ_q times the regularizer of the queries, as sentence-transformers logs it. */
  queryRegularizer: 'query_regularizer_loss',
  documentRegularizer: 'document_regularizer_loss',
  /** Active dimensions of each query, float32 [Q]. */
  queryActiveDims: 'query_active_dims',
  documentActiveDims: 'document_active_dims',
} as const;

/** Builds the graph of a training step. */
export function buildTrainingGraph(config: ModelConfig, options: TrainingGraphOptions): TrainingGraph {
  const graph = new Graph();
  const { weights, dropout } = buildSpladeGraph(graph, config, {
    activation: options.activation,
    buckets: options.buckets,
    trained: true,
    dropoutRate: options.dropoutRate,
  });
  const queries = Gather(weights, graph.feed('queryColumns', 'int64', ['Q']), 1, { unique: true });
  const documents = Gather(weights, graph.feed('documentColumns', 'int64', ['D']), 1, { unique: true });
  const baseLoss = options.loss.build(graph, MatMul(queries, documents, { transA: true }));
  const queryPenalty = Mul(
    options.queryRegularizer.build(graph, { queries, documents }, 'queries'),
    graph.feed('queryRegularizerWeight', 'float32', []),
  );
  const documentPenalty = Mul(
    options.documentRegularizer.build(graph, { queries, documents }, 'documents'),
    graph.feed('documentRegularizerWeight', 'float32', []),
  );
  const loss = Add(Add(baseLoss, queryPenalty), documentPenalty);
  addGradients(graph, loss);

  graph.output(trainingOutputs.loss, loss);
  graph.output(trainingOutputs.baseLoss, baseLoss);
  graph.output(trainingOutputs.queryRegularizer, queryPenalty);
  graph.output(trainingOutputs.documentRegularizer, documentPenalty);
  graph.output(trainingOutputs.queryActiveDims, activeDims(queries));
  graph.output(trainingOutputs.documentActiveDims, activeDims(documents));
  return { graph, dropout };
}

function activeDims(weights: Value): Value {
  return ReduceSum(Cast(Greater(weights, 0), 'float32'), [0], false);
}
