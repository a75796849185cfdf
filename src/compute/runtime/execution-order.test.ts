/** onnxruntime runs nodes in the order of the graph; `onnx-writer.ts` relies on how it looks for what to run. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { addGradients } from '../graph/autodiff.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { toOnnx } from '../graph/onnx-writer.ts';
import { Add, ArgMax, Cast, Concat, Gelu, Linear, Mul, ReduceMax, sumAll, Tanh } from '../graph/ops/index.ts';

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
}

async function executedNodes(graph: Graph, feeds: Record<string, ort.Tensor>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lexray-profile-'));
  try {
    const session = await ort.InferenceSession.create(toOnnx(graph), {
      graphOptimizationLevel: 'disabled',
      enableProfiling: true,
      profileFilePrefix: join(folder, 'profile'),
      logSeverityLevel: 4,
    });
    await session.run(feeds);
    session.endProfiling();
    await session.release();
    const [file] = await readdir(folder);
    const events = JSON.parse(await readFile(join(folder, file!), 'utf8')) as ProfileEvent[];
    return events.filter(({ cat }) => cat === 'Node').map(({ name }) => name.replace(/_kernel_time$/, ''));
  } finally {
    await rm(folder, { recursive: true });
  }
}

it('nodes run in the order of the graph', async () => {
  const graph = new Graph();
  const x = graph.feed('x', 'float32', ['n', 3]);
  const maxima: Value[] = [];
  const places: Value[] = [];
  let y: Value = x;
  // By itself, onnxruntime would look for the places only at the end, and hold every y until then.
  for (const layer of ['a', 'b', 'c', 'd']) {
    y = Gelu(Linear(y, graph.variable(layer, [3, 3])));
    maxima.push(ReduceMax(y, 1, false));
    places.push(Cast(ArgMax(y, 1), 'float32'));
  }
  graph.output('places', Concat(places, 0, '4n'));
  graph.output('maxima', Concat(maxima, 0, '4n'));
  addGradients(graph, sumAll(Mul(Tanh(Add(y, x)), y)));
  const data = (size: number): Float32Array => Float32Array.from({ length: size }, (_, i) => Math.sin(i));
  const feeds = Object.fromEntries(
    ['a', 'b', 'c', 'd'].map((name) => [name, new ort.Tensor('float32', data(9), [3, 3])]),
  );
  const executed = await executedNodes(graph, { ...feeds, x: new ort.Tensor('float32', data(6), [2, 3]) });
  const expected = graph.nodes.map(({ op }, i) => `${op}#${i}`);
  expect(executed.filter((name) => expected.includes(name))).toEqual(expected);
});
