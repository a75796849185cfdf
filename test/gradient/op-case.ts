/**
 * Every operator of the graph on small inputs: the table that the gradient check, the comparison of the engines and
 * the test that no operator is left out go through.
 */
import type { DataType, Dimension, Dimensions, Graph, Value } from '../../src/compute/graph/graph.ts';
import { Add, Cast, Gather, Mul, sumAll } from '../../src/compute/graph/ops/index.ts';
import type { Tensor } from '../../src/compute/runtime/engine.ts';
import { Random } from '../../src/util/random.ts';

/** Declares the inputs of a case in a graph, with values. */
export class CaseInputs {
  readonly graph: Graph;
  readonly variables: Record<string, Tensor> = {};
  readonly feeds: Record<string, Tensor> = {};
  readonly #prefix: string;
  readonly #random = new Random(7);

  constructor(graph: Graph, prefix: string) {
    this.graph = graph;
    this.#prefix = prefix;
  }

  /** A variable of normal numbers, each at least `apart` from zero, so that kinks and poles are far. */
  variable(name: string, dims: readonly number[], apart = 0.1): Value {
    const full = this.#prefix + name;
    this.variables[full] ??= float32(dims, this.#numbers(dims, apart));
    return this.graph.variable(full, dims);
  }

  /** A variable of given numbers. */
  given(name: string, dims: readonly number[], values: readonly number[]): Value {
    const full = this.#prefix + name;
    this.variables[full] = float32(dims, values);
    return this.graph.variable(full, dims);
  }

  /** A variable of positive numbers. */
  positive(name: string, dims: readonly number[]): Value {
    const full = this.#prefix + name;
    this.variables[full] ??= float32(
      dims,
      this.#numbers(dims, 0.3).map((x) => Math.abs(x)),
    );
    return this.graph.variable(full, dims);
  }

  /** A feed; symbolic dimensions take their sizes from `sizes`. */
  feed(name: string, dtype: DataType, dims: Dimensions, values: readonly number[], sizes: readonly number[]): Value {
    const full = this.#prefix + name;
    this.feeds[full] =
      dtype === 'int64'
        ? { dtype, dims: sizes, data: BigInt64Array.from(values, BigInt) }
        : dtype === 'bool'
          ? { dtype, dims: sizes, data: Uint8Array.from(values) }
          : { dtype, dims: sizes, data: Float32Array.from(values) };
    return this.graph.feed(full, dtype, dims);
  }

  /** A vector of indices, of symbolic length. */
  indices(values: readonly number[], length: Dimension = 'n', name = 'ids'): Value {
    return this.feed(name, 'int64', [length], values, [values.length]);
  }

  /** Rows of a variable, [n, columns] with a symbolic n. */
  rows(count: number, columns: number): Value {
    const ids = Array.from({ length: count }, (_, i) => (i * 2) % 5);
    return Gather(this.variable('table', [5, columns]), this.indices(ids));
  }

  #numbers(dims: readonly number[], apart: number): number[] {
    const size = dims.reduce((product, dim) => product * dim, 1);
    return Array.from({ length: size }, () => {
      const x = this.#random.normal();
      return x + Math.sign(x) * apart;
    });
  }
}

function float32(dims: readonly number[], values: readonly number[]): Tensor {
  return { dtype: 'float32', dims, data: Float32Array.from(values) };
}

/** One case: operators in use, and how to build them. */
export interface OpCase {
  /** The exported operators that the case is there for. */
  readonly ops: readonly string[];
  readonly title: string;
  /** False where no gradient may reach a variable. */
  readonly differentiable: boolean;
  build(inputs: CaseInputs): readonly Value[];
}

/** A case with gradients for all of its variables. */
export function smooth(ops: string, title: string, build: (inputs: CaseInputs) => Value | readonly Value[]): OpCase {
  return { ops: ops.split(' '), title, differentiable: true, build: (inputs) => [build(inputs)].flat() };
}

/** A case through which no gradient flows. */
export function opaque(ops: string, title: string, build: (inputs: CaseInputs) => Value | readonly Value[]): OpCase {
  return { ops: ops.split(' '), title, differentiable: false, build: (inputs) => [build(inputs)].flat() };
}

/** The loss of a case: Σ y·(y + ½) over all outputs, so that each element has a gradient of its own. */
export function caseLoss(outputs: readonly Value[]): Value {
  return outputs
    .map((output) => {
      const y = output.dtype === 'float32' ? output : Cast(output, 'float32');
      return sumAll(Mul(y, Add(y, 0.5)));
    })
    .reduce((total, term) => Add(total, term));
}
