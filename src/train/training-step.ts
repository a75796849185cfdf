/** Runs training steps: lays a batch out, feeds the compiled graph, and reads back the loss and its parts. */
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { modelShape } from '../checkpoint/families/registry.ts';
import type { Engine, Program, Tensor } from '../compute/runtime/engine.ts';
import type { Dropout } from '../model/dropout.ts';
import { packTokens } from '../model/token-layout.ts';
import type { TeacherScore } from './losses/loss.ts';
import { buildTrainingGraph, type TrainingGraphOptions, trainingOutputs } from './training-graph.ts';

/** A batch of token ids. */
export interface TrainingBatch {
  readonly queries: readonly Int32Array[];
  /** The positive of each query, in the queries' order, then the hard negatives. */
  readonly documents: readonly Int32Array[];
  /** Pairs (query, document) known to be relevant besides the positive at the query's own place. */
  readonly otherPositives: readonly (readonly [query: number, document: number])[];
  /** Pairs (query, document) where the document was drawn as a hard negative of that query. */
  readonly ownNegatives: readonly (readonly [query: number, document: number])[];
  /** A teacher's scores of positives and own negatives, where the data have them. */
  readonly teacherScores: readonly TeacherScore[];
}

/** What changes from step to step. */
export interface StepSettings {
  /** λ_q of this step. */
  readonly queryRegularizerWeight: number;
  /** λ_d of this step. */
  readonly documentRegularizerWeight: number;
  /** Seed of dropout. */
  readonly seed: number;
  /** Number of the step, from 1. */
  readonly step: number;
}

/** What a step found, before the weights are updated. */
export interface StepResult {
  readonly loss: number;
  readonly baseLoss: number;
  readonly queryRegularizerLoss: number;
  readonly documentRegularizerLoss: number;
  /** Active dimensions of each query of the batch. */
  readonly queryActiveDims: Float32Array;
  readonly documentActiveDims: Float32Array;
  /** Tokens of the batch, padding not counted. */
  readonly tokenCount: number;
}

interface CompiledStep {
  readonly program: Program;
  readonly dropout: Dropout;
}

/** Forward and backward passes of one model. Gradients stay in the engine, beside their variables. */
export class TrainingStep {
  readonly #engine: Engine;
  readonly #config: ModelConfig;
  readonly #options: TrainingGraphOptions;
  readonly #compiled = new Map<number, Promise<CompiledStep>>();

  constructor(engine: Engine, config: ModelConfig, options: TrainingGraphOptions) {
    this.#engine = engine;
    this.#config = config;
    this.#options = options;
  }

  /** Computes the loss and the gradients of a batch. */
  async run(batch: TrainingBatch, settings: StepSettings): Promise<StepResult> {
    const { queries, documents } = batch;
    const packed = packTokens([...queries, ...documents], {
      buckets: this.#options.buckets,
      ...modelShape(this.#config),
    });
    const { program, dropout } = await this.#compile(packed.bucketCount);
    const outputs = await program.run({
      ...packed.feeds,
      queryColumns: columns(packed.columns.subarray(0, queries.length)),
      documentColumns: columns(packed.columns.subarray(queries.length)),
      queryRegularizerWeight: scalar(settings.queryRegularizerWeight),
      documentRegularizerWeight: scalar(settings.documentRegularizerWeight),
      ...this.#options.loss.feeds({
        queryCount: queries.length,
        documentCount: documents.length,
        otherPositives: batch.otherPositives,
        ownNegatives: batch.ownNegatives,
        teacherScores: batch.teacherScores,
      }),
      ...dropout.feeds({ T: packed.tokenCount }, settings.seed, settings.step),
    });
    const figures = (name: string): Float32Array => outputs[name]!.data as Float32Array;
    return {
      loss: figures(trainingOutputs.loss)[0]!,
      baseLoss: figures(trainingOutputs.baseLoss)[0]!,
      queryRegularizerLoss: figures(trainingOutputs.queryRegularizer)[0]!,
      documentRegularizerLoss: figures(trainingOutputs.documentRegularizer)[0]!,
      queryActiveDims: figures(trainingOutputs.queryActiveDims),
      documentActiveDims: figures(trainingOutputs.documentActiveDims),
      tokenCount: packed.tokenCount,
    };
  }

  #compile(buckets: number): Promise<CompiledStep> {
    let compiled = this.#compiled.get(buckets);
    if (compiled === undefined) {
      const { graph, dropout } = buildTrainingGraph(this.#config, { ...this.#options, buckets });
      compiled = this.#engine.compile(graph).then((program) => ({ program, dropout }));
      this.#compiled.set(buckets, compiled);
    }
    return compiled;
  }
}

function columns(data: Int32Array): Tensor {
  return { dtype: 'int64', dims: [data.length], data: BigInt64Array.from(data, BigInt) };
}

function scalar(value: number): Tensor {
  return { dtype: 'float32', dims: [], data: Float32Array.of(value) };
}
