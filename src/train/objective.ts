/**
 * What a training step minimises, as a function of the term weights of a batch: ranking losses over the scores, and
 * regularizers over the weights,
 *
 *     L = Σ_i c_i·L_i(QᵀD) + Σ_j λ_j·R_j(Q, D)
 *
 * and what a step reports of its batch. All of it is a graph, so that it can stand behind an encoder or alone.
 */
import type { Graph, Value } from '../compute/graph/graph.ts';
import { Add, Cast, Greater, MatMul, Mul, ReduceSum } from '../compute/graph/ops/index.ts';
import type { Tensor } from '../compute/runtime/engine.ts';
import { LexrayError } from '../util/errors.ts';
import type { BatchRelevance, WeightedLoss } from './losses/loss.ts';
import type { BatchWeights, RegularizedSide, Regularizer, TermCounts } from './regularizers/regularizer.ts';
import { keepTopWeights } from './top-k-mask.ts';

/** A regularizer and what it looks at. Its weight λ comes with each step, under the name of its part. */
export interface SidedRegularizer {
  /** Name of its part of the loss: `query_regularizer_loss`, as sentence-transformers logs it. */
  readonly part: string;
  readonly regularizer: Regularizer;
  readonly side: RegularizedSide;
}

/** Options of {@link Objective}. */
export interface ObjectiveOptions {
  readonly losses: readonly WeightedLoss[];
  readonly regularizers: readonly SidedRegularizer[];
  /** Heaviest terms of a query that are kept, the others become 0 (q_K). @default all */
  readonly queryTopTerms?: number | undefined;
  /** The same of a document (d_K). @default all */
  readonly documentTopTerms?: number | undefined;
}

/** What changes from step to step. */
export interface ObjectiveSettings {
  /** λ of each regularizer, by part. */
  readonly regularizerWeights: Readonly<Record<string, number>>;
  /** Share of this batch in the gradient of a step, where a step is made of several. @default 1 */
  readonly batchWeight?: number | undefined;
}

/** What an objective found in a batch. */
export interface ObjectiveResult {
  /** Ranking losses plus weighted regularizers. */
  readonly loss: number;
  /** Weighted sum of the ranking losses. */
  readonly baseLoss: number;
  /** Each ranking loss times its share, when there are several, and each regularizer times its λ, by part. */
  readonly parts: Readonly<Record<string, number>>;
  /** Active dimensions of each query of the batch. */
  readonly queryActiveDims: Float32Array;
  readonly documentActiveDims: Float32Array;
  /** Dot products of queries and documents, [Q, D], row by row. */
  readonly scores: Float32Array;
  /** In how many queries each term is active. */
  readonly queryTerms: TermCounts;
  readonly documentTerms: TermCounts;
}

const outputs = {
  loss: 'loss',
  baseLoss: 'base_loss',
  queryActiveDims: 'query_active_dims',
  documentActiveDims: 'document_active_dims',
  scores: 'scores',
  queryTermCounts: 'query_term_counts',
  documentTermCounts: 'document_term_counts',
} as const;

/** Losses and regularizers of a training run. */
export class Objective {
  readonly #options: ObjectiveOptions;
  /** Names of the ranking losses among the parts; empty when there is only one, which is the whole base loss. */
  readonly #lossParts: readonly string[];

  /** @throws LexrayError FAILED when two regularizers have the same part, under which their weights come */
  constructor(options: ObjectiveOptions) {
    this.#options = options;
    const { losses, regularizers } = options;
    this.#lossParts = losses.length > 1 ? lossParts(losses) : [];
    const parts = regularizers.map(({ part }) => part);
    const twice = parts.find((part, i) => parts.indexOf(part) !== i);
    if (twice !== undefined) throw new LexrayError('FAILED', `two regularizers have the part ${twice}`);
  }

  /** What the regularizers have learned from the steps, by part. */
  get state(): Readonly<Record<string, Float32Array>> {
    const entries = this.#options.regularizers.map(({ part, regularizer }) => [part, regularizer.state] as const);
    return Object.fromEntries(entries.filter((entry): entry is [string, Float32Array] => entry[1] !== undefined));
  }

  /** Takes a {@link state} back. */
  restore(state: Readonly<Record<string, Float32Array>>): void {
    for (const { part, regularizer } of this.#options.regularizers) {
      if (state[part] !== undefined) regularizer.restore?.(state[part]);
    }
  }

  /**
   * Adds the objective and its outputs to a graph.
   * @returns the scalar to be differentiated
   */
  build(graph: Graph, encoded: BatchWeights): Value {
    const { losses, regularizers, queryTopTerms, documentTopTerms } = this.#options;
    const queries = queryTopTerms === undefined ? encoded.queries : keepTopWeights(encoded.queries, queryTopTerms);
    const documents =
      documentTopTerms === undefined ? encoded.documents : keepTopWeights(encoded.documents, documentTopTerms);
    const scores = MatMul(queries, documents, { transA: true });

    const ranking = losses.map(({ loss, weight }) => {
      const value = loss.build(graph, scores);
      return weight === 1 ? value : Mul(value, weight);
    });
    const baseLoss = ranking.reduce((sum, value) => Add(sum, value));
    const penalties = regularizers.map(({ regularizer, side, part }) =>
      Mul(regularizer.build(graph, { queries, documents }, side), graph.feed(weightFeed(part), 'float32', [])),
    );
    const loss = penalties.reduce((sum, value) => Add(sum, value), baseLoss);

    graph.output(outputs.loss, loss);
    graph.output(outputs.baseLoss, baseLoss);
    for (const [i, part] of this.#lossParts.entries()) graph.output(part, ranking[i]!);
    for (const [i, { part }] of regularizers.entries()) graph.output(part, penalties[i]!);
    graph.withoutDifferentiation(() => {
      const active = { queries: isActive(queries), documents: isActive(documents) };
      graph.output(outputs.queryActiveDims, ReduceSum(active.queries, [0], false));
      graph.output(outputs.documentActiveDims, ReduceSum(active.documents, [0], false));
      graph.output(outputs.queryTermCounts, ReduceSum(active.queries, [1], false));
      graph.output(outputs.documentTermCounts, ReduceSum(active.documents, [1], false));
    });
    graph.output(outputs.scores, scores);
    return Mul(loss, graph.feed('batchWeight', 'float32', []));
  }

  /** What the graph needs to be told of a batch. */
  feeds(batch: BatchRelevance, settings: ObjectiveSettings): Record<string, Tensor> {
    const feeds: Record<string, Tensor> = { batchWeight: scalar(settings.batchWeight ?? 1) };
    for (const { loss } of this.#options.losses) Object.assign(feeds, loss.feeds(batch));
    for (const { part, regularizer, side } of this.#options.regularizers) {
      feeds[weightFeed(part)] = scalar(settings.regularizerWeights[part] ?? 0);
      Object.assign(feeds, regularizer.feeds?.(side));
    }
    return feeds;
  }

  /** Reads what a run of the graph found, and lets the regularizers learn from it. */
  read(results: Readonly<Record<string, Tensor>>): ObjectiveResult {
    const { regularizers } = this.#options;
    const figures = (name: string): Float32Array => results[name]!.data as Float32Array;
    const names = [...this.#lossParts, ...regularizers.map(({ part }) => part)];
    const queryActiveDims = figures(outputs.queryActiveDims);
    const documentActiveDims = figures(outputs.documentActiveDims);
    const found: ObjectiveResult = {
      loss: figures(outputs.loss)[0]!,
      baseLoss: figures(outputs.baseLoss)[0]!,
      parts: Object.fromEntries(names.map((name) => [name, figures(name)[0]!])),
      queryActiveDims,
      documentActiveDims,
      scores: figures(outputs.scores),
      queryTerms: { counts: figures(outputs.queryTermCounts), vectors: queryActiveDims.length },
      documentTerms: { counts: figures(outputs.documentTermCounts), vectors: documentActiveDims.length },
    };
    for (const { regularizer, side } of regularizers) {
      if (side !== 'both') regularizer.observe?.(side === 'queries' ? found.queryTerms : found.documentTerms);
    }
    return found;
  }
}

/** Names of the ranking losses of a sum: `InfoNCE_loss`; a second of the same name is `InfoNCE-2_loss`. */
function lossParts(losses: readonly WeightedLoss[]): string[] {
  const seen = new Map<string, number>();
  return losses.map(({ loss: { name } }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? `${name}_loss` : `${name}-${count}_loss`;
  });
}

function weightFeed(part: string): string {
  return `weight of ${part}`;
}

function isActive(weights: Value): Value {
  return Cast(Greater(weights, 0), 'float32');
}

function scalar(value: number): Tensor {
  return { dtype: 'float32', dims: [], data: Float32Array.of(value) };
}
