/**
 * Writes a graph as an ONNX model (ModelProto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), opset 20.
 * Variables and feeds become graph inputs; parameters are never inside the model, which keeps it far below protobuf's 2 GB.
 * Files for other programs, with their parameters, are written by `export/onnx`.
 */
import type { WrittenGraph } from './compact-weights.ts';
import type { Attribute, Constant, Dimensions, ElementType, GraphNode, Value } from './graph.ts';
import { ProtobufWriter } from './protobuf.ts';
import { scatterOutputs } from './scatter-gradient.ts';

const opsetVersion = 20;
const irVersion = 9;
const elementTypes: Record<ElementType, number> = { float32: 1, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 };

/** The prefix of gradient outputs: the gradient of variable `x` is the output `gradient of x`. */
export const gradientPrefix = 'gradient of ';

/** The ONNX model of a graph, as the engine runs it: nodes in the order in which the graph has them. */
export function toOnnx(graph: WrittenGraph): Uint8Array {
  const proto = graphProto(graph, 'inputs');
  const names = outputNames(graph);
  for (const value of anchoredValues(graph)) proto.message(1, anchorProto(names.get(value) ?? value.name));
  for (const [value, dims] of shapesByRegion(graph)) {
    if (!names.has(value)) proto.message(13, valueProto(value.name, { ...value, dims }));
  }
  const model = new ProtobufWriter().int(1, irVersion).string(2, 'lexray').message(7, proto);
  model.message(8, new ProtobufWriter().string(1, '').int(2, opsetVersion));
  if (graph.nodes.some((node) => node.domain !== '')) {
    model.message(8, new ProtobufWriter().string(1, 'com.microsoft').int(2, 1));
  }
  return model.finish();
}

/**
 * The GraphProto of a graph.
 * @param variables whether they are inputs, or left out for the caller to add as initializers (field 5)
 */
export function graphProto(graph: WrittenGraph, variables: 'inputs' | 'left out'): ProtobufWriter {
  const proto = new ProtobufWriter();
  const names = outputNames(graph);
  graph.nodes.forEach((node, i) => {
    proto.message(1, nodeProto(node, i, names));
  });
  const named = namedOutputs(graph);
  for (const [name, value] of named) {
    const made = names.get(value);
    if (made !== name) proto.message(1, identityProto(made ?? value.name, name));
  }
  proto.string(2, 'lexray');
  for (const [name, constant] of graph.constants) proto.message(5, tensorProto(name, constant));
  const inputs = variables === 'inputs' ? [...graph.variables.values(), ...graph.feeds.values()] : graph.feeds.values();
  for (const value of inputs) proto.message(11, valueProto(value.name, value));
  for (const [name, value] of named) proto.message(12, valueProto(name, value));
  return proto;
}

function namedOutputs(graph: WrittenGraph): (readonly [name: string, value: Value])[] {
  return [
    ...graph.outputs,
    ...[...graph.gradientOutputs].map(([name, value]) => [gradientPrefix + name, value] as const),
    ...scatterOutputs(graph).outputs,
  ];
}

/** Names of the values that are outputs under a name that their node can give them, so that they need no copy. */
function outputNames(graph: WrittenGraph): Map<Value, string> {
  const made = new Set(graph.nodes.flatMap((node) => node.outputs));
  const names = new Map<Value, string>();
  for (const [name, value] of namedOutputs(graph)) if (made.has(value) && !names.has(value)) names.set(value, name);
  return names;
}

/**
 * onnxruntime runs a node only when something needs it, beginning with the nodes that nothing needs, the last of the
 * file first. So each node that is not an input of the next one gets a reader that nothing needs, and these stand in the
 * file in reverse order: then nodes run in the order in which the graph has them (`execution-order.test.ts`).
 */
function anchoredValues(graph: WrittenGraph): Value[] {
  const { nodes } = graph;
  const anchored = nodes.filter(
    ({ outputs }, i) => !nodes[i + 1]?.inputs.some((input) => input && outputs.includes(input)),
  );
  return anchored.map(({ outputs }) => outputs[0]!).reverse();
}

/**
 * The values between nodes, their symbolic sizes named anew in each region that begins at a matrix product. onnxruntime
 * keeps the memory of a value for later values of the same sizes, however much later they come; within a region it
 * should (an operator then writes over its input), across regions it must not: for a step of 9,216 tokens, 2.4 GB instead of 2.1.
 */
function shapesByRegion(graph: WrittenGraph): (readonly [Value, Dimensions])[] {
  const products = new Set(['Gemm', 'MatMul', 'FusedMatMul']);
  let region = 0;
  return graph.nodes.flatMap((node) => {
    if (products.has(node.op)) region++;
    return node.outputs.map((value) => {
      return [value, value.dims.map((dim) => (typeof dim === 'number' ? dim : `${dim} ${region}`))] as const;
    });
  });
}

function nodeProto(node: GraphNode, index: number, names: ReadonlyMap<Value, string>): ProtobufWriter {
  const proto = new ProtobufWriter();
  const nameOf = (value: Value): string => names.get(value) ?? value.name;
  for (const input of node.inputs) proto.string(1, input ? nameOf(input) : '');
  for (const output of node.outputs) proto.string(2, nameOf(output));
  proto.string(3, `${node.op}#${index}`).string(4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) proto.message(5, attributeProto(name, attribute));
  if (node.domain !== '') proto.string(7, node.domain);
  return proto;
}

function identityProto(from: string, to: string): ProtobufWriter {
  return new ProtobufWriter().string(1, from).string(2, to).string(3, `output ${to}`).string(4, 'Identity');
}

/** Reads the number of elements, which costs nothing. */
function anchorProto(name: string): ProtobufWriter {
  return new ProtobufWriter().string(1, name).string(2, `size of ${name}`).string(3, `after ${name}`).string(4, 'Size');
}

function attributeProto(name: string, attribute: Attribute): ProtobufWriter {
  const proto = new ProtobufWriter().string(1, name);
  if (typeof attribute === 'number') return proto.int(3, attribute).int(20, 2);
  if (typeof attribute === 'string') return proto.string(4, attribute).int(20, 3);
  if ('float' in attribute) return proto.float(2, attribute.float).int(20, 1);
  if ('tensor' in attribute) return proto.message(5, tensorProto('', attribute.tensor)).int(20, 4);
  for (const item of attribute) proto.int(8, item);
  return proto.int(20, 7);
}

/** What is appended to a model to give it constants: a repeated message field of protobuf grows by concatenation. */
export function moreConstants(constants: ReadonlyMap<string, StoredConstant>): Uint8Array {
  const proto = new ProtobufWriter();
  for (const [name, constant] of constants) proto.message(5, tensorProto(name, constant));
  return new ProtobufWriter().message(7, proto).finish();
}

/** A constant, also of the types of weights kept in fewer bits. */
export interface StoredConstant {
  readonly dtype: ElementType;
  readonly dims: readonly number[];
  readonly data: Constant['data'] | Int8Array | Uint16Array;
}

function tensorProto(name: string, { dtype, dims, data }: StoredConstant): ProtobufWriter {
  const proto = new ProtobufWriter();
  for (const dim of dims) proto.int(1, dim);
  proto.int(2, elementTypes[dtype]);
  if (name !== '') proto.string(8, name);
  return proto.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function valueProto(name: string, value: Value): ProtobufWriter {
  const shape = new ProtobufWriter();
  for (const dim of value.dims) {
    shape.message(1, typeof dim === 'number' ? new ProtobufWriter().int(1, dim) : new ProtobufWriter().string(2, dim));
  }
  const tensor = new ProtobufWriter().int(1, elementTypes[value.dtype]).message(2, shape);
  return new ProtobufWriter().string(1, name).message(2, new ProtobufWriter().message(1, tensor));
}
