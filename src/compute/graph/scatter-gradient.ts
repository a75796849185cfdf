/**
 * Gradients of tables of which a step uses few rows: word embeddings, and the decoder of the pooled head. They leave the
 * graph as lists of rows, and the engine adds these up one after another.
 *
 * They are not ScatterND nodes with reduction "add", because onnxruntime runs those on several threads without a lock:
 * where an index repeats, additions get lost (measured with onnxruntime 1.30.0 on two threads: up to 19 % of the norm of
 * a gradient, another loss at each run). ScatterElements is right but forty times slower.
 */
import type { Graph, Value } from './graph.ts';

/** gradient[rows[i]] += values[i] */
export interface RowScatter {
  readonly kind: 'rows';
  /** int64 [n] */
  readonly rows: Value;
  /** float32 [n, D] */
  readonly values: Value;
}

/** gradient[rows[i]] += factors[i] · values[sources[i]] */
export interface ProductScatter {
  readonly kind: 'products';
  /** int64 [n] */
  readonly rows: Value;
  /** int64 [n] */
  readonly sources: Value;
  /** float32 [n] */
  readonly factors: Value;
  /** float32 [T, D] */
  readonly values: Value;
}

/** Rows to be added to a gradient. */
export type ScatterGradient = RowScatter | ProductScatter;

/** Names of a scatter's operands in the outputs of a program. */
export interface ScatterOutputs {
  readonly variable: string;
  readonly kind: ScatterGradient['kind'];
  /** Output by operand: `rows` and `values`, for products also `sources` and `factors`. */
  readonly operands: Readonly<Record<string, string>>;
}

/** The values that scatters need from a run, by output name, and what is done with them. */
export function scatterOutputs(graph: Pick<Graph, 'scatterGradients'>): {
  outputs: Map<string, Value>;
  scatters: ScatterOutputs[];
} {
  const outputs = new Map<string, Value>();
  const names = new Map<Value, string>();
  const nameOf = (value: Value): string => {
    let name = names.get(value);
    if (name === undefined) {
      name = `scatter operand ${names.size}`;
      names.set(value, name);
      outputs.set(name, value);
    }
    return name;
  };
  const scatters: ScatterOutputs[] = [];
  for (const [variable, list] of graph.scatterGradients) {
    for (const { kind, ...operands } of list) {
      const named = Object.entries(operands).map(([operand, value]) => [operand, nameOf(value as Value)]);
      scatters.push({ variable, kind, operands: Object.fromEntries(named) });
    }
  }
  return { outputs, scatters };
}

/** Numbers that a scatter adds to or reads from. */
type Floats = Float32Array | Float64Array;

/** Adds a scatter's rows to a gradient [rows, width], in order. */
export function addScatter(
  gradient: Floats,
  kind: ScatterGradient['kind'],
  operand: (name: string) => { readonly data: ArrayLike<number | bigint>; readonly dims: readonly number[] },
): void {
  const { data, dims } = operand('values');
  const values = data as Floats;
  const width = dims[1]!;
  const rows = operand('rows').data;
  const sources = kind === 'products' ? operand('sources').data : undefined;
  const factors = kind === 'products' ? operand('factors').data : undefined;
  for (let i = 0; i < rows.length; i++) {
    const row = Number(rows[i]);
    const from = sources === undefined ? i : Number(sources[i]);
    const factor = factors === undefined ? 1 : (factors[i] as number);
    addRow(gradient, row < 0 ? gradient.length + row * width : row * width, values, from * width, width, factor);
  }
}

function addRow(target: Floats, to: number, source: Floats, from: number, width: number, factor: number): void {
  for (let j = 0; j < width; j++) target[to + j]! += factor * source[from + j]!;
}
