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
  if (loss.dims.length !== 0) {
    throw new LexrayError('FAILED', `the loss must be a scalar, got shape [${loss.dims}]`);
  }
  const trained = new Set([...graph.variables.keys()].filter((name) => variables?.has(name) ?? true));
  const steps = [...graph.differentiations];
  const relevant = reachableFrom(graph, trained);
  const gradients = new Map<Value, Value>([[loss, graph.scalar(1)]]);
  const deferred = new Map<string, InputGradient[]>();

  return graph.withoutDifferentiation(() => {
    for (const step of steps.reverse()) {
      const outputGradients = step.outputs.map((output) => gradients.get(output));
      if (outputGradients.every((gradient) => gradient === undefined)) continue;
      if (!step.inputs.some((input) => relevant.has(input))) continue;
      const inputGradients = step.backward(outputGradients);
      for (const output of step.outputs) gradients.delete(output);
      step.inputs.forEach((input, i) => {
        const build = inputGradients[i];
        if (build === undefined || !relevant.has(input)) return;
        if (graph.variables.get(input.name) === input) {
          const waiting = deferred.get(input.name);
          if (waiting) waiting.push(build);
          else deferred.set(input.name, [build]);
        } else {
          const accumulated = gradients.get(input);
          gradients.set(input, typeof build === 'function' ? build(accumulated) : scattered(input, build, accumulated));
        }
      });
    }
    const names = [...deferred.keys()].reverse();
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

/** A scatter onto an intermediate value, which has to stay in the graph. */
function scattered(input: Value, scatter: ScatterGradient, accumulated: Value | undefined): Value {
  if (scatter.kind !== 'rows') throw new LexrayError('FAILED', 'the decoder of a pooled head must be a variable');
  const start = accumulated ?? ConstantOfShape(Shape(input), input.dims, 0);
  return addRows(start, scatter.rows, scatter.values);
}

/** The values that depend on a trained variable, the variables themselves included. */
function reachableFrom(graph: Graph, trained: ReadonlySet<string>): Set<Value> {
  const reached = new Set<Value>();
  for (const name of trained) reached.add(graph.variables.get(name)!);
  for (const step of graph.differentiations) {
    if (step.inputs.some((input) => reached.has(input))) for (const output of step.outputs) reached.add(output);
  }
  return reached;
}
