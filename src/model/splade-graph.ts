/** The whole SPLADE encoder as a graph: token ids → term weights, for inference and as the front of a training step. */

import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { findFamily, modelShape } from '../checkpoint/families/registry.ts';
import type { Graph, Value } from '../compute/graph/graph.ts';
import { Exp, Mul, Neg } from '../compute/graph/ops/index.ts';
import { recomputeLayers } from '../compute/graph/rematerialize.ts';
import type { VariableSpec } from '../compute/runtime/engine.ts';
import { albert } from './albert.ts';
import { bert } from './bert.ts';
import { distilBert } from './distilbert.ts';
import { Dropout } from './dropout.ts';
import type { EncoderGraph } from './encoder-graph.ts';
import { gte } from './gte.ts';
import { modernBert } from './modernbert.ts';
import { roberta } from './roberta.ts';
import { pooledLogits, type SpladeActivation, spladeActivation } from './splade-pooling.ts';
import { declareTokenLayout, type TokenLayout } from './token-layout.ts';
import { tokenMajorLogits } from './token-major-pooling.ts';

const encoderGraphs: readonly EncoderGraph[] = [bert, distilBert, roberta, albert, modernBert, gte];

/**
 * Blocks of tokens in which training graphs do the feed-forward layers. A matrix product of 4,096 rows reads more than the
 * caches of a core hold; with 1,024 rows the same work takes a sixth less (`docs/performance.md`).
 */
const trainingBlocks = 4;

/** Options of {@link buildSpladeGraph}. */
export interface SpladeGraphOptions {
  readonly activation: SpladeActivation;
  /** Length buckets of a batch. */
  readonly buckets: number;
  /** Whether a backward pass will be added. */
  readonly trained: boolean;
  /** Dropout rate after embeddings and sublayers. */
  readonly dropoutRate: number;
  /** Whether the decoder is kept as int8; then there is no backward pass. @default false */
  readonly int8Decoder?: boolean | undefined;
  /** Whether a backward pass computes the layers once more instead of keeping what they need. @default false */
  readonly recomputeLayers?: boolean | undefined;
  /** Whether the logits are z·exp(−g), g a variable: see {@link headScaleName}. @default false */
  readonly learnedScale?: boolean | undefined;
  /** Whether g has no gradient, so that it divides by the same number at every step. @default false */
  readonly constantScale?: boolean | undefined;
}

/**
 * The variable g, [1], of a head with a learned scale: logits exp(−g)·(Wh + b), so that exp(g) takes the place of the
 * factor k of a corrected head. The logarithm keeps the factor above 0 and makes a step of an optimizer a relative one, as in
 * CLIP's temperature (arXiv 2103.00020).
 */
export const headScaleName = 'lexray.head_scale';

/** What {@link buildSpladeGraph} adds to a graph. */
export interface SpladeGraph {
  /** The decoder's input, [T, decoder width]: packed tokens, in bucket order. */
  readonly hidden: Value;
  /** Pooled logits, [V, S]; sequences in bucket order. */
  readonly logits: Value;
  /** Term weights, [V, S]. */
  readonly weights: Value;
  readonly dropout: Dropout;
}

/** The encoder up to its head, and the head's parts, in a graph. */
export interface HeadGraph {
  readonly layout: TokenLayout;
  /** Decoder input, [T, D]. */
  readonly hidden: Value;
  /** Decoder, [V, D]. */
  readonly weight: Value;
  /** Output bias, [V], if there is one. */
  readonly bias: Value | undefined;
  readonly dropout: Dropout;
}

/** Adds the encoder up to its head to a graph. */
export function buildHeadGraph(
  graph: Graph,
  config: ModelConfig,
  options: Pick<SpladeGraphOptions, 'buckets' | 'dropoutRate' | 'recomputeLayers'> &
    Partial<Pick<SpladeGraphOptions, 'trained'>>,
): HeadGraph {
  const encoder = encoderGraphs.find((candidate) => candidate.modelTypes.includes(config.model_type))!;
  const layout = declareTokenLayout(graph, options.buckets, options.trained ? trainingBlocks : 1);
  const dropout = new Dropout(graph, options.dropoutRate);
  const hidden = encoder.headInput(graph, config, layout, dropout);
  if (options.recomputeLayers) recomputeLayers(graph);
  return { layout, hidden, dropout, ...declareDecoder(graph, config) };
}

/** Declares the variables of the decoder: its matrix, which may be the word embeddings, and its bias. */
export function declareDecoder(graph: Graph, config: ModelConfig): Pick<HeadGraph, 'weight' | 'bias'> {
  const names = findFamily(config.model_type, 'config.json').tied;
  const { vocabularySize, decoderWidth, outputBias } = modelShape(config);
  const decoder = config.tie_word_embeddings ? names.embeddings : names.decoder;
  return {
    weight: graph.variable(decoder, [vocabularySize, decoderWidth]),
    bias: outputBias ? graph.variable(names.bias, [vocabularySize]) : undefined,
  };
}

/** Adds the encoder to a graph. */
export function buildSpladeGraph(graph: Graph, config: ModelConfig, options: SpladeGraphOptions): SpladeGraph {
  const { layout, hidden, weight, bias, dropout } = buildHeadGraph(graph, config, options);
  const pooled = options.int8Decoder
    ? tokenMajorLogits(hidden, weight, bias, layout)
    : pooledLogits(hidden, weight, bias, layout, options.trained);
  // The scale is above 0: it may come after the maximum.
  const logits = options.learnedScale ? Mul(pooled, headScale(graph, options.constantScale ?? false)) : pooled;
  return { hidden, logits, weights: spladeActivation(logits, options.activation), dropout };
}

/** exp(−g). */
function headScale(graph: Graph, isConstant: boolean): Value {
  const scale = (): Value => Exp(Neg(graph.variable(headScaleName, [1])));
  return isConstant ? graph.withoutDifferentiation(scale) : scale();
}

/**
 * The variables of a model, in the order of its family.
 * @param prefix before each name @default none
 */
export function modelVariables(config: ModelConfig, trainable: boolean, prefix = ''): VariableSpec[] {
  const specs = findFamily(config.model_type, 'config.json').weights(config);
  return specs.map(({ name, shape }) => ({ name: prefix + name, dims: [...shape], trainable }));
}
