/** Queries without an encoder in a training graph: a trained table of token weights, see `model/static-query-weights.ts`. */
import type { Graph } from '../compute/graph/graph.ts';
import { type StaticQueryWeightsOptions, staticQueryFeeds, staticQueryWeights } from '../model/static-query-weights.ts';
import type { PreparedTexts, SideEncoder, SideGraph } from './side-encoder.ts';

/** Options of {@link StaticSide}. */
export interface StaticSideOptions extends StaticQueryWeightsOptions {
  /** Before the name of the table. @default none */
  readonly prefix?: string | undefined;
}

/** A table of token weights. */
export class StaticSide implements SideEncoder {
  readonly #options: StaticSideOptions;

  constructor(options: StaticSideOptions) {
    this.#options = options;
  }

  build(graph: Graph): SideGraph {
    const weights = graph.within(this.#options.prefix ?? '', () => staticQueryWeights(graph, this.#options));
    return { weights, dropoutFeeds: () => ({}) };
  }

  /** @param texts token ids, without special tokens */
  prepare(texts: readonly Int32Array[]): PreparedTexts {
    return {
      feeds: staticQueryFeeds(texts, this.#options.dimensions),
      columns: Int32Array.from(texts.keys()),
      buckets: 1,
      tokenCount: texts.reduce((sum, { length }) => sum + length, 0),
    };
  }
}
