/**
 * Dropout in a graph: a multiplication with a mask that the engine makes from a seed at every run
 * (`compute/runtime/dropout-mask.ts`). Without a rate it builds nothing.
 */
import type { Dimensions, Graph, Value } from '../compute/graph/graph.ts';
import { Mul } from '../compute/graph/ops/index.ts';
import { dropoutSeed } from '../compute/runtime/dropout-mask.ts';
import type { DropoutFeed } from '../compute/runtime/engine.ts';

/** The dropout sites of one graph. */
export class Dropout {
  readonly #graph: Graph;
  readonly #rate: number;
  readonly #sites: { readonly name: string; readonly dims: Dimensions }[] = [];

  /** @param rate probability of dropping an element, 0 ≤ rate < 1 */
  constructor(graph: Graph, rate: number) {
    this.#graph = graph;
    this.#rate = rate;
  }

  /** x with elements dropped and the others scaled up. */
  apply(x: Value): Value {
    if (this.#rate === 0) return x;
    const name = `dropout${this.#sites.length}`;
    this.#sites.push({ name, dims: x.dims });
    return Mul(x, this.#graph.feed(name, 'float32', x.dims));
  }

  /**
   * The masks of one run.
   * @param sizes sizes of the symbolic dimensions
   */
  feeds(sizes: Readonly<Record<string, number>>, seed: number, step: number): Record<string, DropoutFeed> {
    const entries = this.#sites.map(({ name, dims }, site) => {
      const concrete = dims.map((dim) => (typeof dim === 'number' ? dim : sizes[dim]!));
      return [name, { dropout: { rate: this.#rate, seed: dropoutSeed(seed, step, site) }, dims: concrete }] as const;
    });
    return Object.fromEntries(entries);
  }
}
