/** Each operator's vector-Jacobian product against finite differences. */
import { describe, expect, it } from 'vitest';
import { addGradients } from '../../src/compute/graph/autodiff.ts';
import { Graph } from '../../src/compute/graph/graph.ts';
import * as ops from '../../src/compute/graph/ops/index.ts';
import { referenceKernels } from '../../src/compute/runtime/reference/kernels.ts';
import { checkGradients } from './check-gradients.ts';
import { CaseInputs, caseLoss } from './op-case.ts';
import { opCases } from './op-table.ts';

describe('the table of operators', () => {
  it('has a case for every operator that is exported, and none for others', () => {
    const covered = new Set(opCases.flatMap((entry) => entry.ops));
    expect([...covered].sort()).toEqual(Object.keys(ops).sort());
  });

  it('reaches every kernel of the reference engine', () => {
    const emitted = new Set<string>();
    for (const entry of opCases) {
      const graph = new Graph();
      addGradients(graph, caseLoss(entry.build(new CaseInputs(graph, ''))));
      for (const { op, domain } of graph.nodes) emitted.add(domain === '' ? op : `${domain}.${op}`);
    }
    const byHandOnly = ['Identity', 'Where'];
    expect([...emitted, ...byHandOnly].sort()).toEqual(Object.keys(referenceKernels).sort());
  });
});

describe.each(opCases)('$ops.0', (entry) => {
  it(entry.title, () => {
    const graph = new Graph();
    const inputs = new CaseInputs(graph, '');
    const loss = caseLoss(entry.build(inputs));
    addGradients(graph, loss);
    const { variables, feeds } = inputs;
    if (!entry.differentiable) {
      expect([...graph.gradientOutputs.keys(), ...graph.scatterGradients.keys()]).toEqual([]);
      return;
    }
    const gradients = checkGradients({ graph, loss, variables, feeds });
    expect([...gradients.keys()]).toEqual(Object.keys(variables));
  });
});
