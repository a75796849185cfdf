/**
 * An engine runs graphs. Model parameters are *variables*: they live inside the engine with their gradients and
 * optimizer moments, so that a training step moves only token ids in and a few figures out.
 * Two implementations, one conformance suite (`engine.suite.ts`): `ort` (onnxruntime in a worker) and `reference`
 * (every operator computed slowly and obviously).
 */
import type { WeightPrecision } from '../graph/compact-weights.ts';
import type { DataType, Graph } from '../graph/graph.ts';

/** Numbers of a tensor, row-major. */
export type TensorData = Float32Array | BigInt64Array | Int32Array | Uint8Array;

/** A tensor that goes into or comes out of a run. */
export interface Tensor {
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** A feed that the engine makes itself: 0 with probability `rate`, else 1/(1 − rate); see `dropout-mask.ts`. */
export interface DropoutFeed {
  readonly dropout: { readonly rate: number; readonly seed: number };
  readonly dims: readonly number[];
}

/** A parameter of a model. */
export interface VariableSpec {
  readonly name: string;
  readonly dims: readonly number[];
  /** Keeps a gradient and two optimizer moments beside the value. */
  readonly trainable: boolean;
}

/** The arrays kept for a variable. */
export type VariablePart = 'value' | 'gradient' | 'firstMoment' | 'secondMoment';

/** One AdamW step over all variables that have a gradient: as output of a compiled program, or written from outside. */
export interface AdamWStep {
  /** Steps so far, this one included: 1, 2, … */
  readonly step: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Variables without weight decay. */
  readonly withoutDecay: ReadonlySet<string>;
  /** Multiples of the learning rate, which the decay follows, for variables that have one of their own. @default 1 each */
  readonly learningRateFactors?: ReadonlyMap<string, number>;
  /** Gradients are scaled down to this global norm; undefined: no clipping. */
  readonly maxGradientNorm: number | undefined;
}

/** Options of {@link Program.run}. */
export interface RunOptions {
  /** Whether the gradients of the run replace those of their variables or are added to them. @default 'replace' */
  readonly gradients?: 'replace' | 'add';
}

/** A compiled graph. */
export interface Program {
  /** Runs the graph on feeds by name; gradient outputs go to their variables, the others are returned. */
  run(feeds: Readonly<Record<string, Tensor | DropoutFeed>>, options?: RunOptions): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}

/** Runs graphs over resident variables. */
export interface Engine {
  readonly name: string;
  /** How matrices that are not trained are kept; see {@link EngineOptions.weights}. @default 'float32' */
  readonly weights?: WeightPrecision;
  /** Declares the variables, once, all zero. @throws LexrayError at a second call, or when a name comes twice */
  createVariables(variables: readonly VariableSpec[]): Promise<void>;
  writeVariable(name: string, part: VariablePart, data: Float32Array): Promise<void>;
  readVariable(name: string, part: VariablePart): Promise<Float32Array>;
  compile(graph: Graph): Promise<Program>;
  /**
   * Updates the variables from their gradients. Returns the global gradient norm before clipping; when that is not
   * finite, nothing is updated.
   */
  adamW(step: AdamWStep): Promise<{ gradientNorm: number }>;
  dispose(): Promise<void>;
}

/** Options of an engine. */
export interface EngineOptions {
  /** Threads for matrix products. @default the number of cores */
  readonly threads?: number | undefined;
  /**
   * How matrices that are not trained are kept. Fewer bits need less memory, and int8 is faster too, for results that
   * differ (`compute/graph/compact-weights.ts`; measured in docs/performance.md). @default 'float32'
   */
  readonly weights?: WeightPrecision | undefined;
}
