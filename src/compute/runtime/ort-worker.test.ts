/** The worker of the onnxruntime engine when things go wrong in it: a call must fail, never hang. */
import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { LexrayError } from '../../util/errors.ts';
import { Graph } from '../graph/graph.ts';
import { MatMul, ScatterND, sumAll } from '../graph/ops/index.ts';
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
  it('terminated during calls: they fail, and so do later ones', async () => {
    const { engine, worker } = await openWithWorker();
    const { program, feeds } = await slowProgram(engine);
    const reasons = reasonsOf([program.run(feeds), program.run(feeds), engine.readVariable('w', 'value')]);
    await worker.terminate();
    for (const reason of await reasons) {
      expect(reason).toBeInstanceOf(LexrayError);
      expect((reason as Error).message).toBe('the engine has been closed');
    }
    await expect(program.run(feeds)).rejects.toThrow('the engine has been closed');
    await engine.dispose();
  });

  it('dying of an error: the calls fail with it', async () => {
    const { engine, worker } = await openWithWorker();
    const { program, feeds } = await slowProgram(engine);
    // Not a call: reading its id throws outside of every handler.
    worker.postMessage(null);
    const [reason] = await reasonsOf([program.run(feeds)]);
    expect(reason).toBeInstanceOf(LexrayError);
    expect((reason as Error).message).toMatch(/^the engine's worker failed: /);
    await expect(program.run(feeds)).rejects.toThrow("the engine's worker failed: ");
    await engine.dispose();
  });

  it('ended by disposal during a run: no call stays open', async () => {
    const { engine } = await openWithWorker();
    const { program, feeds } = await slowProgram(engine);
    const reasons = reasonsOf(Array.from({ length: 5 }, () => program.run(feeds)));
    await engine.dispose();
    const last = (await reasons).at(-1);
    expect((last as Error).message).toBe('the engine has been closed');
  });

  it('adds up repeated indices in ScatterND although it has several threads', async () => {
    const { engine } = await openWithWorker();
    const graph = new Graph();
    const [rows, width, count] = [3, 64, 20_000];
    const at = graph.feed('at', 'int64', ['n', 1]);
    const updates = graph.feed('updates', 'float32', ['n', width]);
    graph.output('sums', ScatterND(graph.feed('start', 'float32', [rows, width]), at, updates, 'add'));
    const program = await engine.compile(graph);
    const indices = BigInt64Array.from({ length: count }, (_, i) => BigInt((i * 7919) % rows));
    const expected = Float32Array.from({ length: rows * width }, (_, i) => {
      const row = BigInt(Math.floor(i / width));
      return indices.reduce((total, index) => total + (index === row ? 1 : 0), 0);
    });
    for (let run = 0; run < 5; run++) {
      const { sums } = await program.run({
        start: { dtype: 'float32', dims: [rows, width], data: new Float32Array(rows * width) },
        at: { dtype: 'int64', dims: [count, 1], data: indices },
        updates: { dtype: 'float32', dims: [count, width], data: new Float32Array(count * width).fill(1) },
      });
      expect(sums!.data).toEqual(expected);
    }
    await engine.dispose();
  });
});
