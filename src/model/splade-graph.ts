/** The whole SPLADE encoder as a graph: token ids → term weights, for inference and as the front of a training step. */

import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { findFamily } from '../checkpoint/families/registry.ts';
import type { Graph, Value } from '../compute/graph/graph.ts';
import type { VariableSpec } from '../compute/runtime/engine.ts';
import { bert } from './bert.ts';
import { Dropout } from './dropout.ts';
import type { EncoderGraph } from './encoder-graph.ts';
import { pooledLogits, type SpladeActivation, spladeActivation } from './splade-pooling.ts';
import { declareTokenLayout } from './token-layout.ts';

const encoderGraphs: readonly EncoderGraph[] = [bert];

/** Options of {@link buildSpladeGraph}. */
export interface SpladeGraphOptions {
  readonly activation: SpladeActivation;
  /** Length buckets of a batch. */
  readonly buckets: number;
  /** Whether a backward pass will be added. */
  readonly trained: boolean;
  /** Dropout rate after embeddings and sublayers. */
  readonly dropoutRate: number;
}

/** What {@link buildSpladeGraph} adds to a graph. */
export interface SpladeGraph {
  /** Pooled logits, [V, S]; sequences in bucket order. */
  readonly logits: Value;
  /** Term weights, [V, S]. */
  readonly weights: Value;
  readonly dropout: Dropout;
}

/** Adds the encoder to a graph. */
export function buildSpladeGraph(graph: Graph, config: ModelConfig, options: SpladeGraphOptions): SpladeGraph {
  const encoder = encoderGraphs.find((candidate) => candidate.modelType === config.model_type)!;
  const layout = declareTokenLayout(graph, options.buckets);
  const dropout = new Dropout(graph, options.dropoutRate);
  const hidden = encoder.headInput(graph, config, layout, dropout);
  const { embeddings, decoder, bias } = findFamily(config.model_type, 'config.json').tied;
  const { vocab_size: vocabulary, hidden_size: width } = config;
  const weight = graph.variable(config.tie_word_embeddings ? embeddings : decoder, [vocabulary, width]);
  const logits = pooledLogits(hidden, weight, graph.variable(bias, [vocabulary]), layout, options.trained);
  return { logits, weights: spladeActivation(logits, options.activation), dropout };
}

/** The variables of a model, in the order of its family. */
export function modelVariables(config: ModelConfig, trainable: boolean): VariableSpec[] {
  const specs = findFamily(config.model_type, 'config.json').weights(config);
  return specs.map(({ name, shape }) => ({ name, dims: [...shape], trainable }));
}
