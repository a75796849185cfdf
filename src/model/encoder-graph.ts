/** What a model family contributes to a graph; one file a family, listed in `splade-graph.ts`. */

import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import type { Graph, Value } from '../compute/graph/graph.ts';
import type { Dropout } from './dropout.ts';
import type { TokenLayout } from './token-layout.ts';

/** A masked language model up to the input of its decoder. */
export interface EncoderGraph<Config extends ModelConfig = ModelConfig> {
  /** Values of `model_type` that it is for. */
  readonly modelTypes: readonly Config['model_type'][];
  /** Builds the graph from token ids to the decoder's input, [T, decoder width]. */
  headInput(graph: Graph, config: Config, layout: TokenLayout, dropout: Dropout): Value;
}
