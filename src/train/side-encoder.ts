/**
 * How the texts of a batch become term weights in a training graph. Queries and documents may share an encoder, or queries
 * may have one of their own, whose variables have a prefix.
 */
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { modelShape } from '../checkpoint/families/registry.ts';
import type { Graph, Value } from '../compute/graph/graph.ts';
import type { DropoutFeed, Tensor, VariableSpec } from '../compute/runtime/engine.ts';
import { buildSpladeGraph, headScaleName, modelVariables } from '../model/splade-graph.ts';
import type { SpladeActivation } from '../model/splade-pooling.ts';
import { packTokens } from '../model/token-layout.ts';

/** Where dropout gets its masks from. */
export interface StepSeed {
  readonly seed: number;
  /** Number of the step, from 1. */
  readonly step: number;
}

/** Texts laid out for {@link SideGraph}. */
export interface PreparedTexts {
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** Column of each text in the weights. */
  readonly columns: Int32Array;
  /** What the graph must have been built for. */
  readonly buckets: number;
  /** Tokens, padding not counted. */
  readonly tokenCount: number;
}

/** An encoder in a graph. */
export interface SideGraph {
  /** Term weights, [V, S]; `PreparedTexts.columns` says which text is where. */
  readonly weights: Value;
  /** What dropout needs of a run, beside the feeds of the texts. */
  dropoutFeeds(texts: PreparedTexts, seed: StepSeed): Readonly<Record<string, DropoutFeed>>;
}

/** Encodes the texts of one side of a batch, or of both. */
export interface SideEncoder {
  /**
   * Adds the encoder to a graph.
   * @param trained whether it will be differentiated
   */
  build(graph: Graph, buckets: number, trained: boolean): SideGraph;
  prepare(texts: readonly Int32Array[]): PreparedTexts;
}

/** Options of {@link TransformerSide}. */
export interface TransformerSideOptions {
  readonly activation: SpladeActivation;
  /** Length buckets of a batch. */
  readonly buckets: number;
  readonly dropoutRate: number;
  /** Whether the backward pass computes the layers once more: less memory, more time. @default false */
  readonly recomputeLayers?: boolean | undefined;
  /** Before the names of the variables. @default none */
  readonly prefix?: string | undefined;
  /** Whether the logits are divided by a learned factor, see `splade-graph.ts`. @default false */
  readonly learnedScale?: boolean | undefined;
  /** Whether that factor stays as it is. @default false */
  readonly constantScale?: boolean | undefined;
}

/** A masked language model with SPLADE pooling. */
export class TransformerSide implements SideEncoder {
  readonly #config: ModelConfig;
  readonly #options: TransformerSideOptions;

  constructor(config: ModelConfig, options: TransformerSideOptions) {
    this.#config = config;
    this.#options = options;
  }

  /** The variables of such an encoder. */
  static variables(
    config: ModelConfig,
    {
      prefix = '',
      learnedScale,
      constantScale = false,
    }: Pick<TransformerSideOptions, 'prefix' | 'learnedScale' | 'constantScale'>,
  ): VariableSpec[] {
    const scale = learnedScale ? [{ name: prefix + headScaleName, dims: [1], trainable: !constantScale }] : [];
    return [...modelVariables(config, true, prefix), ...scale];
  }

  build(graph: Graph, buckets: number, trained: boolean): SideGraph {
    const { activation, dropoutRate, learnedScale, constantScale, prefix, recomputeLayers } = this.#options;
    const options = { activation, buckets, dropoutRate, learnedScale, constantScale, trained, recomputeLayers };
    const { weights, dropout } = graph.within(prefix ?? '', () => buildSpladeGraph(graph, this.#config, options));
    return {
      weights,
      dropoutFeeds: ({ tokenCount }, { seed, step }) => dropout.feeds({ T: tokenCount }, seed, step),
    };
  }

  prepare(texts: readonly Int32Array[]): PreparedTexts {
    const packed = packTokens(texts, { buckets: this.#options.buckets, ...modelShape(this.#config) });
    const { feeds, columns, bucketCount, tokenCount } = packed;
    return { feeds, columns, buckets: bucketCount, tokenCount };
  }
}
