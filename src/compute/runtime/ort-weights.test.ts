/** The engine with matrices in fewer bits, beside the reference engine on the matrices that it reads back. */
import { afterEach, describe, expect, it } from 'vitest';
import { Random } from '../../util/random.ts';
import { addGradients } from '../graph/autodiff.ts';
import { Graph } from '../graph/graph.ts';
import { Add, Gather, Linear, MatMul, sliceRows, sumAll } from '../graph/ops/index.ts';
import type { Engine, Tensor } from './engine.ts';
import { failure, float32, int64 } from './engine-fixtures.suite.ts';
import { openOrtEngine } from './ort-engine.ts';
import { openReferenceEngine } from './reference/reference-engine.ts';

const [rows, width] = [40, 24];
const specs = [
  { name: 'w', dims: [rows, width], trainable: false },
  { name: 'bias', dims: [rows], trainable: false },
  { name: 'trained', dims: [width, 2], trainable: true },
];

/** Everything that models do with a matrix: rows looked up, a layer, layers over some rows, and something else. */
function network(): Graph {
  const graph = new Graph();
  const w = graph.variable('w', [rows, width]);
  const x = graph.feed('x', 'float32', ['n', width]);
  graph.output('rows', Gather(w, graph.feed('ids', 'int64', ['m'])));
  graph.output('layer', Linear(x, w, graph.variable('bias', [rows])));
  graph.output('some rows', Linear(x, sliceRows(sliceRows(w, 8, 30), 2, 12)));
  graph.output('all rows', Add(w, 1));
  graph.output('a few', Add(sliceRows(w, 3, 5), 0));
  graph.output('product', MatMul(x, graph.variable('trained', [width, 2])));
  return graph;
}

describe.each(['float16', 'int8'] as const)('an engine that keeps matrices as %s', (weights) => {
  const engines: Engine[] = [];
  afterEach(async () => {
    for (const engine of engines.splice(0)) await engine.dispose();
  });

  async function openBoth(): Promise<{ ort: Engine; reference: Engine }> {
    const ort = await openOrtEngine({ threads: 1, weights });
    engines.push(ort);
    const reference = await openReferenceEngine();
    const random = new Random(3);
    await ort.createVariables(specs);
    await reference.createVariables(specs);
    for (const { name, dims } of specs) {
      const length = dims.reduce((product, dim) => product * dim, 1);
      await ort.writeVariable(
        name,
        'value',
        Float32Array.from({ length }, () => random.normal()),
      );
      await reference.writeVariable(name, 'value', await ort.readVariable(name, 'value'));
    }
    return { ort, reference };
  }

  it('computes with the matrices that it reads back', async () => {
    const { ort, reference } = await openBoth();
    expect(ort.weights).toBe(weights);
    const random = new Random(4);
    const feeds: Record<string, Tensor> = {
      x: float32(
        [5, width],
        Array.from({ length: 5 * width }, () => random.normal()),
      ),
      ids: int64([0, 39, 7, 7]),
    };
    const expected = await (await reference.compile(network())).run(feeds);
    const found = await (await ort.compile(network())).run(feeds);
    const w = await ort.readVariable('w', 'value');
    // int8: each of 24 factors of x is off by at most half a 255th of its range.
    const range = Math.max(...(feeds.x!.data as Float32Array)) - Math.min(...(feeds.x!.data as Float32Array));
    const bound = (range / 255 / 2) * width * Math.max(...w.map(Math.abs));
    for (const [name, { dims, data }] of Object.entries(expected)) {
      expect(found[name]!.dims, name).toEqual(dims);
      const rounded = weights === 'int8' && (name === 'layer' || name === 'some rows');
      const worst = Math.max(...Array.from(data as Float32Array, (x, i) => Math.abs(x - Number(found[name]!.data[i]))));
      expect(worst, name).toBeLessThan(rounded ? bound : 1e-5);
      if (rounded) expect(worst, `${name} in integers`).toBeGreaterThan(1e-4);
    }
  });

  it('differs from the matrices that were written by its rounding, and trains the others in float32', async () => {
    const ort = await openOrtEngine({ threads: 1, weights });
    engines.push(ort);
    await ort.createVariables(specs);
    const random = new Random(5);
    const written = Float32Array.from({ length: rows * width }, () => random.normal());
    await ort.writeVariable('w', 'value', written);
    const read = await ort.readVariable('w', 'value');
    const worst = Math.max(...written.map((x, i) => Math.abs(x - read[i]!)));
    expect(worst).toBeGreaterThan(1e-5);
    expect(worst).toBeLessThan(weights === 'int8' ? 0.02 : 0.002);
    const graph = new Graph();
    const x = graph.feed('x', 'float32', [1, width]);
    const hidden = Linear(x, graph.variable('w', [rows, width]));
    addGradients(
      graph,
      Add(sumAll(MatMul(x, graph.variable('trained', [width, 2]))), sumAll(hidden)),
      new Set(['trained']),
    );
    const program = await ort.compile(graph);
    const data = Float32Array.from({ length: width }, (_, i) => i / 7);
    await program.run({ x: { dtype: 'float32', dims: [1, width], data } });
    const expected = Float32Array.from({ length: 2 * width }, (_, i) => data[i >> 1]!);
    expect(await ort.readVariable('trained', 'gradient')).toEqual(expected);
  });

  it('refuses wrong lengths and other parts', async () => {
    const { ort } = await openBoth();
    expect((await failure(ort.writeVariable('w', 'value', new Float32Array(3)))).message).toBe(
      'variable w: 960 elements expected, got 3',
    );
    expect((await failure(ort.readVariable('w', 'gradient'))).message).toContain('not trainable');
  });
});

it('an int8 matrix cannot be written once a program holds it', async () => {
  const engine = await openOrtEngine({ threads: 1, weights: 'int8' });
  try {
    await engine.createVariables(specs);
    await engine.writeVariable('w', 'value', new Float32Array(rows * width));
    await engine.compile(network());
    const late = await failure(engine.writeVariable('w', 'value', new Float32Array(rows * width)));
    expect(late.message).toBe('variable w is part of a compiled program: write it before');
  } finally {
    await engine.dispose();
  }
});
