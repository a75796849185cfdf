/**
 * Gradients against finite differences, in double precision on the reference interpreter: the central difference of
 * fourth order, f′(x) ≈ (8(f(x + h) − f(x − h)) − (f(x + 2h) − f(x − 2h))) / 12h, whose error is h⁴/30 · f⁽⁵⁾.
 */
import { expect } from 'vitest';
import type { Graph, Value } from '../../src/compute/graph/graph.ts';
import type { Tensor } from '../../src/compute/runtime/engine.ts';
import { interpretedGradients } from '../../src/compute/runtime/reference/gradients.ts';
import { interpret } from '../../src/compute/runtime/reference/interpret.ts';
import { fromTensor, type ReferenceTensor } from '../../src/compute/runtime/reference/tensor.ts';
import { Random } from '../../src/util/random.ts';

/** A graph with a loss and its gradients, and values for its variables and feeds. */
export interface GradientProblem {
  /** With the gradients that `addGradients` has added. */
  readonly graph: Graph;
  readonly loss: Value;
  readonly variables: Readonly<Record<string, Tensor>>;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** How closely, and how much of it, gradients are checked. */
export interface CheckGradientsOptions {
  /**
   * Largest difference, relative to the greater of the two figures; where both are smaller, to 1 % of the variable's
   * largest gradient or to 1e-4. @default 1e-6
   */
  readonly tolerance?: number;
  /** The h of the differences: small where kinks are near. @default 2⁻¹⁰ */
  readonly step?: number;
  /** Elements of each variable that are tried, drawn at random. @default all */
  readonly elements?: number;
  /** @default 1 */
  readonly seed?: number;
}

/**
 * Expects every variable's gradient to equal the finite difference.
 * @returns the gradients by variable; variables that the loss does not depend on are not among them
 */
export function checkGradients(
  { graph, loss, variables, feeds }: GradientProblem,
  { tolerance = 1e-6, step = 2 ** -10, elements, seed = 1 }: CheckGradientsOptions = {},
): Map<string, Float64Array> {
  const inputs = new Map<string, ReferenceTensor>();
  for (const [name, tensor] of Object.entries({ ...variables, ...feeds })) inputs.set(name, fromTensor(tensor));
  const values = interpret(graph, inputs);
  const last = graph.nodes.findIndex((node) => node.outputs.includes(loss));
  const forward = {
    nodes: graph.nodes.slice(0, last + 1),
    constants: graph.constants,
    variables: graph.variables,
    feeds: graph.feeds,
  };
  const lossAt = (): number => interpret(forward, inputs).get(loss.name)!.data[0]!;

  const computed = interpretedGradients(graph, values);
  const random = new Random(seed);
  const gradients = new Map<string, Float64Array>();
  for (const [name, { dims }] of Object.entries(variables)) {
    const output = graph.gradientOutputs.get(name);
    if (output !== undefined) {
      expect(values.get(output.name)!.dims, `shape of the gradient of ${name}`).toEqual(dims);
    }
    const { data } = inputs.get(name)!;
    const found = computed.get(name);
    const gradient = found ?? new Float64Array(data.length);
    if (found !== undefined) gradients.set(name, found);
    const floor = 0.01 * gradient.reduce((largest, g) => Math.max(largest, Math.abs(g)), 0);
    for (const i of random.shuffle([...data.keys()]).slice(0, elements)) {
      const kept = data[i]!;
      const at = (offset: number): number => {
        data[i] = kept + offset;
        const result = lossAt();
        data[i] = kept;
        return result;
      };
      const numeric = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
      const scale = Math.max(Math.abs(numeric), Math.abs(gradient[i]!), floor, 1e-4);
      expect(
        Math.abs(gradient[i]! - numeric) / scale,
        `gradient of ${name} at ${i}: ${gradient[i]}, by finite differences ${numeric}`,
      ).toBeLessThanOrEqual(tolerance);
    }
  }
  return gradients;
}
