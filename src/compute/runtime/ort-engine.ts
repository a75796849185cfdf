/** The engine over onnxruntime (Microsoft's ONNX Runtime, CPU provider) in a worker thread. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { builtFile } from '../../util/built-file.ts';
import { type ErrorCode, LexrayError } from '../../util/errors.ts';
import { type CompactGraph, type WeightPrecision, withCompactWeights } from '../graph/compact-weights.ts';
import type { Graph } from '../graph/graph.ts';
import { toOnnx } from '../graph/onnx-writer.ts';
import { scatterOutputs } from '../graph/scatter-gradient.ts';
import { isCompact } from './compact-matrix.ts';
import type {
  AdamWStep,
  DropoutFeed,
  Engine,
  EngineOptions,
  Program,
  RunOptions,
  Tensor,
  VariablePart,
  VariableSpec,
} from './engine.ts';
import type { CompiledGraph } from './ort-host.ts';
import { checkFeeds, checkVariables, signatureOf, variablesByName } from './program-signature.ts';
import { WorkerGate } from './worker-gate.ts';

/** A message to the worker: a call, or the request to end. */
export type OrtMessage = ({ readonly id: number } & OrtRequest) | { readonly method: 'end' };

type OrtRequest =
  | { readonly method: 'open' }
  | { readonly method: 'createVariables'; readonly specs: readonly VariableSpec[] }
  | {
      readonly method: 'writeVariable';
      readonly name: string;
      readonly part: VariablePart;
      readonly data: Float32Array;
    }
  | { readonly method: 'readVariable'; readonly name: string; readonly part: VariablePart }
  | { readonly method: 'compile'; readonly graph: CompiledGraph }
  | {
      readonly method: 'run';
      readonly program: number;
      readonly feeds: Readonly<Record<string, Tensor | DropoutFeed>>;
      readonly options: RunOptions;
    }
  | { readonly method: 'disposeProgram'; readonly program: number }
  | { readonly method: 'adamW'; readonly step: AdamWStep };

/** Its answer. */
export interface OrtReply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly cure: string | undefined };
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** What the worker is started with. */
export interface OrtWorkerData {
  readonly threads: number;
  readonly weights: WeightPrecision;
  /** Memory of the {@link WorkerGate}. */
  readonly gate: SharedArrayBuffer;
}

/** Gates of the workers that run. When the process exits, it waits until each is outside of onnxruntime. */
const gates = new Set<WorkerGate>();

function shutGates(): void {
  for (const gate of gates) gate.shut();
  for (const gate of gates) gate.waitUntilOutside();
}

/** Runs graphs in onnxruntime. Open one with {@link openOrtEngine}. */
class OrtEngine implements Engine {
  readonly name = 'ort';
  readonly weights: WeightPrecision;
  readonly #gate = new WorkerGate();
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  #variables: ReadonlyMap<string, VariableSpec> | undefined;
  #nextCall = 0;
  #closed: Error | undefined;

  constructor(threads: number, weights: WeightPrecision) {
    this.weights = weights;
    const workerData: OrtWorkerData = { threads, weights, gate: this.#gate.memory };
    // Without the options of this process: `node --eval`, for one, does not go together with a file.
    this.#worker = new Worker(builtFile('compute/runtime/ort-worker.js'), { workerData, execArgv: [] });
    if (gates.size === 0) process.on('exit', shutGates);
    gates.add(this.#gate);
    this.#worker.on('message', (reply: OrtReply) => this.#receive(reply));
    this.#worker.on('error', (error) =>
      this.#close(new LexrayError('FAILED', `the engine's worker failed: ${error.message}`, { cause: error })),
    );
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        gates.delete(this.#gate);
        if (gates.size === 0) process.off('exit', shutGates);
        this.#close(new LexrayError('FAILED', 'the engine has been closed'));
        resolve();
      });
    });
  }

  async call(request: OrtRequest, transferred: readonly ArrayBuffer[] = []): Promise<unknown> {
    if (this.#closed) throw this.#closed;
    const id = this.#nextCall++;
    this.#worker.postMessage({ id, ...request } satisfies OrtMessage, transferred);
    return new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async createVariables(specs: readonly VariableSpec[]): Promise<void> {
    if (this.#variables) throw new LexrayError('FAILED', 'the variables of this engine have been created already');
    this.#variables = variablesByName(specs);
    await this.call({ method: 'createVariables', specs });
  }

  async writeVariable(name: string, part: VariablePart, data: Float32Array): Promise<void> {
    const copy = data.slice();
    await this.call({ method: 'writeVariable', name, part, data: copy }, [copy.buffer]);
  }

  async readVariable(name: string, part: VariablePart): Promise<Float32Array> {
    return (await this.call({ method: 'readVariable', name, part })) as Float32Array;
  }

  async compile(graph: Graph): Promise<Program> {
    const signature = signatureOf(graph);
    checkVariables(signature, this.#variables ?? new Map());
    const { graph: written, packed } = this.#compacted(graph);
    const compiled: CompiledGraph = {
      onnx: toOnnx(written),
      variables: [...written.variables.keys()],
      packed,
      gradients: signature.gradients,
      outputs: signature.outputs,
      denseGradients: [...graph.gradientOutputs.keys()],
      scatters: scatterOutputs(graph).scatters,
    };
    const program = (await this.call({ method: 'compile', graph: compiled })) as number;
    return {
      run: async (feeds, options = {}) => {
        checkFeeds(signature, feeds);
        const sent = Object.fromEntries(
          Object.entries(feeds).map(([feed, tensor]) => [feed, withoutSurroundings(tensor)]),
        );
        return (await this.call({ method: 'run', program, feeds: sent, options })) as Record<string, Tensor>;
      },
      dispose: async () => {
        await this.call({ method: 'disposeProgram', program });
      },
    };
  }

  #compacted(graph: Graph): CompactGraph {
    if (this.weights === 'float32') return { graph, packed: [] };
    const matrices = [...(this.#variables ?? new Map<string, VariableSpec>()).values()].filter(isCompact);
    return withCompactWeights(graph, this.weights, new Set(matrices.map(({ name }) => name)));
  }

  async adamW(step: AdamWStep): Promise<{ gradientNorm: number }> {
    return { gradientNorm: (await this.call({ method: 'adamW', step })) as number };
  }

  async dispose(): Promise<void> {
    if (!this.#closed) {
      this.#close(new LexrayError('FAILED', 'the engine has been closed'));
      this.#gate.shut();
      this.#worker.postMessage({ method: 'end' } satisfies OrtMessage);
    }
    await this.#exited;
  }

  #receive(reply: OrtReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.error) {
      const { code, message, cure } = reply.error;
      waiting?.reject(new LexrayError(code, message, cure === undefined ? {} : { cure }));
    } else {
      waiting?.resolve(reply.value);
    }
  }

  #close(error: Error): void {
    this.#closed ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#closed);
    this.#waiting.clear();
  }
}

/** A feed whose data own their buffer: a message to the worker clones whole buffers, however small the view on one. */
function withoutSurroundings(feed: Tensor | DropoutFeed): Tensor | DropoutFeed {
  if ('dropout' in feed || feed.data.byteLength === feed.data.buffer.byteLength) return feed;
  return { ...feed, data: feed.data.slice() };
}

/**
 * Starts an engine over onnxruntime.
 * @throws LexrayError ENGINE_MISSING when onnxruntime-node is not installed
 */
export async function openOrtEngine(options: EngineOptions = {}): Promise<Engine> {
  const engine = new OrtEngine(options.threads ?? availableParallelism(), options.weights ?? 'float32');
  try {
    await engine.call({ method: 'open' });
  } catch (error) {
    await engine.dispose();
    throw error;
  }
  return engine;
}
