/**
 * The two graphs of an exported model, over {@link declarePaddedInputs}:
 *
 *     logits    z = W·h + b of every place, float32 [batch_size, sequence_length, V]: what transformers gives
 *     splade    term weights max over tokens of log(1 + ReLU(z)), float32 [batch_size, V]; B × L × V never exists
 *
 * Both come from the same functions as the graphs of training and encoding.
 */
import type { ModelConfig } from '../../checkpoint/families/model-family.ts';
import { modelShape } from '../../checkpoint/families/registry.ts';
import { Graph, type Value } from '../../compute/graph/graph.ts';
import { Concat, Linear, Mul, Reshape, Transpose } from '../../compute/graph/ops/index.ts';
import { buildHeadGraph, declareDecoder } from '../../model/splade-graph.ts';
import { pooledLogits, type SpladeActivation, spladeActivation } from '../../model/splade-pooling.ts';
import { declarePaddedInputs, type PaddedInputs, tokenTypeTable } from './padded-inputs.ts';
import { copyPortably } from './portable-nodes.ts';

/** Logits of every place, output `logits`. */
export function logitsGraph(config: ModelConfig): Graph {
  const graph = new Graph();
  return graph.withoutDifferentiation(() => {
    const { hidden, inputs } = encoder(graph, config);
    const { weight, bias } = declareDecoder(graph, config);
    const { vocabularySize } = modelShape(config);
    const shape = Concat([inputs.shape, graph.int64([vocabularySize])], 0, 3);
    const dims = ['batch_size', 'sequence_length', vocabularySize];
    graph.output('logits', Reshape(Linear(hidden, weight, bias), shape, dims));
    return graph;
  });
}

/**
 * Term weights, output `weights`. A sequence without tokens has none.
 * @param dropped terms whose weights are always 0
 */
export function spladeGraph(config: ModelConfig, activation: SpladeActivation, dropped: ReadonlySet<number>): Graph {
  const graph = new Graph();
  return graph.withoutDifferentiation(() => {
    const { hidden, inputs } = encoder(graph, config);
    const { layout, poolingRows, hasTokens } = inputs;
    const { weight, bias } = declareDecoder(graph, config);
    const { vocabularySize } = modelShape(config);
    const pooling = { ...layout, buckets: layout.buckets.map((bucket) => ({ ...bucket, rows: poolingRows })) };
    const logits = pooledLogits(hidden, weight, bias, pooling, false);
    const byText = Transpose(spladeActivation(logits, activation), [1, 0]);
    const named = Reshape(byText, graph.int64([-1, vocabularySize]), ['batch_size', vocabularySize]);
    const kept = Float32Array.from({ length: vocabularySize }, (_, term) => (dropped.has(term) ? 0 : 1));
    const withoutDropped =
      dropped.size === 0 ? named : Mul(named, graph.constant('float32', [1, vocabularySize], kept));
    graph.output('weights', Mul(withoutDropped, hasTokens));
    return graph;
  });
}

/** The encoder up to its head: [places, decoder width]. */
function encoder(graph: Graph, config: ModelConfig): { hidden: Value; inputs: PaddedInputs } {
  const packed = new Graph();
  const { hidden } = buildHeadGraph(packed, config, { buckets: 1, dropoutRate: 0 });
  const inputs = declarePaddedInputs(graph, config);
  const { layout, types } = inputs;
  const [bucket] = layout.buckets;
  const table = tokenTypeTable(config);
  const copied = copyPortably(graph, hidden, {
    feeds: {
      ids: layout.ids,
      positions: layout.positions,
      places: layout.places,
      rows0: bucket!.rows,
      attentionShape0: bucket!.attentionShape,
      keyMask0: bucket!.keyMask,
    },
    identity: layout.places,
    rows: table === undefined ? {} : { [table]: types! },
  });
  return { hidden: copied, inputs };
}
