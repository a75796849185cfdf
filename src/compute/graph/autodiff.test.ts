import { describe, expect, it } from 'vitest';
import type { Tensor } from '../runtime/engine.ts';
import { interpretedGradients } from '../runtime/reference/gradients.ts';
import { interpret } from '../runtime/reference/interpret.ts';
import { fromTensor } from '../runtime/reference/tensor.ts';
import { addGradients } from './autodiff.ts';
import { Graph, type Value } from './graph.ts';
import { Add, accumulate, Cast, Gather, Greater, Linear, Mul, Neg, Relu, Reshape, sumAll, Tanh } from './ops/index.ts';

function gradientsOf(graph: Graph, inputs: Readonly<Record<string, Tensor>>): Record<string, number[]> {
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
    expect(gradientsOf(graph, { a: float32([2], [1, -2]), b: float32([2], [5, 7]) })).toEqual({
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
    expect(gradientsOf(graph, { weight: float32([3, 1], [1, 10, 100]) })).toEqual({ weight: [312, 201, 423] });
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
    expect(gradientsOf(graph, { a: float32([3], [-1, 0, 2]) })).toEqual({ a: [0, 0, 1] });
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
    expect(gradientsOf(graph, { a: float32([2], [3, 4]) })).toEqual({ a: [-2, -2] });
  });

  it('builds the gradients of variables last, those of the first layers first', () => {
    const graph = new Graph();
    let x: Value = graph.feed('x', 'float32', ['n', 2]);
    for (const layer of ['first', 'second', 'third']) x = Tanh(Linear(x, graph.variable(layer, [2, 2])));
    expect(addGradients(graph, sumAll(x))).toEqual(['first', 'second', 'third']);
    const names = graph.nodes.slice(-3).map((node) => node.outputs[0]!.name);
    expect(names).toEqual([...graph.gradientOutputs.values()].map((value) => value.name));
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
