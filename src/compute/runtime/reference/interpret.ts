/**
 * Interprets a graph node by node. Everything is computed in double precision; with `float32` each result of that type
 * is rounded once. What the graph declares of each value is checked against what comes out: element type, sizes,
 * and that a symbolic dimension has one size throughout.
 */
import { LexrayError } from '../../../util/errors.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { kernelFor } from './kernels.ts';
import { fromTensor, type ReferenceTensor } from './tensor.ts';

/** Whether float32 values are rounded to it (`float32`) or kept in double precision (`float64`). */
export type Precision = 'float64' | 'float32';

/** The parts of a graph that are interpreted. */
export type InterpretedGraph = Pick<Graph, 'nodes' | 'constants' | 'variables' | 'feeds'>;

/**
 * Computes all values of a graph.
 * @param inputs variables and feeds by name
 * @returns every value by name: inputs, constants and what each node puts out
 * @throws LexrayError when an input is missing, an operator is unknown, or a value is not what the graph declares
 */
export function interpret(
  graph: InterpretedGraph,
  inputs: ReadonlyMap<string, ReferenceTensor>,
  precision: Precision = 'float64',
): Map<string, ReferenceTensor> {
  const values = new Map<string, ReferenceTensor>();
  const sizes = new Map<string, number>();
  const put = (declared: Value, tensor: ReferenceTensor, where: string): void => {
    checkDeclared(declared, tensor, sizes, where);
    values.set(declared.name, precision === 'float32' ? rounded(tensor) : tensor);
  };

  for (const [name, constant] of graph.constants) values.set(name, fromTensor(constant));
  for (const declared of [...graph.variables.values(), ...graph.feeds.values()]) {
    const tensor = inputs.get(declared.name);
    if (tensor === undefined) throw new LexrayError('FAILED', `the input ${declared.name} is missing`);
    put(declared, tensor, `input ${declared.name}`);
  }
  for (const node of graph.nodes) {
    const kernel = kernelFor(node);
    const operands = node.inputs.map((value) => value && values.get(value.name)!);
    const outputs = kernel.compute({ node, inputs: operands });
    node.outputs.forEach((declared, i) => {
      const output = outputs[i];
      if (output === undefined) throw new LexrayError('FAILED', `${node.op} has no output ${i}`);
      put(declared, output, `${node.op}, output ${declared.name}`);
    });
  }
  return values;
}

function checkDeclared(declared: Value, tensor: ReferenceTensor, sizes: Map<string, number>, where: string): void {
  const fits =
    declared.dtype === tensor.dtype &&
    declared.dims.length === tensor.dims.length &&
    declared.dims.every((dim, axis) => {
      const actual = tensor.dims[axis]!;
      if (typeof dim === 'number') return dim === actual;
      const known = sizes.get(dim);
      if (known === undefined) sizes.set(dim, actual);
      return known === undefined || known === actual;
    });
  if (fits) return;
  const expected = declared.dims.map((dim) =>
    typeof dim === 'number' || !sizes.has(dim) ? `${dim}` : `${dim} = ${sizes.get(dim)}`,
  );
  throw new LexrayError(
    'FAILED',
    `${where}: ${declared.dtype} [${expected.join(', ')}] expected, got ${tensor.dtype} [${tensor.dims.join(', ')}]`,
  );
}

function rounded(tensor: ReferenceTensor): ReferenceTensor {
  return tensor.dtype === 'float32' ? { ...tensor, data: tensor.data.map(Math.fround) } : tensor;
}
