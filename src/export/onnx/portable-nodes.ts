/**
 * Copies nodes of one graph into another in a form that every ONNX runtime knows: opset 18, nothing from onnxruntime's own
 * domain. Our graphs use fused operators, and gather tokens into buckets and back; where a bucket holds everything in order,
 * such a gather copies and is left out.
 *
 *     FusedMatMul(a, b)     Transpose, MatMul, Mul
 *     RotaryEmbedding(x)    (x₁·cos − x₂·sin, x₂·cos + x₁·sin)
 *     Gelu(x)               x·(1 + erf(x/√2))/2, since Gelu came with opset 20
 */
import type { Dimension, Graph, GraphNode, Value } from '../../compute/graph/graph.ts';
import { Add, Concat, Erf, Mul, Reshape, Split, Sub, Unsqueeze } from '../../compute/graph/ops/index.ts';
import { LexrayError } from '../../util/errors.ts';

/** The opset that the copied nodes need. */
export const portableOpset = 18;

/** What stands for the inputs of the copied nodes. */
export interface PortableBindings {
  /** Values of the target graph for feeds of the source, by name. */
  readonly feeds: Readonly<Record<string, Value>>;
  /** The value 0, 1, 2, …: gathering by it changes nothing. */
  readonly identity: Value;
  /** Indices that replace those by which rows of a variable are gathered, by the variable's name. */
  readonly rows: Readonly<Record<string, Value>>;
}

/**
 * The value in `target` that corresponds to one of `source`, with all nodes that it needs.
 * @throws LexrayError FAILED when a node has no portable form
 */
export function copyPortably(target: Graph, result: Value, bindings: PortableBindings): Value {
  const source = result.graph;
  const copies = new Map<string, Value>();
  const copyOf = (value: Value): Value => {
    const known = copies.get(value.name);
    if (known !== undefined) return known;
    const constant = source.constants.get(value.name);
    if (constant !== undefined) return target.constant(constant.dtype, constant.dims, constant.data);
    if (source.variables.has(value.name)) return target.variable(value.name, value.dims as number[]);
    const bound = bindings.feeds[value.name];
    if (bound === undefined) throw new LexrayError('FAILED', `nothing stands for ${value.name}`);
    return bound;
  };
  return target.withoutDifferentiation(() => {
    for (const node of neededNodes(source, result)) {
      const inputs = node.inputs.map((input) => input && copyOf(input));
      const outputs = portableForm(node, inputs as readonly Value[], bindings) ?? copyNode(target, node, inputs);
      outputs.forEach((output, i) => {
        copies.set(node.outputs[i]!.name, output);
      });
    }
    return copyOf(result);
  });
}

/** The nodes that a value depends on, in order. */
function neededNodes(source: Graph, result: Value): GraphNode[] {
  const needed = new Set([result.name]);
  const nodes: GraphNode[] = [];
  for (const node of source.nodes.toReversed()) {
    if (!node.outputs.some(({ name }) => needed.has(name))) continue;
    nodes.push(node);
    for (const input of node.inputs) if (input) needed.add(input.name);
  }
  return nodes.reverse();
}

function copyNode(target: Graph, node: GraphNode, inputs: readonly (Value | undefined)[]): Value[] {
  if (node.domain !== '') {
    throw new LexrayError('FAILED', `${node.op} of ${node.domain} has no form that every ONNX runtime knows`);
  }
  // Its mean and deviation are only for gradients.
  const outputs = node.op === 'LayerNormalization' ? node.outputs.slice(0, 1) : node.outputs;
  return target.node(node.op, inputs, outputs, node.attributes);
}

/** The node in other words; undefined where it can be copied as it is. */
function portableForm(
  node: GraphNode,
  inputs: readonly Value[],
  { identity, rows }: PortableBindings,
): Value[] | undefined {
  const [a, b] = inputs as [Value, Value];
  switch (node.op) {
    case 'Gather': {
      if (b === identity && node.attributes.axis === 0) return [a];
      const others = rows[a.name];
      return others && [gathered(node, a, others)];
    }
    case 'Concat':
      return inputs.length === 1 ? [a] : undefined;
    case 'Gelu':
      if (node.attributes.approximate !== 'none') return undefined;
      return [Mul(Mul(a, Add(Erf(Mul(a, Math.SQRT1_2)), 1)), 0.5)];
    case 'FusedMatMul':
      return [matMul(node, a, b)];
    case 'RotaryEmbedding':
      return [rotate(a, inputs[2]!, inputs[3]!)];
    default:
      return undefined;
  }
}

function gathered(node: GraphNode, table: Value, indices: Value): Value {
  const dims = [...indices.dims, ...table.dims.slice(1)];
  return table.graph.node('Gather', [table, indices], [{ dtype: table.dtype, dims }], node.attributes)[0]!;
}

function matMul({ attributes, outputs }: GraphNode, a: Value, b: Value): Value {
  const turned = (x: Value, transposed: boolean): Value => {
    if (!transposed) return x;
    const rank = x.dims.length;
    const perm = [...x.dims.keys()].map((axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
    const dims = perm.map((axis) => x.dims[axis]!);
    return x.graph.node('Transpose', [x], [{ dtype: x.dtype, dims }], { perm })[0]!;
  };
  const operands = [turned(a, attributes.transA === 1), turned(b, attributes.transB === 1)];
  const [product] = a.graph.node('MatMul', operands, outputs) as [Value];
  const { float: alpha } = attributes.alpha as { readonly float: number };
  return alpha === 1 ? product : Mul(product, alpha);
}

/**
 * @param x [1, places, width]
 * @param cos [places, d/2]
 * @param sin [places, d/2]
 */
function rotate(x: Value, cos: Value, sin: Value): Value {
  const [, places, width] = x.dims as [Dimension, Dimension, number];
  const half = cos.dims[1] as number;
  const heads = width / (2 * half);
  const shape = x.graph.int64([-1, heads, 2 * half]);
  const [first, second] = Split(Reshape(x, shape, [places, heads, 2 * half]), [half, half], 2) as [Value, Value];
  // The tables may name their places otherwise; both are one row a place.
  const table = (values: Value): Value => Reshape(values, x.graph.int64([-1, 1, half]), [places, 1, half]);
  const [c, s] = [table(cos), table(sin)];
  const turned = Concat([Sub(Mul(first, c), Mul(second, s)), Add(Mul(second, c), Mul(first, s))], 2, 2 * half);
  return Unsqueeze(Reshape(turned, x.graph.int64([-1, width]), [places, width]), [0]);
}
