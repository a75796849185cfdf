import { describe, expect, it } from 'vitest';
import { type Attribute, Graph, type Value, type ValueSpec } from '../../graph/graph.ts';
import { Add, Gather, Mul } from '../../graph/ops/index.ts';
import { interpret } from './interpret.ts';
import { type ReferenceTensor, tensorFrom } from './tensor.ts';

function float32(dims: readonly number[], values: readonly number[]): ReferenceTensor {
  return { dtype: 'float32', dims, data: Float64Array.from(values) };
}

/** One node over constants: its outputs. */
function evaluate(
  op: string,
  inputs: (graph: Graph) => readonly (Value | undefined)[],
  outputs: readonly ValueSpec[],
  attributes: Readonly<Record<string, Attribute>> = {},
): ReferenceTensor[] {
  const graph = new Graph();
  const values = graph.node(op, inputs(graph), outputs, attributes);
  const all = interpret(graph, new Map());
  return values.map(({ name }) => all.get(name)!);
}

function matrix(graph: Graph, dims: readonly number[], values: readonly number[]): Value {
  return graph.constant('float32', dims, Float32Array.from(values));
}

describe('interpret', () => {
  it('returns every value in double precision, and leaves its inputs alone', () => {
    const graph = new Graph();
    const x = graph.variable('x', [2]);
    const y = Mul(Add(x, 2 ** -40), 2);
    const input = float32([2], [1, 1 / 3]);
    const values = interpret(graph, new Map([['x', input]]));
    expect([...values.get(y.name)!.data]).toEqual([2 + 2 ** -39, 2 * (1 / 3 + 2 ** -40)]);
    expect([...input.data]).toEqual([1, 1 / 3]);
    const rounded = interpret(graph, new Map([['x', input]]), 'float32').get(y.name)!;
    expect([...rounded.data]).toEqual([2, 2 * Math.fround(1 / 3)]);
  });

  it('names an operator, a domain or an attribute that it does not know', () => {
    const spec = { dtype: 'float32', dims: [1] } as const;
    const operand = (graph: Graph): Value[] => [matrix(graph, [1], [1])];
    expect(() => evaluate('Conv', operand, [spec])).toThrow('the reference engine has no operator Conv');
    expect(() => evaluate('toString', operand, [spec])).toThrow('has no operator toString');
    expect(() => evaluate('Neg', operand, [spec], { alpha: 1 })).toThrow(
      "engine's Neg does not know the attribute alpha",
    );
    const graph = new Graph();
    graph.node('MatMul', [], [spec], {}, 'com.microsoft');
    expect(() => interpret(graph, new Map())).toThrow('has no operator com.microsoft.MatMul');
  });

  it('says which input is missing or has another shape or type than declared', () => {
    const graph = new Graph();
    graph.variable('x', [2, 3]);
    expect(() => interpret(graph, new Map())).toThrow('the input x is missing');
    const tall = new Map([['x', float32([3, 2], [1, 2, 3, 4, 5, 6])]]);
    expect(() => interpret(graph, tall)).toThrow('input x: float32 [2, 3] expected, got float32 [3, 2]');
  });

  it('checks what the graph declares of each result', () => {
    const wrongShape = (): unknown =>
      evaluate('Neg', (graph) => [matrix(graph, [2], [1, 2])], [{ dtype: 'float32', dims: [3] }]);
    expect(wrongShape).toThrow(/^Neg, output Neg_\d+: float32 \[3\] expected, got float32 \[2\]$/);
    const wrongType = (): unknown =>
      evaluate('Shape', (graph) => [matrix(graph, [2], [1, 2])], [{ dtype: 'float32', dims: [1] }]);
    expect(wrongType).toThrow('float32 [1] expected, got int64 [1]');
  });

  it('gives a symbolic dimension one size throughout', () => {
    const graph = new Graph();
    const x = graph.feed('x', 'float32', ['n', 2]);
    const ids = graph.feed('ids', 'int64', ['m']);
    graph.node('Gather', [x, ids], [{ dtype: 'float32', dims: ['n', 2] }], { axis: 0 });
    const inputs = (count: number): Map<string, ReferenceTensor> =>
      new Map([
        ['x', float32([2, 2], [1, 2, 3, 4])],
        ['ids', tensorFrom('int64', [count], () => 1)],
      ]);
    expect(() => interpret(graph, inputs(2))).not.toThrow();
    expect(() => interpret(graph, inputs(3))).toThrow('float32 [n = 2, 2] expected, got float32 [3, 2]');
  });

  it('refuses an index outside of its axis', () => {
    const graph = new Graph();
    Gather(graph.variable('x', [2]), graph.int64([2]));
    expect(() => interpret(graph, new Map([['x', float32([2], [1, 2])]]))).toThrow(
      'Gather: index 2 is outside an axis of size 2',
    );
  });
});

describe('reference operators that the graph builders do not reach in every form', () => {
  it('Where chooses by a condition that broadcasts', () => {
    const [y] = evaluate(
      'Where',
      (graph) => [
        graph.constant('bool', [2, 1], Uint8Array.of(1, 0)),
        matrix(graph, [3], [1, 2, 3]),
        matrix(graph, [], [-1]),
      ],
      [{ dtype: 'float32', dims: [2, 3] }],
    );
    expect([...y!.data]).toEqual([1, 2, 3, -1, -1, -1]);
  });

  it('Identity copies', () => {
    const [y] = evaluate('Identity', (graph) => [matrix(graph, [2], [1, 2])], [{ dtype: 'float32', dims: [2] }]);
    expect(y).toEqual(float32([2], [1, 2]));
  });

  it('Div of integers drops the remainder', () => {
    const [y] = evaluate('Div', (graph) => [graph.int64([7, -7]), graph.int64([2])], [{ dtype: 'int64', dims: [2] }]);
    expect([...y!.data]).toEqual([3, -3]);
  });

  it('Slice counts from the end and stays inside', () => {
    const slice = (start: number, end: number, size: number): number[] => {
      const [y] = evaluate(
        'Slice',
        (graph) => [matrix(graph, [4], [0, 1, 2, 3]), graph.int64([start]), graph.int64([end])],
        [{ dtype: 'float32', dims: [size] }],
      );
      return [...y!.data];
    };
    expect(slice(-3, -1, 2)).toEqual([1, 2]);
    expect(slice(2, 99, 2)).toEqual([2, 3]);
    expect(slice(3, 1, 0)).toEqual([]);
  });

  it('Reshape copies a size where the shape says 0, unless zeros are allowed', () => {
    const reshape = (attributes: Readonly<Record<string, Attribute>>): unknown =>
      evaluate(
        'Reshape',
        (graph) => [matrix(graph, [2, 3], [1, 2, 3, 4, 5, 6]), graph.int64([0, 3])],
        [{ dtype: 'float32', dims: [2, 3] }],
        attributes,
      );
    expect(reshape({})).toEqual([float32([2, 3], [1, 2, 3, 4, 5, 6])]);
    expect(() => reshape({ allowzero: 1 })).toThrow('Reshape: [2,3] to [0,3] changes the number of elements');
  });

  it('Gemm is alpha·aᵀ·b + beta·c', () => {
    const [y] = evaluate(
      'Gemm',
      (graph) => [matrix(graph, [2, 1], [1, 2]), matrix(graph, [2, 2], [1, 2, 3, 4]), matrix(graph, [1, 2], [1, -1])],
      [{ dtype: 'float32', dims: [1, 2] }],
      { transA: 1, alpha: { float: 0.5 }, beta: { float: 10 } },
    );
    expect([...y!.data]).toEqual([3.5 + 10, 5 - 10]);
  });

  it('MatMul repeats matrices along axes of size 1', () => {
    const [y] = evaluate(
      'MatMul',
      (graph) => [matrix(graph, [2, 1, 2], [1, 2, 3, 4]), matrix(graph, [2, 1], [10, 1])],
      [{ dtype: 'float32', dims: [2, 1, 1] }],
    );
    expect([...y!.data]).toEqual([12, 34]);
  });

  it('reductions without axes are over all of them', () => {
    const [y] = evaluate('ReduceMax', (graph) => [matrix(graph, [2, 2], [1, 7, 3, 4])], [
      { dtype: 'float32', dims: [1, 1] },
    ]);
    expect([...y!.data]).toEqual([7]);
  });

  it('Gelu is exact or by tanh', () => {
    const gelu = (approximate: string): number => {
      const inputs = (graph: Graph): Value[] => [matrix(graph, [1], [1.5])];
      return evaluate('Gelu', inputs, [{ dtype: 'float32', dims: [1] }], { approximate })[0]!.data[0]!;
    };
    // 1.5·Φ(1.5) with Φ(1.5) = 0.93319279873114191, and the approximation by mpmath.
    expect(gelu('none')).toBeCloseTo(1.399789198096713, 14);
    expect(gelu('tanh')).toBeCloseTo(1.39957157698023, 13);
  });
});
