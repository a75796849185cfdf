/**
 * DF-FLOPS (Porco et al., arXiv 2505.15070): FLOPS in which a term counts by how many documents have it, so that long
 * postings lists become short and rare terms are left alone,
 *
 *     Σ_v ( a(DF_v/N) · mean_b w_bv )²,   a(x) = 1 / (1 + (x^(log_α 2) − 1)^β)
 *
 * a rises from a(0) = 0 over a(α) = ½ to a(1) = 1, the steeper the greater β. The paper counts documents with the model as it
 * is now, every 100 steps, on its validation texts. Here they are counted in the batches of the last 100 steps, which costs
 * nothing; until the first 100 are over every a is 1, which is plain FLOPS. (Formula and constants after digests of the paper,
 * which do not agree on whether a stands inside the square; it does here.)
 */
import type { Graph, Value } from '../../compute/graph/graph.ts';
import { Mul, ReduceMean, sumAll } from '../../compute/graph/ops/index.ts';
import type { Tensor } from '../../compute/runtime/engine.ts';
import { badInput, LexrayError } from '../../util/errors.ts';
import {
  type BatchWeights,
  type RegularizedSide,
  type Regularizer,
  type TermCounts,
  weightsOf,
} from './regularizer.ts';

/** Options of {@link DfFlopsRegularizer}. */
export interface DfFlopsOptions {
  /** α: share of the documents at which a term counts half. @default 0.1 */
  readonly alpha?: number | undefined;
  /** β: steepness around α. @default 10 */
  readonly beta?: number | undefined;
  /** Steps over which documents are counted before the shares are renewed. @default 100 */
  readonly refreshEvery?: number | undefined;
}

/** FLOPS weighted by document frequency. For documents, where the index shall answer fast. Its λ is larger than that of FLOPS. */
export class DfFlopsRegularizer implements Regularizer {
  readonly name = 'DF-FLOPS';
  readonly looksAt = 'one side';
  readonly #alpha: number;
  readonly #beta: number;
  readonly #refreshEvery: number;
  #window: CountWindow | undefined;
  /** a of each term, until the shares are renewed. */
  #weights: Float32Array | undefined;

  constructor(options: DfFlopsOptions = {}) {
    this.#alpha = options.alpha ?? 0.1;
    this.#beta = options.beta ?? 10;
    this.#refreshEvery = options.refreshEvery ?? 100;
  }

  build(graph: Graph, weights: BatchWeights, side: RegularizedSide): Value {
    const vectors = weightsOf(weights, side);
    const [terms] = vectors.dims;
    if (typeof terms !== 'number') throw new LexrayError('FAILED', `DF-FLOPS: the number of terms must be known`);
    this.#of(terms);
    const mean = ReduceMean(vectors, [1], false);
    const weighted = Mul(mean, graph.feed(feedName(side), 'float32', [terms]));
    return sumAll(Mul(weighted, weighted));
  }

  feeds(side: RegularizedSide): Record<string, Tensor> {
    if (this.#window === undefined) throw new LexrayError('FAILED', 'DF-FLOPS: asked for feeds before it was built');
    const { shares } = this.#window;
    this.#weights ??= shares.map((share) => activation(share, this.#alpha, this.#beta));
    const data = this.#weights;
    return { [feedName(side)]: { dtype: 'float32', dims: [data.length], data } };
  }

  observe({ counts, vectors }: TermCounts): void {
    const window = this.#of(counts.length);
    for (let v = 0; v < counts.length; v++) window.counts[v]! += counts[v]!;
    window.vectors += vectors;
    if (++window.steps < this.#refreshEvery) return;
    window.shares.set(window.counts.map((count) => count / window.vectors));
    window.counts.fill(0);
    window.vectors = 0;
    window.steps = 0;
    this.#weights = undefined;
  }

  /** Steps and vectors counted since the shares were renewed, the counts, and the shares: 2 + 2V numbers. */
  get state(): Float32Array | undefined {
    if (this.#window === undefined) return undefined;
    const { steps, vectors, counts, shares } = this.#window;
    const state = new Float32Array(2 + 2 * counts.length);
    state.set([steps, vectors]);
    state.set(counts, 2);
    state.set(shares, 2 + counts.length);
    return state;
  }

  /** @throws LexrayError BAD_INPUT when it is not the state of DF-FLOPS over this vocabulary */
  restore(state: Float32Array): void {
    const terms = (state.length - 2) / 2;
    if (!Number.isInteger(terms) || terms < 1) {
      throw badInput(`the state of DF-FLOPS has 2 numbers and 2 for each term, got ${state.length}`);
    }
    Object.assign(this.#of(terms), {
      steps: state[0],
      vectors: state[1],
      counts: state.slice(2, 2 + terms),
      shares: state.slice(2 + terms),
    });
    this.#weights = undefined;
  }

  #of(terms: number): CountWindow {
    this.#window ??= {
      steps: 0,
      vectors: 0,
      counts: new Float32Array(terms),
      shares: new Float32Array(terms).fill(1),
    };
    const known = this.#window.counts.length;
    if (known !== terms) throw badInput(`DF-FLOPS has counted ${known} terms, and now meets ${terms}`);
    return this.#window;
  }
}

/** Numbers are kept so that float32 holds them exactly: a resumed run goes on with the same ones. */
interface CountWindow {
  steps: number;
  vectors: number;
  counts: Float32Array;
  /** Share of the vectors that had each term, when they were last renewed. */
  shares: Float32Array;
}

function activation(share: number, alpha: number, beta: number): number {
  return 1 / (1 + (share ** (Math.log(2) / Math.log(alpha)) - 1) ** beta);
}

function feedName(side: RegularizedSide): string {
  return `documentFrequencyWeights of ${side}`;
}
