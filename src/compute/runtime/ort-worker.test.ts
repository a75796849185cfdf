/** The worker of the onnxruntime engine when things go wrong in it: a call must fail, never hang. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { builtFile } from '../../util/built-file.ts';
import { LexrayError } from '../../util/errors.ts';
import { addGradients } from '../graph/autodiff.ts';
import { Graph } from '../graph/graph.ts';
import { Gather, MatMul, Neg, sumAll } from '../graph/ops/index.ts';
import type { Engine, Program, Tensor } from './engine.ts';
import { openOrtEngine } from './ort-engine.ts';

/** An engine together with the worker thread that it starts. */
async function openWithWorker(): Promise<{ engine: Engine; worker: Worker }> {
  let worker: Worker | undefined;
  const notice = (started: Worker): void => {
    worker = started;
  };
  process.on('worker', notice);
  try {
    const engine = await openOrtEngine({ threads: 2 });
    return { engine, worker: worker! };
  } finally {
    process.off('worker', notice);
  }
}

async function smallProgram(engine: Engine): Promise<Program> {
  const graph = new Graph();
  graph.output('y', graph.scalar(1));
  return engine.compile(graph);
}

/** A program that takes a while: some tenths of a second a run. */
async function slowProgram(engine: Engine): Promise<{ program: Program; feeds: Record<string, Tensor> }> {
  const graph = new Graph();
  let x = graph.feed('x', 'float32', [384, 384]);
  for (let i = 0; i < 60; i++) x = MatMul(x, x, { alpha: 1e-3 });
  graph.output('y', sumAll(x));
  const data = new Float32Array(384 * 384).fill(0.1);
  return { program: await engine.compile(graph), feeds: { x: { dtype: 'float32', dims: [384, 384], data } } };
}

async function reasonsOf(calls: readonly Promise<unknown>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(calls);
  return settled.map((result) => (result.status === 'rejected' ? result.reason : 'it did not fail'));
}

describe('the worker of the onnxruntime engine', () => {
  it('stopped from outside: open calls fail, and so do later ones', async () => {
    const { engine, worker } = await openWithWorker();
    const program = await smallProgram(engine);
    const stopped = worker.terminate();
    const reasons = await reasonsOf([program.run({}), engine.readVariable('w', 'value'), program.dispose()]);
    for (const reason of reasons) {
      expect(reason).toBeInstanceOf(LexrayError);
      expect((reason as Error).message).toBe('the engine has been closed');
    }
    await stopped;
    await expect(program.run({})).rejects.toThrow('the engine has been closed');
    await engine.dispose();
  });

  it('dying of an error: the calls fail with it', async () => {
    const { engine, worker } = await openWithWorker();
    const program = await smallProgram(engine);
    // Not a call: reading its method throws outside of every handler.
    worker.postMessage(null);
    const [reason] = await reasonsOf([program.run({})]);
    expect(reason).toBeInstanceOf(LexrayError);
    expect((reason as Error).message).toMatch(/^the engine's worker failed: /);
    await expect(program.run({})).rejects.toThrow("the engine's worker failed: ");
    await engine.dispose();
  });

  it('ended by disposal: open calls fail at once, and the thread goes after the run that it is in', async () => {
    for (const delay of [0, 20, 50]) {
      const { engine, worker } = await openWithWorker();
      const { program, feeds } = await slowProgram(engine);
      const reasons = reasonsOf(Array.from({ length: 5 }, () => program.run(feeds)));
      await setTimeout(delay);
      const exited = once(worker, 'exit');
      await engine.dispose();
      expect(((await reasons).at(-1) as Error).message).toBe('the engine has been closed');
      expect(await exited).toEqual([0]);
    }
  });

  it.each(['table', 'hidden'])('adds up the gradient of rows that repeat, on several threads: %s', async (kind) => {
    const { engine } = await openWithWorker();
    const [rows, width, count] = [3, 64, 20_000];
    await engine.createVariables([{ name: 'table', dims: [rows, width], trainable: true }]);
    const graph = new Graph();
    const table = graph.variable('table', [rows, width]);
    // Rows of a variable leave the graph as a list; rows of a value in between are added up inside it.
    const source = kind === 'table' ? table : Neg(table);
    addGradients(graph, sumAll(Gather(source, graph.feed('ids', 'int64', ['n']))));
    const program = await engine.compile(graph);
    const ids = BigInt64Array.from({ length: count }, (_, i) => BigInt((i * 7919) % rows));
    const sign = kind === 'table' ? 1 : -1;
    const expected = Float32Array.from({ length: rows * width }, (_, i) => {
      const row = BigInt(Math.floor(i / width));
      return sign * ids.reduce((total, id) => total + (id === row ? 1 : 0), 0);
    });
    for (let run = 0; run < 10; run++) {
      await program.run({ ids: { dtype: 'int64', dims: [count], data: ids } });
      expect(await engine.readVariable('table', 'gradient')).toEqual(expected);
    }
    await engine.dispose();
  });
});

describe('a process that ends while the worker is inside a run', () => {
  const script = (ending: string): string => `
    import { Graph } from ${JSON.stringify(built('compute/graph/graph.js'))};
    import { MatMul, sumAll } from ${JSON.stringify(built('compute/graph/ops/index.js'))};
    import { openOrtEngine } from ${JSON.stringify(built('compute/runtime/ort-engine.js'))};
    const engine = await openOrtEngine({ threads: 2 });
    const graph = new Graph();
    let x = graph.feed('x', 'float32', [384, 384]);
    for (let i = 0; i < 60; i++) x = MatMul(x, x, { alpha: 1e-3 });
    graph.output('y', sumAll(x));
    const program = await engine.compile(graph);
    const feeds = { x: { dtype: 'float32', dims: [384, 384], data: new Float32Array(384 * 384) } };
    for (let i = 0; i < 20; i++) program.run(feeds).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 60));
    ${ending}`;

  it.each([
    ['by process.exit', 'process.exit(130);', 130, ''],
    ['by an error that nobody catches', 'throw new Error("my own");', 1, 'my own'],
  ])('%s: keeps its exit code', (_, ending, status, message) => {
    const result = spawnSync(process.execPath, ['--input-type=module', '--eval', script(ending)], { encoding: 'utf8' });
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toContain('terminate called');
    expect({ status: result.status, signal: result.signal }).toEqual({ status, signal: null });
  });
});

function built(path: string): string {
  return pathToFileURL(builtFile(path)).href;
}
