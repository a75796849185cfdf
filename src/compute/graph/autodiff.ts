/**
 * Reverse-mode differentiation: walks the differentiations of a graph backwards from a scalar loss and emits the
 * backward pass as ordinary nodes of the same graph.
 *
 * Gradients of variables are built last, those of the first layers first. onnxruntime runs nodes without a consumer
 * last-created first, so this order frees each activation as soon as its layer is done
 * (measured: 2.9 instead of 4.9 GB for a 6-layer step).
 */
import { LexrayError } from '../../util/errors.ts';
import type { Graph, InputGradient, Value } from './graph.ts';
import { ConstantOfShape } from './ops/constant.ts';
import { addRows } from './ops/indexing.ts';
import { Shape } from './ops/movement.ts';
import type { ScatterGradient } from './scatter-gradient.ts';

/**
 * Adds the gradient of `loss` with respect to each variable as a gradient output of the graph.
 * @param loss scalar float32
 * @param variables names of the variables that are trained; by default all
 * @returns the variables that the loss depends on
 */
export function addGradients(graph: Graph, loss: Value, variables?: ReadonlySet<string>): string[] {
  const trained = [...graph.variables.keys()].filter((name) => variables?.has(name) ?? true);
  const deferred = new Map<string, InputGradient[]>();
  for (const name of trained) deferred.set(name, []);

  return graph.withoutDifferentiation(() => {
    const order: string[] = [];
    walkBack(graph, loss, new Set(trained.map((name) => graph.variables.get(name)!)), (target, gradient) => {
      const waiting = deferred.get(target.name)!;
      if (waiting.length === 0) order.push(target.name);
      waiting.push(gradient);
    });
    const names = order.reverse();
    for (const name of names) {
      let total: Value | undefined;
      const scatters: ScatterGradient[] = [];
      for (const build of deferred.get(name)!) {
        if (typeof build === 'function') total = build(total);
        else scatters.push(build);
      }
      if (total !== undefined) graph.gradientOutputs.set(name, total);
      if (scatters.length > 0) graph.scatterGradients.set(name, scatters);
    }
    return names;
  });
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
  return graph.withoutDifferentiation(() => {
    const totals = new Map<Value, Value>();
    walkBack(graph, loss, new Set(inputs), (target, gradient) => {
      totals.set(target, accumulated(target, gradient, totals.get(target)));
    });
    return inputs.map((input) => totals.get(input) ?? ConstantOfShape(Shape(input), input.dims, 0));
  });
}

/** Walks the differentiations backwards from the loss and tells every contribution to the gradient of a target. */
function walkBack(
  graph: Graph,
  loss: Value,
  targets: ReadonlySet<Value>,
  contribute: (target: Value, gradient: InputGradient) => void,
): void {
  if (loss.dims.length !== 0) {
    throw new LexrayError('FAILED', `the loss must be a scalar, got shape [${loss.dims}]`);
  }
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
