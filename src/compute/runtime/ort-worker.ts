/** The worker's entry: answers the calls of `ort-engine.ts` one after another. */
import { parentPort, workerData } from 'node:worker_threads';
import { LexrayError } from '../../util/errors.ts';
import type { Tensor } from './engine.ts';
import type { OrtCall, OrtReply } from './ort-engine.ts';
import { OrtHost } from './ort-host.ts';

const port = parentPort!;
const { threads } = workerData as { threads: number };
let host: OrtHost | undefined;
let queue: Promise<void> = Promise.resolve();

port.on('message', (call: OrtCall) => {
  queue = queue.then(() => answer(call));
});

async function answer(call: OrtCall): Promise<void> {
  try {
    host ??= await OrtHost.create(threads);
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
      return engine.run(call.program, call.feeds);
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
