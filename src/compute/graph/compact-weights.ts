/**
 * Graphs for weights that are kept in fewer bits. A matrix W [rows, in] that is not trained is kept
 *
 * - as float16 and made float32 again, part by part, where it is used; or
 * - as int8 with a scale for each row, W ≈ scale·Q: rows that are looked up are made float32 again, and products x·Wᵀ are
 *   computed in integers (onnxruntime's DynamicQuantizeMatMul: x becomes uint8, with one scale for the whole of x).
 */
import type { Dimensions, Graph, GraphNode, Value } from './graph.ts';

/** How matrices that are not trained are kept. */
export type WeightPrecision = 'float32' | 'float16' | 'int8';

/** Rows of an int8 matrix, transposed to [in, rows], that a compiled graph takes as a constant. */
export interface PackedRows {
  /** Name of the constant; its scales have the suffix {@link scalesSuffix}. */
  readonly name: string;
  readonly variable: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** Behind the name of a matrix, the name of its scales. */
export const scalesSuffix = ' scales';

/** The parts of a graph that are written. */
export type WrittenGraph = Pick<
  Graph,
  'nodes' | 'constants' | 'variables' | 'feeds' | 'outputs' | 'gradientOutputs' | 'scatterGradients'
>;

/** The same computation over compact matrices. */
export interface CompactGraph {
  readonly graph: WrittenGraph;
  readonly packed: readonly PackedRows[];
}

/**
 * Rewrites a graph for compact matrices.
 * @param matrices names of the variables that are kept so
 */
export function withCompactWeights(
  graph: Graph,
  precision: Exclude<WeightPrecision, 'float32'>,
  matrices: ReadonlySet<string>,
): CompactGraph {
  const rewriting = new Rewriting(graph, precision, matrices);
  for (const node of graph.nodes) rewriting.add(node);
  const { nodes, packed, variables } = rewriting;
  const { constants, feeds, outputs, gradientOutputs, scatterGradients } = graph;
  return { graph: { nodes, constants, variables, feeds, outputs, gradientOutputs, scatterGradients }, packed };
}

/** A compact matrix, or consecutive rows of one. */
interface CompactRows {
  readonly stored: Value;
  readonly start: number;
  readonly end: number;
}

class Rewriting {
  readonly nodes: GraphNode[] = [];
  readonly packed: PackedRows[] = [];
  readonly variables = new Map<string, Value>();
  readonly #graph: Graph;
  readonly #precision: 'float16' | 'int8';
  readonly #compact = new Map<Value, CompactRows>();
  #counter = 0;

  constructor(graph: Graph, precision: 'float16' | 'int8', matrices: ReadonlySet<string>) {
    this.#graph = graph;
    this.#precision = precision;
    for (const [name, value] of graph.variables) {
      if (!matrices.has(name)) {
        this.variables.set(name, value);
        continue;
      }
      const stored = { ...value, dtype: precision };
      const rows = value.dims[0] as number;
      this.#compact.set(value, { stored, start: 0, end: rows });
      this.variables.set(name, stored);
      if (precision === 'int8') this.variables.set(name + scalesSuffix, this.#value(name + scalesSuffix, [rows]));
    }
  }

  add(node: GraphNode): void {
    const [first, second, third] = node.inputs;
    const table = first && this.#compact.get(first);
    const weight = second && this.#compact.get(second);
    if (node.op === 'Slice' && table) this.#slice(node, table);
    else if (node.op === 'Gather' && table) this.#gather(node, table, second!);
    else if (node.op === 'Gemm' && weight && this.#precision === 'int8' && node.attributes.transB === 1) {
      this.#product(node, weight, first!, third);
    } else {
      const inputs = node.inputs.map((input) => {
        const rows = input && this.#compact.get(input);
        return rows ? this.#whole(rows) : input;
      });
      this.nodes.push({ ...node, inputs });
    }
  }

  /** Consecutive rows: remembered, and cut out only where something needs them. */
  #slice({ inputs, outputs }: GraphNode, { stored, start }: CompactRows): void {
    const bound = (input: number): number => Number(this.#graph.constants.get(inputs[input]!.name)!.data[0]);
    this.#compact.set(outputs[0]!, { stored, start: start + bound(1), end: start + bound(2) });
  }

  #gather({ outputs, attributes }: GraphNode, rows: CompactRows, ids: Value): void {
    const [output] = outputs as [Value];
    const taken = this.#node('Gather', [this.#cut(rows), ids], output.dims, attributes, this.#precision);
    if (this.#precision === 'float16') {
      this.#rename('Cast', [taken], output, { to: 1 });
      return;
    }
    const scales = this.#node('Gather', [this.#scales(rows), ids], ids.dims, attributes);
    const column = this.#node('Unsqueeze', [scales, this.#graph.int64([-1])], [...ids.dims, 1]);
    this.#rename('Mul', [this.#node('Cast', [taken], output.dims, { to: 1 }), column], output);
  }

  #product({ outputs }: GraphNode, { stored, start, end }: CompactRows, x: Value, bias: Value | undefined): void {
    const name = `${stored.name} packed ${start}–${end}`;
    this.packed.push({ name, variable: stored.name, start, end });
    const inputs = [x, this.#value(name, []), this.#value(name + scalesSuffix, []), undefined, bias];
    this.nodes.push({ op: 'DynamicQuantizeMatMul', domain: 'com.microsoft', inputs, outputs, attributes: {} });
  }

  /** The rows as float32. */
  #whole(rows: CompactRows): Value {
    const dims = [rows.end - rows.start, ...rows.stored.dims.slice(1)];
    const cast = this.#node('Cast', [this.#cut(rows)], dims, { to: 1 });
    if (this.#precision === 'float16') return cast;
    const column = this.#node('Unsqueeze', [this.#scales(rows), this.#graph.int64([-1])], [dims[0]!, 1]);
    return this.#node('Mul', [cast, column], dims);
  }

  #cut({ stored, start, end }: CompactRows): Value {
    return this.#sliced(stored, start, end);
  }

  #scales({ stored, start, end }: CompactRows): Value {
    return this.#sliced(this.variables.get(stored.name + scalesSuffix)!, start, end);
  }

  #sliced(value: Value, start: number, end: number): Value {
    if (start === 0 && end === value.dims[0]) return value;
    const graph = this.#graph;
    const inputs = [value, graph.int64([start]), graph.int64([end]), graph.int64([0])];
    return this.#node('Slice', inputs, [end - start, ...value.dims.slice(1)], {}, value.dtype);
  }

  #node(
    op: string,
    inputs: readonly Value[],
    dims: Dimensions,
    attributes: GraphNode['attributes'] = {},
    dtype: Value['dtype'] = 'float32',
  ): Value {
    const output = { ...this.#value(`compact ${this.#counter++}`, dims), dtype };
    this.nodes.push({ op, domain: '', inputs, outputs: [output], attributes });
    return output;
  }

  /** A node that makes a value of the original graph. */
  #rename(op: string, inputs: readonly Value[], output: Value, attributes: GraphNode['attributes'] = {}): void {
    this.nodes.push({ op, domain: '', inputs, outputs: [output], attributes });
  }

  #value(name: string, dims: Dimensions): Value {
    return { graph: this.#graph, name, dtype: 'float32', dims };
  }
}
