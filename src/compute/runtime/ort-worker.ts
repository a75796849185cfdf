/** The worker's entry: answers the calls of `ort-engine.ts` one after another. */
import { parentPort, workerData } from 'node:worker_threads';
import { LexrayError } from '../../util/errors.ts';
import type { Tensor } from './engine.ts';
import type { OrtMessage, OrtReply, OrtWorkerData } from './ort-engine.ts';
import { OrtHost } from './ort-host.ts';
import { WorkerGate } from './worker-gate.ts';

type OrtCall = Exclude<OrtMessage, { readonly method: 'end' }>;

const port = parentPort!;
const { threads, weights, gate: memory } = workerData as OrtWorkerData;
const gate = new WorkerGate(memory);
let host: OrtHost | undefined;
let queue: Promise<void> = Promise.resolve();

port.on('message', (message: OrtMessage) => {
  queue = queue.then(() => (message.method === 'end' ? end() : answer(message)));
});

/** Lets the thread come to its end. */
async function end(): Promise<void> {
  await host?.dispose();
  port.close();
}

async function answer(call: OrtCall): Promise<void> {
  // A call that finds the gate shut has been answered by the engine already.
  if (!gate.enter()) return;
  try {
    host ??= await OrtHost.create(threads, weights);
    const value = await perform(host, call);
    port.postMessage({ id: call.id, value } satisfies OrtReply, buffersOf(value));
  } catch (error) {
    const known = error instanceof LexrayError ? error : undefined;
    port.postMessage({
      id: call.id,
      error: {
        code: known?.code ?? 'FAILED',
        message: error instanceof Error ? error.message : String(error),
        cure: known?.cure,
      },
    } satisfies OrtReply);
  } finally {
    gate.leave();
  }
}

function perform(engine: OrtHost, call: OrtCall): unknown {
  switch (call.method) {
    case 'open':
      return undefined;
    case 'createVariables':
      return engine.createVariables(call.specs);
    case 'writeVariable':
      return engine.writeVariable(call.name, call.part, call.data);
    case 'readVariable':
      return engine.readVariable(call.name, call.part);
    case 'compile':
      return engine.compile(call.graph);
    case 'run':
      return engine.run(call.program, call.feeds, call.options);
    case 'disposeProgram':
      return engine.disposeProgram(call.program);
    case 'adamW':
      return engine.adamW(call.step);
  }
}

function buffersOf(value: unknown): ArrayBuffer[] {
  if (value instanceof Float32Array) return [value.buffer as ArrayBuffer];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value as Record<string, Tensor>).map((tensor) => tensor.data.buffer as ArrayBuffer);
}
