/**
 * Reverse-mode differentiation: walks the differentiations of a graph backwards from a scalar loss and emits the
 * backward pass as ordinary nodes of the same graph.
 *
 * Nodes run in the order in which they are emitted (see `onnx-writer.ts`), so a gradient of a variable is emitted as soon
 * as what it is made of is there: then each activation is freed as soon as its layer is done.
 */
import { LexrayError } from '../../util/errors.ts';
import type { Graph, InputGradient, Value } from './graph.ts';
import { ConstantOfShape } from './ops/constant.ts';
import { addRows } from './ops/indexing.ts';
import { Shape } from './ops/movement.ts';
import { rematerialize } from './rematerialize.ts';
import type { ScatterGradient } from './scatter-gradient.ts';

/**
 * Adds the gradient of `loss` with respect to each variable as a gradient output of the graph.
 * @param loss scalar float32
 * @param variables names of the variables that are trained; by default all
 * @returns the variables that the loss depends on
 */
export function addGradients(graph: Graph, loss: Value, variables?: ReadonlySet<string>): string[] {
  const trained = [...graph.variables.values()].filter(({ name }) => variables?.has(name) ?? true);
  const dense = new Map<string, Value>();
  const scatters = new Map<string, ScatterGradient[]>();
  differentiated(graph, loss, trained, ({ name }, gradient) => {
    if (typeof gradient === 'function') dense.set(name, gradient(dense.get(name)));
    else scatters.set(name, [...(scatters.get(name) ?? []), gradient]);
  });
  for (const [name, value] of dense) graph.gradientOutputs.set(name, value);
  for (const [name, list] of scatters) graph.scatterGradients.set(name, list);
  return [...new Set([...dense.keys(), ...scatters.keys()])];
}

/**
 * The gradients of `loss` with respect to feeds or variables, as values of the graph that can be put out: for a graph
 * that is differentiated in parts. A value that the loss does not depend on has the gradient 0.
 * @param loss scalar float32
 * @param inputs float32 feeds or variables
 * @returns one value for each input, of its shape
 */
export function gradientsOf(graph: Graph, loss: Value, inputs: readonly Value[]): Value[] {
  for (const input of inputs) {
    if (graph.feeds.get(input.name) !== input && graph.variables.get(input.name) !== input) {
      throw new LexrayError('FAILED', `gradientsOf: ${input.name} is neither a feed nor a variable`);
    }
  }
  const totals = new Map<Value, Value>();
  differentiated(graph, loss, inputs, (target, gradient) => {
    totals.set(target, accumulated(target, gradient, totals.get(target)));
  });
  return inputs.map((input) => totals.get(input) ?? ConstantOfShape(Shape(input), input.dims, 0));
}

type Contribute = (target: Value, gradient: InputGradient) => void;

/** Emits the backward pass and tells every contribution to the gradient of a target. */
function differentiated(graph: Graph, loss: Value, targets: readonly Value[], contribute: Contribute): void {
  if (loss.dims.length !== 0) {
    throw new LexrayError('FAILED', `the loss must be a scalar, got shape [${loss.dims}]`);
  }
  const forward = graph.nodes.length;
  graph.withoutDifferentiation(() => walkBack(graph, loss, new Set(targets), contribute));
  rematerialize(graph, forward);
}

function walkBack(graph: Graph, loss: Value, targets: ReadonlySet<Value>, contribute: Contribute): void {
  const relevant = reachableFrom(graph, targets);
  const gradients = new Map<Value, Value>([[loss, graph.scalar(1)]]);
  for (const step of [...graph.differentiations].reverse()) {
    const outputGradients = step.outputs.map((output) => gradients.get(output));
    if (outputGradients.every((gradient) => gradient === undefined)) continue;
    if (!step.inputs.some((input) => relevant.has(input))) continue;
    const inputGradients = step.backward(outputGradients);
    for (const output of step.outputs) gradients.delete(output);
    step.inputs.forEach((input, i) => {
      const build = inputGradients[i];
      if (build === undefined || !relevant.has(input)) return;
      if (targets.has(input)) contribute(input, build);
      else gradients.set(input, accumulated(input, build, gradients.get(input)));
    });
  }
}

/** A contribution added to what is there of a gradient. */
function accumulated(input: Value, gradient: InputGradient, sum: Value | undefined): Value {
  return typeof gradient === 'function' ? gradient(sum) : scattered(input, gradient, sum);
}

/** A scatter onto an intermediate value, which has to stay in the graph. */
function scattered(input: Value, scatter: ScatterGradient, sum: Value | undefined): Value {
  if (scatter.kind !== 'rows') throw new LexrayError('FAILED', 'the decoder of a pooled head must be a variable');
  const start = sum ?? ConstantOfShape(Shape(input), input.dims, 0);
  return addRows(start, scatter.rows, scatter.values);
}

/** The values that depend on a target, the targets themselves included. */
function reachableFrom(graph: Graph, targets: ReadonlySet<Value>): Set<Value> {
  const reached = new Set<Value>(targets);
  for (const step of graph.differentiations) {
    if (step.inputs.some((input) => reached.has(input))) for (const output of step.outputs) reached.add(output);
  }
  return reached;
}
