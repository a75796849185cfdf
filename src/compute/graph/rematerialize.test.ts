import { describe, expect, it } from 'vitest';
import { interpret } from '../runtime/reference/interpret.ts';
import { fromTensor } from '../runtime/reference/tensor.ts';
import { addGradients } from './autodiff.ts';
import { Graph, type Value } from './graph.ts';
import { Gelu, LayerNormalization, Linear, Mul, sumAll, Tanh } from './ops/index.ts';

/** How often each operator occurs before and after the loss. */
function counts(graph: Graph, op: string, forward: number): [number, number] {
  const count = (nodes: readonly { op: string }[]): number => nodes.filter((node) => node.op === op).length;
  return [count(graph.nodes.slice(0, forward)), count(graph.nodes.slice(forward))];
}

describe('rematerialize', () => {
  /** Two layers: Gelu of a linear layer, then a norm. */
  function network(): { graph: Graph; loss: Value; hidden: Value[] } {
    const graph = new Graph();
    const hidden: Value[] = [];
    let x: Value = graph.feed('x', 'float32', ['n', 2]);
    for (const layer of ['first', 'second']) {
      x = Gelu(Linear(x, graph.variable(layer, [2, 2])));
      hidden.push(x);
      x = LayerNormalization(x, graph.variable(`${layer} scale`, [2]), graph.variable(`${layer} shift`, [2]), 1e-5);
      hidden.push(x);
    }
    return { graph, hidden, loss: sumAll(Tanh(x)) };
  }

  const inputs = {
    x: [1, -2, 0.5, 0.25, 3, 1],
    first: [0.5, -1, 2, 0.25],
    second: [1, 1, -0.5, 2],
    'first scale': [1, 2],
    'first shift': [0.1, -0.1],
    'second scale': [0.5, 1],
    'second shift': [0, 0.3],
  };

  function gradients(graph: Graph): Record<string, number[]> {
    const tensors = Object.entries(inputs).map(([name, values]) => {
      const dims = values.length === 2 ? [2] : [values.length / 2, 2];
      return [name, fromTensor({ dtype: 'float32', dims, data: Float32Array.from(values) })] as const;
    });
    const values = interpret(graph, new Map(tensors));
    return Object.fromEntries(
      [...graph.gradientOutputs].map(([name, { name: node }]) => [name, [...values.get(node)!.data]]),
    );
  }

  it('computes what operators say once more, and leaves the gradients as they are', () => {
    const { graph, loss } = network();
    const forward = graph.nodes.length;
    addGradients(graph, loss);
    // The first norm's result is needed by the second linear layer; that of the second norm by nothing, since tanh has its own.
    expect(counts(graph, 'Gelu', forward)).toEqual([2, 2]);
    expect(counts(graph, 'LayerNormalization', forward)).toEqual([2, 1]);
    expect(counts(graph, 'Tanh', forward)).toEqual([1, 0]);

    const kept = network();
    kept.graph.recomputed.clear();
    addGradients(kept.graph, kept.loss);
    expect(counts(kept.graph, 'Gelu', forward)).toEqual([2, 0]);
    expect(gradients(graph)).toEqual(gradients(kept.graph));
  });

  it('makes a copy right before its first use, from copies of what it needs, and once', () => {
    const graph = new Graph();
    const a = graph.variable('a', [2]);
    const inner = Tanh(a);
    const outer = Tanh(inner);
    graph.recomputed.add(inner).add(outer);
    const b = graph.variable('b', [2]);
    const loss = sumAll(Mul(Mul(outer, b), outer));
    const forward = graph.nodes.length;
    addGradients(graph, loss);
    const backward = graph.nodes.slice(forward);
    const copies = backward.filter(({ op }) => op === 'Tanh');
    expect(copies.length).toBe(2);
    expect(copies[0]!.inputs).toEqual([a]);
    expect(copies[1]!.inputs).toEqual(copies[0]!.outputs);
    const first = backward.findIndex(({ inputs }) => inputs.includes(copies[1]!.outputs[0]));
    expect(backward.indexOf(copies[1]!)).toBe(first - 1);
    for (const { inputs } of backward) for (const value of [inner, outer]) expect(inputs).not.toContain(value);
  });

  it('keeps a value that is put out anyway', () => {
    const { graph, loss, hidden } = network();
    const forward = graph.nodes.length;
    graph.output('hidden', hidden[0]!);
    addGradients(graph, loss);
    expect(counts(graph, 'Gelu', forward)).toEqual([2, 1]);
  });
});
