/** Each operator, forward and gradient, in onnxruntime against the reference engine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addGradients } from '../../src/compute/graph/autodiff.ts';
import { Graph } from '../../src/compute/graph/graph.ts';
import type { Engine, Tensor } from '../../src/compute/runtime/engine.ts';
import { openOrtEngine } from '../../src/compute/runtime/ort-engine.ts';
import { interpretedGradients } from '../../src/compute/runtime/reference/gradients.ts';
import { interpret } from '../../src/compute/runtime/reference/interpret.ts';
import { fromTensor } from '../../src/compute/runtime/reference/tensor.ts';
import { CaseInputs, caseLoss } from './op-case.ts';
import { opCases } from './op-table.ts';

/** The largest difference, relative to the largest figure of a tensor: some hundred roundings of float32. */
const tolerance = 1e-5;

const built = opCases.map((entry, i) => {
  const graph = new Graph();
  const inputs = new CaseInputs(graph, `case ${i} `);
  const outputs = entry.build(inputs);
  addGradients(graph, caseLoss(outputs));
  outputs.forEach((output, k) => {
    graph.output(`output ${k}`, output);
  });
  return { title: `${entry.ops[0]}: ${entry.title}`, graph, inputs };
});

let engine: Engine;

beforeAll(async () => {
  engine = await openOrtEngine({ threads: 2 });
  const variables = built.flatMap(({ inputs }) => Object.entries(inputs.variables));
  await engine.createVariables(variables.map(([name, { dims }]) => ({ name, dims, trainable: true })));
  for (const [name, { data }] of variables) await engine.writeVariable(name, 'value', data as Float32Array);
});

afterAll(async () => {
  await engine.dispose();
});

describe('onnxruntime agrees with the reference engine on', () => {
  it.each(built)('$title', async ({ graph, inputs }) => {
    const given = { ...inputs.variables, ...inputs.feeds };
    const expected = interpret(
      graph,
      new Map(Object.entries(given).map(([name, tensor]) => [name, fromTensor(tensor)])),
    );
    const program = await engine.compile(graph);
    const results = await program.run(inputs.feeds);
    await program.dispose();
    for (const [name, value] of graph.outputs) {
      const { dtype, dims, data } = expected.get(value.name)!;
      expect({ dtype: results[name]!.dtype, dims: results[name]!.dims }, name).toEqual({ dtype, dims });
      expectClose(name, numbers(results[name]!), data, dtype === 'float32' ? tolerance : 0);
    }
    for (const [name, gradient] of interpretedGradients(graph, expected)) {
      const found = await engine.readVariable(name, 'gradient');
      expectClose(`gradient of ${name}`, [...found], gradient, tolerance);
    }
  });
});

function numbers({ data }: Tensor): number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

function expectClose(name: string, actual: readonly number[], expected: Float64Array, relative: number): void {
  expect(actual.length, name).toBe(expected.length);
  const scale = expected.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
  actual.forEach((x, i) => {
    const difference = Math.abs(x - expected[i]!);
    expect(difference, `${name} at ${i}: ${x}, expected ${expected[i]}`).toBeLessThanOrEqual(
      relative * Math.max(scale, 1e-6),
    );
  });
}
