/**
 * One training step: from token ids to the gradients of all variables, which stay in the engine, and to the figures that
 * the step reports. Two forms: {@link SingleGraphStep} here, and `split-step.ts`.
 */
import { addGradients } from '../compute/graph/autodiff.ts';
import { Graph } from '../compute/graph/graph.ts';
import { Gather } from '../compute/graph/ops/index.ts';
import type { Engine, Program, Tensor } from '../compute/runtime/engine.ts';
import type { BatchRelevance } from './losses/loss.ts';
import type { Objective, ObjectiveResult, ObjectiveSettings } from './objective.ts';
import type { PreparedTexts, SideEncoder, SideGraph, StepSeed } from './side-encoder.ts';

/** A batch of token ids, and what is known of its pairs. */
export interface TrainingBatch extends Omit<BatchRelevance, 'queryCount' | 'documentCount'> {
  readonly queries: readonly Int32Array[];
  /** The positive of each query, in the queries' order, then the hard negatives. */
  readonly documents: readonly Int32Array[];
}

/** What changes from step to step. */
export interface StepSettings extends ObjectiveSettings, StepSeed {
  /** Whether gradients replace those in the engine or are added to them. @default 'replace' */
  readonly gradients?: 'replace' | 'add' | undefined;
}

/** What a step found, before the weights are updated. */
export interface StepResult extends ObjectiveResult {
  /** Tokens of the batch, padding not counted. */
  readonly tokenCount: number;
}

/** Forward and backward passes of a model. Gradients stay in the engine, beside their variables. */
export interface TrainingStep {
  /** Computes the loss and the gradients of a batch. */
  run(batch: TrainingBatch, settings: StepSettings): Promise<StepResult>;
}

/** Who encodes: one for all texts, or one for each side. */
export type Encoders =
  | { readonly shared: SideEncoder }
  | { readonly queries: SideEncoder; readonly documents: SideEncoder };

/** Which documents of a batch are relevant to which queries. */
export function relevanceOf(batch: TrainingBatch): BatchRelevance {
  const { queries, documents, otherPositives, ownNegatives, teacherScores } = batch;
  return {
    queryCount: queries.length,
    documentCount: documents.length,
    otherPositives,
    ownNegatives,
    teacherScores,
  };
}

interface CompiledStep {
  readonly program: Program;
  /** Of each encoder. */
  readonly graphs: readonly SideGraph[];
}

/**
 * The step as one graph: encoder, objective, and all gradients. The fastest form. Two transformers do not fit into it,
 * since both would lay out tokens under the same names; a static query side and a transformer do.
 */
export class SingleGraphStep implements TrainingStep {
  readonly #engine: Engine;
  readonly #encoders: Encoders;
  readonly #objective: Objective;
  readonly #compiled = new Map<string, Promise<CompiledStep>>();

  constructor(engine: Engine, encoders: Encoders, objective: Objective) {
    this.#engine = engine;
    this.#encoders = encoders;
    this.#objective = objective;
  }

  async run(batch: TrainingBatch, settings: StepSettings): Promise<StepResult> {
    const { queries, documents } = batch;
    const encoders = this.#encoders;
    const prepared =
      'shared' in encoders
        ? [encoders.shared.prepare([...queries, ...documents])]
        : [encoders.queries.prepare(queries), encoders.documents.prepare(documents)];
    const [queryColumns, documentColumns] =
      prepared.length === 1
        ? [prepared[0]!.columns.subarray(0, queries.length), prepared[0]!.columns.subarray(queries.length)]
        : [prepared[0]!.columns, prepared[1]!.columns];
    const { program, graphs } = await this.#compile(prepared);
    const outputs = await program.run(
      {
        ...Object.assign({}, ...prepared.map((texts) => texts.feeds)),
        ...Object.assign({}, ...graphs.map((graph, i) => graph.dropoutFeeds(prepared[i]!, settings))),
        queryColumns: columns(queryColumns),
        documentColumns: columns(documentColumns),
        ...this.#objective.feeds(relevanceOf(batch), settings),
      },
      { gradients: settings.gradients ?? 'replace' },
    );
    const tokenCount = prepared.reduce((sum, texts) => sum + texts.tokenCount, 0);
    return { ...this.#objective.read(outputs), tokenCount };
  }

  #compile(prepared: readonly PreparedTexts[]): Promise<CompiledStep> {
    const key = prepared.map(({ buckets }) => buckets).join();
    let compiled = this.#compiled.get(key);
    if (compiled === undefined) {
      compiled = this.#build(prepared.map(({ buckets }) => buckets));
      this.#compiled.set(key, compiled);
    }
    return compiled;
  }

  async #build(buckets: readonly number[]): Promise<CompiledStep> {
    const graph = new Graph();
    const encoders = this.#encoders;
    const sides = 'shared' in encoders ? [encoders.shared] : [encoders.queries, encoders.documents];
    const graphs = sides.map((side, i) => side.build(graph, buckets[i]!, true));
    const [querySide, documentSide] = [graphs[0]!, graphs.at(-1)!];
    const queries = Gather(querySide.weights, graph.feed('queryColumns', 'int64', ['Q']), 1, { unique: true });
    const documents = Gather(documentSide.weights, graph.feed('documentColumns', 'int64', ['D']), 1, { unique: true });
    addGradients(graph, this.#objective.build(graph, { queries, documents }));
    return { program: await this.#engine.compile(graph), graphs };
  }
}

function columns(data: Int32Array): Tensor {
  return { dtype: 'int64', dims: [data.length], data: BigInt64Array.from(data, BigInt) };
}
