/** The written bytes, read by the protobuf classes that are generated from ONNX's own definition. */
import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as ElementType,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  type ValueInfoProto,
} from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { addGradients } from './autodiff.ts';
import { type Attribute, Graph, type Value } from './graph.ts';
import { toOnnx } from './onnx-writer.ts';
import {
  Add,
  ConstantOfShape,
  Gather,
  LayerNormalization,
  Linear,
  MatMul,
  ReduceSum,
  Shape,
  sumAll,
} from './ops/index.ts';

function decode(graph: Graph): ModelProto {
  return fromBinary(ModelProtoSchema, toOnnx(graph));
}

function shapeOf(info: ValueInfoProto): { name: string; type: ElementType; dims: (number | string)[] } {
  const tensor = info.type?.value;
  if (tensor?.case !== 'tensorType') throw new Error('a tensor type expected');
  const dims = tensor.value.shape!.dim.map(({ value }) =>
    value.case === 'dimParam' ? value.value : Number(value.value),
  );
  return { name: info.name, type: tensor.value.elemType, dims };
}

function attributeValue(attribute: AttributeProto): unknown {
  switch (attribute.type) {
    case AttributeType.FLOAT:
      return { float: attribute.f };
    case AttributeType.INT:
      return Number(attribute.i);
    case AttributeType.STRING:
      return new TextDecoder().decode(attribute.s);
    case AttributeType.TENSOR:
      return contentOf(attribute.t!);
    case AttributeType.INTS:
      return attribute.ints.map(Number);
    default:
      throw new Error(`attribute type ${attribute.type}`);
  }
}

function contentOf(tensor: TensorProto): { type: ElementType; dims: number[]; values: number[] } {
  const buffer = tensor.rawData.slice().buffer;
  const arrays: Partial<Record<number, ArrayLike<number | bigint>>> = {
    [ElementType.FLOAT]: new Float32Array(buffer.slice(0, buffer.byteLength & ~3)),
    [ElementType.INT32]: new Int32Array(buffer.slice(0, buffer.byteLength & ~3)),
    [ElementType.INT64]: new BigInt64Array(buffer.slice(0, buffer.byteLength & ~7)),
    [ElementType.BOOL]: new Uint8Array(buffer),
  };
  const values = Array.from(arrays[tensor.dataType!]!, Number);
  return { type: tensor.dataType!, dims: tensor.dims.map(Number), values };
}

describe('toOnnx', () => {
  const graph = new Graph();
  const ids = graph.feed('ids', 'int64', ['tokens']);
  const table = graph.variable('embeddings.table', [7, 4]);
  const hidden = LayerNormalization(
    Gather(table, ids),
    graph.variable('scale', [4]),
    graph.variable('shift', [4]),
    1e-12,
  );
  const scores = MatMul(hidden, table, { transB: true, alpha: 0.25 });
  graph.output('scores', scores);
  graph.output('total', ReduceSum(scores, [0, 1], false));
  addGradients(graph, sumAll(scores));
  const model = decode(graph);

  it('writes a model of IR 9 with opset 20, and the domain of fused operators where they are used', () => {
    expect(Number(model.irVersion)).toBe(9);
    expect(model.producerName).toBe('lexray');
    expect(model.opsetImport.map(({ domain, version }) => [domain, Number(version)])).toEqual([
      ['', 20],
      ['com.microsoft', 1],
    ]);
    const plain = new Graph();
    plain.output('y', Add(plain.feed('x', 'float32', []), 1));
    expect(decode(plain).opsetImport.map(({ domain }) => domain)).toEqual(['']);
  });

  it('makes variables and feeds inputs, with their symbolic dimensions, and puts no parameter into the file', () => {
    expect(model.graph!.input.map(shapeOf)).toEqual([
      { name: 'embeddings.table', type: ElementType.FLOAT, dims: [7, 4] },
      { name: 'scale', type: ElementType.FLOAT, dims: [4] },
      { name: 'shift', type: ElementType.FLOAT, dims: [4] },
      { name: 'ids', type: ElementType.INT64, dims: ['tokens'] },
    ]);
    const names = new Set(model.graph!.input.map(({ name }) => name));
    expect(model.graph!.initializer.some(({ name }) => names.has(name))).toBe(false);
  });

  it('names outputs and gradients', () => {
    const outputs = model.graph!.output.map(shapeOf);
    expect(outputs.slice(0, 2)).toEqual([
      { name: 'scores', type: ElementType.FLOAT, dims: ['tokens', 7] },
      { name: 'total', type: ElementType.FLOAT, dims: [] },
    ]);
    expect(outputs.slice(2).sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: 'gradient of embeddings.table', type: ElementType.FLOAT, dims: [7, 4] },
      { name: 'gradient of scale', type: ElementType.FLOAT, dims: [4] },
      { name: 'gradient of shift', type: ElementType.FLOAT, dims: [4] },
      // The rows that the gathering adds to the gradient of the table.
      { name: 'scatter operand 0', type: ElementType.INT64, dims: ['tokens'] },
      { name: 'scatter operand 1', type: ElementType.FLOAT, dims: ['tokens', 4] },
    ]);
  });

  it('writes every node with its operands and attributes, each name defined once and before its use', () => {
    const nodes = model.graph!.node;
    // An output has its own name already at the node that makes it.
    const outputs = new Map([...graph.outputs].map(([name, value]) => [value, name]));
    graph.gradientOutputs.forEach((value, name) => {
      outputs.set(value, `gradient of ${name}`);
    });
    graph.scatterGradients.forEach(([scatter]) => {
      outputs.set(scatter!.values, 'scatter operand 1');
    });
    const nameOf = (value: Value | undefined): string => (value ? (outputs.get(value) ?? value.name) : '');
    graph.nodes.forEach((node, i) => {
      const written = nodes[i]!;
      expect([written.opType, written.domain]).toEqual([node.op, node.domain]);
      expect(written.input).toEqual(node.inputs.map(nameOf));
      expect(written.output).toEqual(node.outputs.map(nameOf));
      const attributes = Object.fromEntries(
        written.attribute.map((attribute) => [attribute.name, attributeValue(attribute)]),
      );
      expect(Object.keys(attributes)).toEqual(Object.keys(node.attributes));
    });
    const fused = nodes.find(({ opType }) => opType === 'FusedMatMul')!;
    expect(fused.attribute.map((attribute) => [attribute.name, attributeValue(attribute)])).toEqual([
      ['transA', 0],
      ['transB', 1],
      ['alpha', { float: 0.25 }],
    ]);
    const defined = new Set([...model.graph!.input, ...model.graph!.initializer].map(({ name }) => name));
    for (const node of nodes) {
      for (const name of node.input) expect(name === '' || defined.has(name), name).toBe(true);
      for (const name of node.output) {
        expect(defined.has(name), name).toBe(false);
        defined.add(name);
      }
    }
    expect(model.graph!.output.every(({ name }) => defined.has(name))).toBe(true);
    expect(new Set(nodes.map(({ name }) => name)).size).toBe(nodes.length);
  });

  it('says the shape of every value between nodes', () => {
    const written = new Map(model.graph!.valueInfo.map((info) => [info.name, shapeOf(info)]));
    const outputs = new Set(model.graph!.output.map(({ name }) => name));
    const between = model
      .graph!.node.slice(0, graph.nodes.length)
      .flatMap(({ output }) => output)
      .filter((name) => !outputs.has(name));
    expect([...written.keys()]).toEqual(between);
    // Symbolic sizes of values on both sides of a matrix product must not look equal.
    const dims = (op: string): unknown => {
      const [output] = graph.nodes.find((node) => node.op === op)!.outputs;
      return written.get(output!.name)?.dims;
    };
    expect(dims('LayerNormalization')).toEqual(['tokens 0', 4]);
    expect(dims('Expand')).toEqual(['tokens 1', 7]);
  });

  it('copies an input that is put out, and an output of two names', () => {
    const copies = new Graph();
    const x = copies.feed('x', 'float32', [2]);
    const y = Add(x, 1);
    copies.output('same', x);
    copies.output('y', y);
    copies.output('y again', y);
    const nodes = decode(copies).graph!.node.map(({ opType, input, output }) => [opType, input.join(), output.join()]);
    expect(nodes.filter(([op]) => op !== 'Size')).toEqual([
      ['Add', 'x,constant_0', 'y'],
      ['Identity', 'x', 'same'],
      ['Identity', 'y', 'y again'],
    ]);
  });

  it('writes constants of every type, the large ones too', () => {
    const constants = new Graph();
    const large = Float32Array.from({ length: 70_000 }, (_, i) => i / 7);
    constants.constant('float32', [7, 10_000], large);
    constants.constant('int64', [3], BigInt64Array.of(-1n, 2n ** 40n, 0n));
    constants.constant('int32', [], Int32Array.of(-5));
    constants.constant('bool', [1, 2], Uint8Array.of(1, 0));
    constants.constant('float32', [0, 3], new Float32Array(0));
    // A view into a larger array: only its own part may be written.
    constants.constant('float32', [2], Float32Array.of(9, 1, 2, 9).subarray(1, 3));
    expect(decode(constants).graph!.initializer.map(contentOf)).toEqual([
      { type: ElementType.FLOAT, dims: [7, 10_000], values: [...large] },
      { type: ElementType.INT64, dims: [3], values: [-1, 2 ** 40, 0] },
      { type: ElementType.INT32, dims: [], values: [-5] },
      { type: ElementType.BOOL, dims: [1, 2], values: [1, 0] },
      { type: ElementType.FLOAT, dims: [0, 3], values: [] },
      { type: ElementType.FLOAT, dims: [2], values: [1, 2] },
    ]);
  });

  it('leaves the place of an absent optional input empty', () => {
    const sparse = new Graph();
    const x = sparse.feed('x', 'float32', [2]);
    sparse.node('Anything', [x, undefined, x], [x]);
    expect(decode(sparse).graph!.node[0]!.input).toEqual(['x', '', 'x']);
  });

  it('writes tensors as attributes', () => {
    const filled = new Graph();
    ConstantOfShape(Shape(filled.feed('x', 'float32', ['n'])), ['n'], -2.5);
    const [attribute] = decode(filled).graph!.node[1]!.attribute;
    expect(attributeValue(attribute!)).toEqual({ type: ElementType.FLOAT, dims: [1], values: [-2.5] });
  });

  it('writes any integers, floats, texts and sizes as attributes and dimensions', () => {
    const integer = fc.maxSafeInteger();
    const text = fc.array(fc.integer({ min: 0x20, max: 0xd7ff }), { minLength: 1, maxLength: 8 });
    const string = text.map((codes) => String.fromCodePoint(...codes));
    const attribute: fc.Arbitrary<Attribute> = fc.oneof(
      integer,
      fc.array(integer),
      string,
      fc.constant(''),
      fc.float({ noNaN: true }).map((x) => ({ float: x })),
    );
    const dims = fc.array(fc.oneof(fc.nat(), string));
    fc.assert(
      fc.property(fc.array(attribute), dims, (attributes, shape) => {
        const any = new Graph();
        const x = any.feed('x', 'bool', shape);
        any.node('Anything', [x], [x], Object.fromEntries(attributes.map((value, i) => [`a${i}`, value])));
        const { graph: decoded } = decode(any);
        expect(decoded!.node[0]!.attribute.map(attributeValue)).toEqual(attributes);
        expect(decoded!.input.map(shapeOf)).toEqual([{ name: 'x', type: ElementType.BOOL, dims: shape }]);
      }),
      { numRuns: 50 },
    );
  });

  it('writes a linear layer as Gemm', () => {
    const linear = new Graph();
    const x = linear.feed('x', 'float32', ['n', 3]);
    linear.output('y', Linear(x, linear.variable('weight', [2, 3]), linear.variable('bias', [2])));
    const [node] = decode(linear).graph!.node;
    expect(node!.opType).toBe('Gemm');
    expect(node!.input).toEqual(['x', 'weight', 'bias']);
    expect(node!.attribute.map((attribute) => [attribute.name, attributeValue(attribute)])).toEqual([['transB', 1]]);
  });
});
