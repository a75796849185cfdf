import { describe, expect, it } from 'vitest';
import type { Tensor } from '../runtime/engine.ts';
import { interpretedGradients } from '../runtime/reference/gradients.ts';
import { interpret } from '../runtime/reference/interpret.ts';
import { fromTensor } from '../runtime/reference/tensor.ts';
import { addGradients, gradientsOf } from './autodiff.ts';
import { Graph, type Value } from './graph.ts';
import { Add, accumulate, Cast, Gather, Greater, Linear, Mul, Neg, Relu, Reshape, sumAll, Tanh } from './ops/index.ts';

function computedGradients(graph: Graph, inputs: Readonly<Record<string, Tensor>>): Record<string, number[]> {
  const values = interpret(graph, new Map(Object.entries(inputs).map(([name, tensor]) => [name, fromTensor(tensor)])));
  return Object.fromEntries([...interpretedGradients(graph, values)].map(([name, gradient]) => [name, [...gradient]]));
}

function float32(dims: readonly number[], values: readonly number[]): Tensor {
  return { dtype: 'float32', dims, data: Float32Array.from(values) };
}

describe('addGradients', () => {
  it('multiplies along a chain and adds where a variable is used twice', () => {
    const graph = new Graph();
    const [a, b] = [graph.variable('a', [2]), graph.variable('b', [2])];
    expect(addGradients(graph, sumAll(Add(Mul(a, b), Mul(Mul(a, a), 3)))).sort()).toEqual(['a', 'b']);
    // d/da (ab + 3a²) = b + 6a
    expect(computedGradients(graph, { a: float32([2], [1, -2]), b: float32([2], [5, 7]) })).toEqual({
      a: [11, -5],
      b: [1, -2],
    });
  });

  it('adds up the two uses of a tied weight, as a table and as a layer', () => {
    const graph = new Graph();
    const weight = graph.variable('weight', [3, 1]);
    const rows = Gather(weight, graph.int64([2, 0, 2]));
    addGradients(graph, sumAll(Linear(rows, weight)));
    // The loss is (w₂ + w₀ + w₂)·(w₀ + w₁ + w₂) with w = (1, 10, 100): as table (1, 0, 2)·111, as layer 201 each.
    expect(computedGradients(graph, { weight: float32([3, 1], [1, 10, 100]) })).toEqual({ weight: [312, 201, 423] });
  });

  it('gives gradients only to the variables that are asked for and that the loss depends on', () => {
    const graph = new Graph();
    const [a, b] = [graph.variable('a', [1]), graph.variable('b', [1])];
    graph.variable('c', [1]);
    const loss = sumAll(Mul(Tanh(a), b));
    expect(addGradients(graph, loss, new Set(['b', 'c']))).toEqual(['b']);
    expect([...graph.gradientOutputs.keys()]).toEqual(['b']);
    expect(addGradients(graph, loss, new Set(['a', 'b'])).sort()).toEqual(['a', 'b']);
  });

  it('builds nothing for values that no trained variable reaches', () => {
    const graph = new Graph();
    const frozen = Tanh(Tanh(graph.variable('a', [2, 2])));
    const loss = sumAll(Mul(frozen, graph.variable('b', [2, 2])));
    const forward = graph.nodes.length;
    addGradients(graph, loss, new Set(['b']));
    const backward = graph.nodes.slice(forward);
    const both = new Graph();
    const whole = sumAll(Mul(Tanh(Tanh(both.variable('a', [2, 2]))), both.variable('b', [2, 2])));
    addGradients(both, whole);
    expect(backward.length).toBeLessThan(both.nodes.length - forward);
    expect(backward.every((node) => node.inputs.every((input) => input !== frozen || node.op === 'Mul'))).toBe(true);
  });

  it('gives Relu the gradient 0 at 0', () => {
    const graph = new Graph();
    addGradients(graph, sumAll(Relu(graph.variable('a', [3]))));
    expect(computedGradients(graph, { a: float32([3], [-1, 0, 2]) })).toEqual({ a: [0, 0, 1] });
  });

  it('stops at Greater and Cast', () => {
    const graph = new Graph();
    const a = graph.variable('a', [2]);
    expect(addGradients(graph, sumAll(Cast(Greater(a, 0), 'float32')))).toEqual([]);
  });

  it('takes the differentiation that a step gives, in place of those inside it', () => {
    const graph = new Graph();
    const a = graph.variable('a', [2]);
    const squared = graph.withoutDifferentiation(() => Mul(a, a));
    // A straight-through step: its gradient is minus what comes in.
    graph.differentiate({
      inputs: [a],
      outputs: [squared],
      backward: ([gradient]) => [accumulate(a, a.dims, () => Neg(gradient!))],
    });
    addGradients(graph, sumAll(Mul(squared, 2)));
    expect(computedGradients(graph, { a: float32([2], [3, 4]) })).toEqual({ a: [-2, -2] });
  });

  it('emits the gradient of a variable before anything of the layers before', () => {
    const graph = new Graph();
    let x: Value = graph.feed('x', 'float32', ['n', 2]);
    for (const layer of ['first', 'second', 'third']) x = Tanh(Linear(x, graph.variable(layer, [2, 2])));
    expect(addGradients(graph, sumAll(x))).toEqual(['third', 'second', 'first']);
    const places = ['third', 'second', 'first'].map((layer) =>
      graph.nodes.findIndex(({ outputs }) => outputs.includes(graph.gradientOutputs.get(layer)!)),
    );
    // A layer's backward pass: Mul, Sub, Neg, Mul of tanh, then Gemm to its input (not in the first layer) and to its weight.
    const between = places.slice(1).map((place, i) => graph.nodes.slice(places[i]! + 1, place + 1).map(({ op }) => op));
    expect(between[0]!.filter((op) => op === 'Gemm').length).toBe(2);
    expect(between[1]!.filter((op) => op === 'Gemm').length).toBe(1);
  });

  it('refuses a loss that is not a scalar', () => {
    const graph = new Graph();
    const loss = Mul(graph.variable('a', [2]), 2);
    expect(() => addGradients(graph, loss)).toThrow('the loss must be a scalar, got shape [2]');
  });

  it('refuses a gradient through Gather by a matrix of indices', () => {
    const graph = new Graph();
    const ids = Reshape(graph.int64([0, 1]), [1, 2]);
    const loss = sumAll(Gather(graph.variable('a', [2, 2]), ids));
    expect(() => addGradients(graph, loss)).toThrow('Gather: a gradient needs indices of rank 1, got [1,2]');
  });
});

describe('gradientsOf', () => {
  it('gives gradients of feeds and variables as values, 0 where nothing flows', () => {
    const graph = new Graph();
    const [x, table, unused] = [
      graph.feed('x', 'float32', ['n']),
      graph.feed('table', 'float32', ['rows', 2]),
      graph.feed('unused', 'float32', ['m']),
    ];
    const w = graph.variable('w', [1]);
    const rows = Gather(table, graph.int64([1, 0, 1]));
    const loss = Add(sumAll(Mul(Mul(x, x), w)), Add(sumAll(rows), sumAll(Mul(table, 5))));
    const gradients = gradientsOf(graph, loss, [x, table, unused, w]);
    const inputs = {
      x: float32([3], [1, -2, 3]),
      table: float32([2, 2], [1, 2, 3, 4]),
      unused: float32([2], [1, 1]),
      w: float32([1], [10]),
    };
    const values = interpret(
      graph,
      new Map(Object.entries(inputs).map(([name, tensor]) => [name, fromTensor(tensor)])),
    );
    // x: 2xw. table: how often a row is taken, plus 5. w: Σ x².
    expect(gradients.map((gradient) => [...values.get(gradient.name)!.data])).toEqual([
      [20, -40, 60],
      [6, 6, 7, 7],
      [0, 0],
      [14],
    ]);
    expect(gradients.map((gradient) => gradient.dims)).toEqual([['n'], ['rows', 2], ['m'], [1]]);
    expect(graph.gradientOutputs.size).toBe(0);
  });

  it('leaves a graph that can be differentiated by its variables too', () => {
    const graph = new Graph();
    const [x, w] = [graph.feed('x', 'float32', [1]), graph.variable('w', [1])];
    const loss = sumAll(Mul(x, w));
    const [gradient] = gradientsOf(graph, loss, [x]);
    expect(addGradients(graph, loss)).toEqual(['w']);
    const inputs = { x: float32([1], [3]), w: float32([1], [4]) };
    expect(computedGradients(graph, inputs)).toEqual({ w: [3] });
    const values = interpret(
      graph,
      new Map(Object.entries(inputs).map(([name, tensor]) => [name, fromTensor(tensor)])),
    );
    expect([...values.get(gradient!.name)!.data]).toEqual([4]);
  });

  it('refuses a value inside the graph', () => {
    const graph = new Graph();
    const y = Tanh(graph.variable('w', [1]));
    expect(() => gradientsOf(graph, sumAll(y), [y])).toThrow('is neither a feed nor a variable');
  });
});
