/** The gradients of a graph's variables, from the values of an interpretation: the dense part and the scatters on it. */
import type { Graph } from '../../graph/graph.ts';
import { addScatter } from '../../graph/scatter-gradient.ts';
import { type ReferenceTensor, sizeOf } from './tensor.ts';

/** Gradients by variable, row-major, in double precision. */
export function interpretedGradients(
  graph: Pick<Graph, 'variables' | 'gradientOutputs' | 'scatterGradients'>,
  values: ReadonlyMap<string, ReferenceTensor>,
): Map<string, Float64Array> {
  const gradients = new Map<string, Float64Array>();
  for (const name of new Set([...graph.gradientOutputs.keys(), ...graph.scatterGradients.keys()])) {
    const dense = graph.gradientOutputs.get(name);
    const size = sizeOf(graph.variables.get(name)!.dims as readonly number[]);
    const gradient = dense ? values.get(dense.name)!.data.slice() : new Float64Array(size);
    for (const { kind, ...operands } of graph.scatterGradients.get(name) ?? []) {
      const named = new Map(Object.entries(operands));
      addScatter(gradient, kind, (operand) => values.get(named.get(operand)!.name)!);
    }
    gradients.set(name, gradient);
  }
  return gradients;
}
