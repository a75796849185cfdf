/**
 * The computation graph: ONNX nodes over named, typed values with symbolic dimensions, and beside them the
 * *differentiations* from which `autodiff.ts` builds the backward pass in the same graph.
 *
 * A graph is plain data. `onnx-writer.ts` turns it into an ONNX model; `runtime/reference` interprets it.
 * Inputs are of two kinds: *variables* (model parameters, resident in an engine) and *feeds* (given at each run).
 * Gradient outputs stay in the engine beside their variable; all other outputs come back from a run.
 */
import { LexrayError } from '../../util/errors.ts';
import type { ScatterGradient } from './scatter-gradient.ts';

/** Element types, named as in ONNX. */
export type DataType = 'float32' | 'int64' | 'int32' | 'bool';

/** Element types of values: those that come from and go outside, and those of weights kept in fewer bits. */
export type ElementType = DataType | 'float16' | 'int8';

/** A dimension: a size, or the name of one that is known only at a run. Equal names mean equal sizes. */
export type Dimension = number | string;

/** A shape, outermost dimension first; `[]` is a scalar. */
export type Dimensions = readonly Dimension[];

/** Constant data of a tensor of the type. */
export type ConstantData = Float32Array | BigInt64Array | Int32Array | Uint8Array;

/** An ONNX attribute: integer, integers, string, `{ float }` or `{ tensor }`. */
export type Attribute =
  | number
  | readonly number[]
  | string
  | { readonly float: number }
  | { readonly tensor: Constant };

/** A constant tensor. */
export interface Constant {
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly data: ConstantData;
}

/** A value in a graph: an input, a constant, or an output of a node. */
export interface Value {
  readonly graph: Graph;
  readonly name: string;
  readonly dtype: ElementType;
  readonly dims: Dimensions;
}

/** A node: one ONNX operator. An absent optional input is `undefined`. */
export interface GraphNode {
  readonly op: string;
  readonly domain: '' | 'com.microsoft';
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** Type and shape of a new value. */
export interface ValueSpec {
  readonly dtype: ElementType;
  readonly dims: Dimensions;
}

/**
 * How the gradient of one input is made: built in the graph and added to what is there already, if anything; or, for a
 * table of which few rows were used, as a list of rows that the engine adds up (see `scatter-gradient.ts`).
 */
export type InputGradient = ((accumulated: Value | undefined) => Value) | ScatterGradient;

/**
 * A differentiable step from inputs to outputs. `backward` gets the gradients of the outputs (undefined where the
 * loss does not depend on one) and returns, for each input, how to build its gradient (undefined: no gradient flows).
 */
export interface Differentiation {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  backward(outputGradients: readonly (Value | undefined)[]): readonly (InputGradient | undefined)[];
}

/** A graph under construction. */
export class Graph {
  readonly nodes: GraphNode[] = [];
  readonly constants: Map<string, Constant> = new Map();
  readonly variables: Map<string, Value> = new Map();
  readonly feeds: Map<string, Value> = new Map();
  readonly outputs: Map<string, Value> = new Map();
  /** Gradient of each variable that has one in the graph, by the variable's name. */
  readonly gradientOutputs: Map<string, Value> = new Map();
  /** Rows that the engine adds to the gradient of a variable, after that in {@link gradientOutputs} or to zeros. */
  readonly scatterGradients: Map<string, ScatterGradient[]> = new Map();
  /** Values that a backward pass computes once more instead of keeping them; see `rematerialize.ts`. */
  readonly recomputed: Set<Value> = new Set();
  /** What the layers of an encoder hand on, in order; see `recomputeLayers`. */
  readonly layerOutputs: Value[] = [];
  readonly differentiations: Differentiation[] = [];
  readonly #names = new Set<string>();
  #counter = 0;
  #recording = true;
  #prefix = '';
  readonly #smallConstants = new Map<string, Value>();

  /** Declares a parameter of the model; asking twice for the same name gives the same value. */
  variable(stem: string, dims: readonly number[]): Value {
    const name = this.#prefix + stem;
    const known = this.variables.get(name);
    if (known) {
      if (known.dims.join() !== dims.join()) {
        throw new LexrayError('FAILED', `variable ${name}: dimensions [${known.dims}] expected, got [${dims}]`);
      }
      return known;
    }
    const value = this.#value(name, 'float32', dims);
    this.variables.set(name, value);
    return value;
  }

  /** Declares an input that is given at each run; asking twice for the same name gives the same value. */
  feed(name: string, dtype: DataType, dims: Dimensions): Value {
    const known = this.feeds.get(name);
    if (known) {
      if (known.dtype !== dtype || known.dims.join() !== dims.join()) {
        throw new LexrayError(
          'FAILED',
          `feed ${name}: ${known.dtype} [${known.dims}] expected, got ${dtype} [${dims}]`,
        );
      }
      return known;
    }
    const value = this.#value(name, dtype, dims);
    this.feeds.set(name, value);
    return value;
  }

  /** A constant tensor; small ones are shared. */
  constant(dtype: DataType, dims: readonly number[], data: ConstantData): Value {
    const elements = dims.reduce((product, dim) => product * dim, 1);
    if (data.length !== elements) {
      throw new LexrayError('FAILED', `constant: [${dims}] has ${elements} elements, got ${data.length}`);
    }
    const key =
      elements <= 16 ? `${dtype}[${dims}]${Array.from(data as ArrayLike<number | bigint>, exactText)}` : undefined;
    const known = key === undefined ? undefined : this.#smallConstants.get(key);
    if (known) return known;
    const value = this.#value(this.#freshName('constant'), dtype, dims);
    this.constants.set(value.name, { dtype, dims, data });
    if (key !== undefined) this.#smallConstants.set(key, value);
    return value;
  }

  /** A float32 scalar constant. */
  scalar(x: number): Value {
    return this.constant('float32', [], Float32Array.of(x));
  }

  /** An int64 vector constant. */
  int64(values: readonly number[]): Value {
    return this.constant('int64', [values.length], BigInt64Array.from(values, BigInt));
  }

  /** Adds a node and returns its outputs. */
  node(
    op: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly ValueSpec[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain: '' | 'com.microsoft' = '',
  ): Value[] {
    const values = outputs.map((spec) => this.#value(this.#freshName(op), spec.dtype, spec.dims));
    this.nodes.push({ op, domain, inputs, outputs: values, attributes });
    return values;
  }

  /** Names a value as an output that a run returns. The name must not be that of an input. */
  output(name: string, value: Value): void {
    if (this.#names.has(name)) throw new LexrayError('FAILED', `output ${name}: a value of that name exists already`);
    this.outputs.set(name, value);
  }

  /** Builds with a prefix before the names of variables: a model beside another one of the same kind. */
  within<T>(prefix: string, build: () => T): T {
    const before = this.#prefix;
    this.#prefix = before + prefix;
    try {
      return build();
    } finally {
      this.#prefix = before;
    }
  }

  /** Remembers how a step is differentiated, unless inside {@link withoutDifferentiation}. */
  differentiate(step: Differentiation): void {
    if (this.#recording) this.differentiations.push(step);
  }

  /** Builds nodes whose own differentiations are not kept: for steps that give one of their own, and for backward passes. */
  withoutDifferentiation<T>(build: () => T): T {
    const before = this.#recording;
    this.#recording = false;
    try {
      return build();
    } finally {
      this.#recording = before;
    }
  }

  #value(name: string, dtype: ElementType, dims: Dimensions): Value {
    if (this.#names.has(name) || this.outputs.has(name)) {
      throw new LexrayError('FAILED', `the name ${name} is taken by another input, output or node`);
    }
    this.#names.add(name);
    return { graph: this, name, dtype, dims };
  }

  #freshName(stem: string): string {
    return `${stem}_${this.#counter++}`;
  }
}

/** A number as text, −0 unlike 0. */
function exactText(x: number | bigint): string {
  return Object.is(x, -0) ? '-0' : `${x}`;
}
