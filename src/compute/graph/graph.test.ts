import { describe, expect, it } from 'vitest';
import { Graph } from './graph.ts';
import { Add, Concat, Greater, Linear, MatMul, Neg, ReduceSum, Transpose } from './ops/index.ts';

describe('Graph', () => {
  it('gives the same value for the same variable, feed or small constant', () => {
    const graph = new Graph();
    expect(graph.variable('w', [2, 3])).toBe(graph.variable('w', [2, 3]));
    expect(graph.feed('x', 'float32', ['n'])).toBe(graph.feed('x', 'float32', ['n']));
    expect(graph.scalar(0.5)).toBe(graph.scalar(0.5));
    expect(graph.scalar(1)).not.toBe(graph.int64([1]));
    expect(graph.int64([1])).not.toBe(graph.constant('int64', [], BigInt64Array.of(1n)));
    expect(graph.constants.size).toBe(4);
  });

  it('keeps −0 and 0 apart', () => {
    const graph = new Graph();
    expect(graph.scalar(-0)).not.toBe(graph.scalar(0));
  });

  it('refuses a variable or feed that comes again otherwise', () => {
    const graph = new Graph();
    graph.variable('w', [2, 3]);
    graph.feed('x', 'float32', ['n']);
    expect(() => graph.variable('w', [3, 2])).toThrow('variable w: dimensions [2,3] expected, got [3,2]');
    expect(() => graph.feed('x', 'int64', ['n'])).toThrow('feed x: float32 [n] expected, got int64 [n]');
    expect(() => graph.feed('x', 'float32', ['m'])).toThrow('feed x: float32 [n] expected, got float32 [m]');
  });

  it('refuses one name for two things, which ONNX cannot tell apart', () => {
    const graph = new Graph();
    const x = graph.feed('x', 'float32', ['n']);
    const y = Add(x, 1);
    expect(() => graph.variable('x', [1])).toThrow('the name x is taken');
    expect(() => graph.output('x', y)).toThrow('output x: a value of that name exists already');
    expect(() => graph.output(y.name, y)).toThrow('exists already');
    graph.output('y', y);
    expect(() => graph.feed('y', 'float32', [])).toThrow('the name y is taken');
  });

  it('refuses a constant whose data do not fill its shape', () => {
    expect(() => new Graph().constant('float32', [2, 2], Float32Array.of(1, 2, 3))).toThrow(
      'constant: [2,2] has 4 elements, got 3',
    );
  });
});

describe('shapes', () => {
  const graph = new Graph();
  const matrix = graph.feed('matrix', 'float32', ['n', 3]);
  const other = graph.feed('other', 'float32', ['m', 3]);

  it('follow from those of the operands', () => {
    expect(Add(matrix, graph.scalar(1)).dims).toEqual(['n', 3]);
    expect(Greater(matrix, graph.variable('column', [1, 3])).dims).toEqual(['n', 3]);
    expect(MatMul(matrix, other, { transB: true }).dims).toEqual(['n', 'm']);
    expect(Linear(matrix, graph.variable('weight', [5, 3])).dims).toEqual(['n', 5]);
    expect(ReduceSum(matrix, [-1], false).dims).toEqual(['n']);
    expect(ReduceSum(matrix, [0], true).dims).toEqual([1, 3]);
    expect(Transpose(matrix, [1, 0]).dims).toEqual([3, 'n']);
  });

  it('that do not fit are refused while the graph is built', () => {
    expect(() => Add(matrix, other)).toThrow('Add: shapes [n,3] and [m,3] do not broadcast');
    expect(() => Add(matrix, graph.variable('two', [2]))).toThrow('do not broadcast');
    expect(() => Add(matrix, graph.int64([1]))).toThrow('Add: types float32 and int64 differ');
    expect(() => MatMul(matrix, other)).toThrow('MatMul: dimensions 3 and m differ');
    expect(() => Linear(matrix, graph.variable('narrow', [5, 2]))).toThrow('Gemm: dimensions 3 and 2 differ');
    expect(() => ReduceSum(matrix, [2], true)).toThrow('ReduceSum: axis 2 is outside rank 2');
    expect(() => Concat([matrix, Neg(graph.variable('wide', [1, 4]))], 0, 'all')).toThrow('Concat: dimensions');
    expect(() => Concat([], 0, 0)).toThrow('Concat: at least one value expected');
  });
});
