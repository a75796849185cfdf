/**
 * Rematerialization (Chen et al., arXiv 1604.06174): values that are cheap to compute are not kept from the forward pass
 * until the backward pass needs them, but computed once more. Operators say which of their results are meant, in
 * `Graph.recomputed`; everything else is kept.
 */
import type { Graph, GraphNode, Value } from './graph.ts';

/**
 * Has the backward nodes of a graph read copies of recomputed values, made right before their first use.
 * @param forward number of nodes of the forward pass, which stand first
 */
export function rematerialize(graph: Graph, forward: number): void {
  const makers = new Map<Value, GraphNode>();
  for (const node of graph.nodes) for (const output of node.outputs) makers.set(output, node);
  const kept = keptAnyway(graph);
  const copies = new Map<Value, Value>();

  const copyOf = (value: Value | undefined): Value | undefined => {
    if (value === undefined || !graph.recomputed.has(value) || kept.has(value)) return value;
    const known = copies.get(value);
    if (known) return known;
    const { op, inputs, outputs, attributes, domain } = makers.get(value)!;
    const made = graph.node(op, inputs.map(copyOf), outputs, attributes, domain);
    outputs.forEach((output, i) => {
      if (graph.recomputed.has(output)) copies.set(output, made[i]!);
    });
    return copies.get(value);
  };

  for (const node of graph.nodes.splice(forward)) {
    const inputs = node.inputs.map(copyOf);
    graph.nodes.push({ ...node, inputs });
  }
}

/**
 * Has everything up to the last layer computed once more but the outputs of the layers: less memory, for about the time of
 * another forward pass. To be called before the graph is differentiated.
 */
export function recomputeLayers(graph: Graph): void {
  const last = graph.nodes.findIndex(({ outputs }) => outputs.includes(graph.layerOutputs.at(-1)!));
  for (const { outputs } of graph.nodes.slice(0, last + 1)) for (const value of outputs) graph.recomputed.add(value);
  for (const value of graph.layerOutputs) graph.recomputed.delete(value);
}

/** Values that leave the graph, and so exist until its end. */
function keptAnyway(graph: Graph): Set<Value> {
  const scattered = [...graph.scatterGradients.values()]
    .flat()
    .flatMap(({ kind, ...operands }) => Object.values(operands));
  return new Set([...graph.outputs.values(), ...graph.gradientOutputs.values(), ...scattered]);
}
